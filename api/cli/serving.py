"""An application on a socket, from 'it answers' to 'nothing is left'."""

import errno
import logging
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from api.cli.errors import BAD_USE, CommandError

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 2048
"""Connections that may wait to be accepted, uvicorn's own default: a burst is not refused."""

WATCH_TICKS: Final = 5
"""Of uvicorn's ten ticks a second."""
ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; what connects before the service is ready waits. Port 0 picks one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(found[0][4][:2], family=found[0][0], backlog=BACKLOG)
    except OSError as error:
        # Its own text may repeat the address; a resolver's errors have no number of this kind.
        reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no host"
        if error.errno == errno.EADDRINUSE:
            reason += "; --port names another, and 0 picks a free one"
        raise CommandError(f"cannot listen on port {port}: {reason}", BAD_USE) from None


def end_on_signals() -> None:
    """SIGINT, SIGTERM and a closed terminal end the program as if it had come to its end.

    What was started is then stopped by the `with` that started it; a second signal cannot
    interrupt that.
    """
    for each in ENDINGS:
        signal.signal(each, _end)
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _end(number: int, frame: FrameType | None) -> None:
    for each in (*ENDINGS, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


class Server(uvicorn.Server):
    """Uvicorn that says when it really answers, and looks after what it was given to watch."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        watch: Callable[[], object] | None,
        ending: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._watch = watch
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to answer, then says so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops; a stream of events ends first, as the server waits for open answers."""
        self._ending()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; twice a second it looks whether what it watches still runs."""
        if self._watch is not None and counter % WATCH_TICKS == 0:
            self._watch()
        return await super().on_tick(counter)


def serve(
    app: FastAPI,
    listening: socket.socket,
    ready: Callable[[], None],
    grace_seconds: int,
    watch: Callable[[], object] | None = None,
) -> None:
    """Serves until a signal; open requests then have `grace_seconds` to end.

    `watch` is called twice a second, in the main thread; what it raises ends the service.
    """
    _mask_uvicorn()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=grace_seconds,
    )
    Server(config, ready, watch, app.state.service.end_streams).run([listening])


def _mask_uvicorn() -> None:
    """Keeps uvicorn from logging stack traces: what an exception says may hold a number."""
    log = logging.getLogger("uvicorn.error")
    log.setLevel(logging.WARNING)
    log.addFilter(_without_trace)


def _without_trace(record: logging.LogRecord) -> Any:
    if record.exc_info and record.exc_info[0]:
        record.msg, record.args = f"{record.exc_info[0].__name__} in the application", ()
    record.exc_info = record.exc_text = None
    return True
