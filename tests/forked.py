"""Programs of their own for the tests, without the second that Python takes to import libraries.

A process for each worker of the tests (`tests.forks`) has the libraries and none of our modules,
and forks each program that is asked for here: it has arguments, an environment, streams and an
exit status of its own. One of these programs forks in turn what is a service from its first line:
it has the service's modules, which take as long again.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Final

from tests.forks import COMPILED, FORBIDDEN, ORDER_BYTES, SERVICE, STREAMS, close_all

ROOT: Final = Path(__file__).parents[1]
ERRORS: Final = 2
"""The tests' own standard error."""
SERVICES: Final = ("tests.service", "tests.system.service")
COMMANDS: Final = (["dev"], ["serve"])
"""Programs, and our own program's commands, that import all of the service before they do anything;
`tests/cli/test_fresh.py` has a command import it by itself."""
WORKERS: Final = "--workers"
"""Several processes count together, which what they import has to know."""


class Started:
    """A program that was started, with what tests use of `subprocess.Popen`."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        streams: tuple[int, int, int],
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        strict: bool = False,
    ) -> None:
        """`pass_fds` are 3 and following there; `strict` makes warnings errors."""
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None
        self._status, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        kept = dict(os.environ if env is None else env)
        order = {"module": module, "arguments": list(arguments), "env": kept, "strict": strict}
        message = json.dumps(order).encode()
        assert len(message) < ORDER_BYTES
        with theirs:
            fds = [theirs.fileno(), *streams, *pass_fds]
            server = _service_server() if _is_service(module, arguments) else _server()
            socket.send_fds(server, [message], fds)
        self.pid = int(self._status.recv(32))

    def poll(self) -> int | None:
        """The exit status, negative for a signal, once it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits until it has ended."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0)
            self.returncode = int(self._status.recv(32))
            self._status.close()
        return self.returncode

    def send_signal(self, kind: signal.Signals) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, kind)

    def kill(self) -> None:
        """It can say no last word."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """What it still writes; its output ends with the last process that has it."""
        until = time.monotonic() + timeout
        parts = ["", ""]

        def read(place: int, stream: IO[str]) -> None:
            parts[place] = stream.read()

        open_ones = [(i, each) for i, each in enumerate((self.stdout, self.stderr)) if each]
        readers = [
            threading.Thread(target=read, args=(i, each), daemon=True) for i, each in open_ones
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(max(0.0, until - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired([str(self.pid)], timeout)
        self.wait(max(0.0, until - time.monotonic()))
        for _, each in open_ones:
            each.close()
        return parts[0], parts[1]


def _is_service(module: str, arguments: Sequence[str]) -> bool:
    if WORKERS in arguments:
        return False
    return module in SERVICES or list(arguments[:1]) in COMMANDS


def start(
    module: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    said: str = "",
    stderr: int = subprocess.PIPE,
) -> Started:
    """A program that hears a text; the test reads what it says, errors where they are piped."""
    (heard, speaks), (listens, out) = os.pipe(), os.pipe()
    errors, error = os.pipe() if stderr == subprocess.PIPE else (None, os.dup(stderr))
    try:
        started = Started(module, arguments, (heard, out, error), env)
    finally:
        close_all(heard, out, error)
    started.stdout = os.fdopen(listens)
    started.stderr = None if errors is None else os.fdopen(errors)
    threading.Thread(target=_write, args=(speaks, said), daemon=True).start()
    return started


def run(
    module: str, arguments: Sequence[str], env: Mapping[str, str], said: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    started = start(module, arguments, env, said)
    try:
        found = started.communicate(timeout)
    except subprocess.TimeoutExpired:
        started.kill()
        raise
    return subprocess.CompletedProcess(
        [module, *arguments], started.returncode or 0, found[0], found[1]
    )


def _write(descriptor: int, said: str) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "w") as stream:
        stream.write(said)


@cache
def _server() -> socket.socket:
    """The process that forks, one for a worker of the tests; it ends with it.

    Programs that are started in other ways find there too what is compiled.
    """
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    compiled = tempfile.TemporaryDirectory(prefix="consent-ledger-compiled-")
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks", str(theirs.fileno()), compiled.name],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )

    os.environ[COMPILED] = compiled.name
    os.environ.pop(FORBIDDEN, None)

    def end() -> None:
        ours.close()
        process.wait()
        compiled.cleanup()

    atexit.register(end)
    return ours


@cache
def _service_server() -> socket.socket:
    """The one that forks services; the other one forked it, and ends after it."""
    _server()
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with theirs, open(os.devnull, "r+") as nothing:
        arguments = [str(STREAMS), os.environ[COMPILED], SERVICE]
        streams = (nothing.fileno(), nothing.fileno(), ERRORS)
        process = Started("tests.forks", arguments, streams, pass_fds=[theirs.fileno()])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
