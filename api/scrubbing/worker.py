"""A process that scrubs: `python -m api.scrubbing.worker`, told by frames on standard input.

It ends with the service, whose end of the pipe closes. What goes wrong is answered by its name
alone, and nothing is printed: an error's text may hold what somebody sent.
"""

import contextlib
import os
import signal
import sys
from functools import partial
from typing import Any, Final

import psycopg

from api.frames import framed, read_frame
from api.scrubbing.answering import Answering
from api.scrubbing.looking_up import find
from api.scrubbing.orders import Done, Scrub, Start, start_of, work_of
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import service_conninfo
from consent_ledger.store.ids import know_ids

NICE: Final = 5
"""Live checks come first where there is not enough of the processor."""
SCRUBS_KEPT: Final = 8
"""Lists whose account and question are at hand; more than are worked on at a time."""


class Worker:
    """The ledger, and the lists that are worked on."""

    def __init__(self, start: Start) -> None:
        self._keyring = Keyring.parse(start.key)
        self._conninfo = service_conninfo(start.database_url)
        self._conn: psycopg.Connection[Any] | None = None
        self._kept: dict[int, Answering] = {}

    def answer(self, scrub: Scrub, block: bytes) -> Done:
        """A block with its answers; a connection that failed is opened anew for the next."""
        try:
            return Done(self._answering(scrub).answer(block))
        except Exception as error:
            self._drop_connection()
            return Done(error=type(error).__name__)

    def _answering(self, scrub: Scrub) -> Answering:
        kept = self._kept.get(scrub.scrub_id)
        if kept is None:
            if len(self._kept) >= SCRUBS_KEPT:
                del self._kept[next(iter(self._kept))]
            kept = Answering(scrub, self._keyring, partial(self._find, scrub.snapshot))
            self._kept[scrub.scrub_id] = kept
        return kept

    def _find(self, snapshot: str, ids: Any) -> dict[bytes, bytes]:
        if self._conn is not None:
            # It may be as old as the last list; the database may have been away since.
            with contextlib.suppress(psycopg.OperationalError):
                return find(self._conn, snapshot, ids)
            self._drop_connection()
        self._conn = psycopg.connect(self._conninfo, autocommit=True)
        know_ids(self._conn)
        return find(self._conn, snapshot, ids)

    def _drop_connection(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(psycopg.Error):
                self._conn.close()
        self._conn = None


def main() -> None:
    """Works until the pipe closes."""
    # Ctrl-C is for the service, which ends this process by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    worker = Worker(start_of(read_frame(orders) or b""))
    while frame := read_frame(orders):
        work = work_of(frame)
        answers.write(framed(worker.answer(work.scrub, work.block)))
        answers.flush()


if __name__ == "__main__":
    main()
