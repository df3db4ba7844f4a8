"""Several processes that answer on one socket, and the one that looks after them.

Each is a whole service with connections of its own. What makes them correct together lies in the
database: the rows that commands lock, and a check that asks anew each time.
"""

import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

import structlog

from api.cli.errors import BAD_USE, CommandError
from api.cli.serving import end_on_signals, serve
from api.importing.pace import FIELDS, Board
from api.settings import Settings

METRICS_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes count together: whichever is asked for the metrics tells those of all."""
KILL_SECONDS: Final = 5.0
"""Beyond the grace of open requests: a process that has not ended by then is killed."""
PAUSE_SECONDS: Final = 1.0
"""Before the next try of a process that could not start; the others answer meanwhile."""

_spawning: Final = multiprocessing.get_context("spawn")

log = structlog.get_logger(__name__)


class _Worker:
    """One process that answers; `fresh` until it has said that it does."""

    def __init__(
        self, settings: Settings, listening: socket.socket, grace_seconds: int, board: Board
    ) -> None:
        self.says, child = _spawning.Pipe(duplex=False)
        arguments = (settings, listening, child, os.getpid(), grace_seconds, board)
        self.process: SpawnProcess = _spawning.Process(target=_work, args=arguments)
        self.process.start()
        child.close()
        self.fresh = True


class Workers:
    """Keeps as many processes as were asked for, until it is ended by a signal."""

    def __init__(
        self, settings: Settings, listening: socket.socket, count: int, grace_seconds: int
    ) -> None:
        shares = _spawning.RawArray("d", FIELDS * count)
        self._new: Callable[[int], _Worker] = lambda place: _Worker(
            settings, listening, grace_seconds, Board(shares, place)
        )
        self._count = count
        self._seconds = grace_seconds + KILL_SECONDS
        self._workers: list[_Worker] = []

    def run(self, ready: Callable[[], None]) -> None:
        """Starts them, says so once all answer, and replaces one that ends.

        CommandError where one of the first ends before it ever answered, as the next would too. A
        later one may only find the database away, and the others have to outlive that.
        """
        with tempfile.TemporaryDirectory(prefix="consent-ledger-") as folder:
            os.environ[METRICS_FOLDER] = folder
            try:
                self._workers = [self._new(place) for place in range(self._count)]
                while any(each.fresh for each in self._workers):
                    self._look(self._give_up)
                ready()
                while True:
                    self._look(lambda: time.sleep(PAUSE_SECONDS))
            finally:
                self._end()

    def _look(self, at_failed_start: Callable[[], None]) -> None:
        ends = [each.process.sentinel for each in self._workers]
        heard = wait([*ends, *(each.says for each in self._workers if each.fresh)])
        for place, worker in enumerate(self._workers):
            if worker.fresh and worker.says in heard:
                worker.fresh = not _answers(worker.says)
            if worker.process.sentinel in heard:
                if worker.fresh:
                    at_failed_start()
                log.error("worker_ended", status=worker.process.exitcode)
                self._workers[place] = self._new(place)

    def _give_up(self) -> None:
        raise CommandError("a process of the service did not start", BAD_USE)

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(self._seconds)
            worker.process.kill()


def _answers(says: Connection) -> bool:
    try:
        return bool(says.recv())
    except EOFError:
        return False


def _work(
    settings: Settings,
    listening: socket.socket,
    says: Connection,
    parent: int,
    grace_seconds: int,
    board: Board,
) -> None:
    # Here, as what it imports counts its metrics by the environment of this process.
    from api.app import create_app

    end_on_signals()

    def with_parent() -> None:
        if os.getppid() != parent:
            signal.raise_signal(signal.SIGTERM)

    app = create_app(settings)
    app.state.service.office.share_board(board)
    serve(app, listening, lambda: says.send(True), grace_seconds, with_parent)
