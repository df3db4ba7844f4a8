"""Forks the tests' programs: `python -m tests.forks FD FOLDER`, which `tests.forked` starts.

It imports the libraries and none of our modules; a program imports those itself. What it compiles
of them is kept in the folder. With `service` behind the folder it has imported what a service
consists of too: for programs that all begin with it.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import importlib.util
import json
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

LIBRARIES: Final = (
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.x509",
    "encodings.idna",
    "fastapi",
    "fastapi.responses",
    "h11",
    "httpcore2",
    "httpcore2._sync.connection_pool",
    "httptools",
    "httpx2",
    "jinja2",
    "msgspec",
    "multiprocessing.context",
    "phonenumbers",
    "psycopg",
    "psycopg_pool",
    "pydantic.v1",
    "pydantic_settings",
    "structlog",
    "trio",
    "typer",
    "typer.main",
    "uvicorn",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
    "yaml",
)
"""What takes longest to import. Not prometheus_client, which looks at the environment then."""
OURS: Final = ("api", "consent_ledger", "projections")
ORDER_BYTES: Final = 1 << 20
STREAMS: Final = 3
"""Descriptors that are passed on follow those of the streams."""
HIGH: Final = 200
"""Descriptors are put out of the way here while they change places."""
SERVICE: Final = "service"
"""Asks for the one that forks services."""
COMPILED: Final = "PYTHONPYCACHEPREFIX"
FORBIDDEN: Final = "PYTHONDONTWRITEBYTECODE"


class _Forks:
    """The process that forks, and the programs that it has to tell the end of."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._running: dict[int, tuple[int, int]] = {}

    def serve(self) -> dict[str, Any] | None:
        """Forks what is asked for. It returns in a program, with its order, and at the end."""
        while True:
            heard = select.poll()
            for each in (self._asked.fileno(), *self._running):
                heard.register(each, select.POLLIN)
            ready = [descriptor for descriptor, _ in heard.poll()]
            for descriptor in self._running.keys() & set(ready):
                self._tell(descriptor)
            if self._asked.fileno() in ready:
                message, fds, _, _ = socket.recv_fds(self._asked, ORDER_BYTES, 16)
                if not message:
                    return None
                if self._forked(*fds):
                    order: dict[str, Any] = json.loads(message)
                    return order

    def _forked(self, status: int, *fds: int) -> bool:
        """Whether this is the new process."""
        pid = os.fork()
        if pid == 0:
            self._asked.close()
            for each in self._running.items():
                close_all(each[0], each[1][1])
            close_all(status)
            _place(fds)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return True
        close_all(*fds)
        self._running[os.pidfd_open(pid)] = (pid, status)
        os.write(status, str(pid).encode())
        return False

    def _tell(self, descriptor: int) -> None:
        pid, status = self._running.pop(descriptor)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BrokenPipeError):
            os.write(status, str(code).encode())
        close_all(descriptor, status)


def close_all(*descriptors: int) -> None:
    for each in descriptors:
        os.close(each)


def _place(fds: Sequence[int]) -> None:
    """Puts descriptors where the program looks for them: 0, 1, 2 and following."""
    aside = [fcntl.fcntl(each, fcntl.F_DUPFD, HIGH) for each in fds]
    close_all(*fds)
    for place, each in enumerate(aside):
        os.dup2(each, place, inheritable=place < STREAMS)
    close_all(*aside)


def _become(order: dict[str, Any], compiled: str) -> None:
    """Runs the module as `python -m` does."""
    os.environ.clear()
    os.environ.update(order["env"])
    os.environ.pop(FORBIDDEN, None)
    os.environ[COMPILED] = compiled
    sys.dont_write_bytecode = False
    if order["strict"]:
        sys.warnoptions.append("error")
        warnings.simplefilter("error")
    sys.argv = [order["module"], *order["arguments"]]
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        _leave(end.code)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        _leave(1)
    _leave(0)


def _leave(code: object) -> None:
    """Ends as Python does, but for taking the libraries apart one by one."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _keep_compiled(folder: str) -> None:
    """Compiled modules go there, where those of the libraries are from the start."""
    specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
    sys.pycache_prefix = folder
    for origin, cached in [(spec.origin, spec.cached) for spec in specs if spec is not None]:
        if origin and cached and Path(cached).exists():
            copy = Path(importlib.util.cache_from_source(origin))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cached, copy)


def _import_service() -> None:
    """What every service imports first, and the signs that it reads texts by."""
    importlib.import_module("api.app")
    importlib.import_module("consent_ledger.interpreting").signs()


def main() -> None:
    """Imports the libraries, and forks until the tests end."""
    for library in LIBRARIES:
        importlib.import_module(library)
    if sys.argv[3:] == [SERVICE]:
        _import_service()
    else:
        _keep_compiled(sys.argv[2])
        ours = [name for name in sys.modules if name.split(".")[0] in OURS]
        assert not ours, ours
    # What is here is no garbage; looking at it would copy it into each program.
    gc.freeze()
    # Who interrupts the tests ends them, and they end this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = _Forks(socket.socket(fileno=int(sys.argv[1]))).serve()
    if order is not None:
        _become(order, sys.argv[2])


if __name__ == "__main__":
    main()
