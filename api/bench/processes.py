"""The servers of a run: started, ended, and what they and others hold of memory."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

START_SECONDS: Final = 30
END_SECONDS: Final = 10
LOOK_SECONDS: Final = 0.25
"""Between two looks at the memory of a server: each look costs it about a millisecond."""


class Server:
    """A process that listens on a port of loopback."""

    def __init__(self, module: str, settings: Mapping[str, str]) -> None:
        self.port = _free_port()
        environment = {**os.environ, **settings, "BENCH_PORT": str(self.port)}
        self._process = subprocess.Popen([sys.executable, "-m", module], env=environment)

    def await_ready(self) -> None:
        """Returns when it takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            address = ("127.0.0.1", self.port)
            with contextlib.suppress(OSError), socket.create_connection(address, 1):
                return
            time.sleep(0.05)
        raise TimeoutError("a server of the bench did not start")

    def watched(self) -> AbstractContextManager["Memory"]:
        """Looks at the memory of its processes, until the block ends."""
        return watched(lambda: _family(self._process.pid))

    def ask_to_end(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def await_end(self) -> None:
        """Waits until it has."""
        self._process.wait(END_SECONDS)


@contextlib.contextmanager
def serving(servers: Mapping[str, Server]) -> Iterator[None]:
    """The servers, ready, until the run is over."""
    try:
        for server in servers.values():
            server.await_ready()
        yield
    finally:
        for server in servers.values():
            server.ask_to_end()
        for server in servers.values():
            server.await_end()


class Memory:
    """The most that some processes were seen to hold together, in MB; None where it is not told."""

    peak_mb: float | None = None

    def look(self, pids: Iterable[int]) -> None:
        """Adds up what they hold now, a page that several share as its part for each."""
        found = [held for pid in pids if (held := _held_mb(pid)) is not None]
        if found:
            self.peak_mb = max(self.peak_mb or 0.0, sum(found))


@contextlib.contextmanager
def watched(processes: Callable[[], Iterable[int]]) -> Iterator[Memory]:
    """Looks at the memory of those processes that there are, until the block ends."""
    memory, ended = Memory(), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            memory.look(processes())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()
        memory.look(processes())


def _held_mb(pid: int) -> float | None:
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        held = next(line for line in lines if line.startswith("Pss:"))
        return int(held.split()[1]) / 1024
    return None


def _family(pid: int) -> list[int]:
    """A process and those that it started."""
    found = [pid]
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, tasks.read_text().split())
    return found


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
