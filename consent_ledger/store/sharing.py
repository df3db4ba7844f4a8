"""One query at a time for all who ask: those who arrive while it runs share the next one.

A query is sent after the question came in, so the answer is never older than the question (R-O4).
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import structlog
from psycopg.pq.abc import PGresult

from consent_ledger.ledger import UnavailableError
from consent_ledger.store.asking import ANSWER_SECONDS, Asking
from consent_ledger.store.connection import Connect, ServiceConnection

CHUNK: Final = 2_000
"""Rows asked for in one shared query: past this a large question waits rather than holding up the
small."""

TURNS: Final = 2
"""Turns of the event loop before a query is sent, in which requests that are already here, first
their bytes and then their tasks, can join it. An idle loop has nothing to do in them."""

LOT: Final = 8
"""Requests that are worth a query at once. If all that are here waited for one another, the
database would have nothing to do while they are read, nor this process while it is asked."""

log = structlog.get_logger(__name__)

Q = TypeVar("Q")
A = TypeVar("A")


class Shared(ABC, Generic[Q, A]):
    """A statement on a connection of its own: `_ask_for` from any task, `run` in one."""

    def __init__(self, connect: Connect, statement: str) -> None:
        self._connect = connect
        self._statement = statement
        self._conn: ServiceConnection | None = None
        self._asking: Asking | None = None
        # Each is a question and who waits for its answer: a bare tuple, made for each check.
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._asked: list[tuple[Q, asyncio.Future[A]]] = []
        self._is_busy = False
        self._settling: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    @abstractmethod
    def _params(self, questions: Sequence[Q]) -> list[bytes]:
        """What the statement takes for some questions, in binary."""

    @abstractmethod
    def _answered(self, result: PGresult) -> None:
        """Reads what was found for the questions that were asked, and settles them."""

    def _size(self, question: Q) -> int:
        """How many rows a question asks for."""
        return 1

    def _ask_for(self, question: Q) -> "asyncio.Future[A]":
        """The answer to come; UnavailableError where the database is away."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, future))
        if not self._is_busy:
            self._is_busy = True
            self._soon(loop, TURNS)
        elif not self._asked and len(self._waiting) >= LOT:
            self._ask()
        return future

    async def run(self) -> None:
        """Keeps a connection for the questions, until cancelled."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await self._serve()
        finally:
            await self._drop_connection()
            _fail(self._asked + self._waiting)

    async def _serve(self) -> None:
        """Answers from one connection, until it is lost."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._conn = await self._connect()
                self._asking = await self._conn.asking(self._statement, self._answered)
        except Exception as error:
            self._asked, self._waiting = self._asked + self._waiting, []
            await self._give_up(error)
        else:
            self._ask()
            await self._give_up(await self._asking.lost)

    async def _give_up(self, error: Exception) -> None:
        """What was under way is told; what waits has the next connection asked."""
        log.error("read_failed", error=type(error).__name__)
        await self._drop_connection()
        failed, self._asked = self._asked, []
        _fail(failed)
        self._go_on()

    async def _drop_connection(self) -> None:
        conn, self._conn = self._conn, None
        asking, self._asking = self._asking, None
        if self._settling is not None:
            self._settling.cancel()
        if asking is not None:
            asking.lose(UnavailableError("the connection is given up"))
        if conn is not None:
            with contextlib.suppress(Exception):
                await conn.close()

    def _soon(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns:
            loop.call_soon(self._soon, loop, turns - 1)
        else:
            self._ask()

    def _go_on(self) -> None:
        self._is_busy = bool(self._waiting)
        if len(self._waiting) >= LOT:
            self._ask()
        elif self._is_busy:
            self._soon(asyncio.get_running_loop(), TURNS)

    def _ask(self) -> None:
        if self._asking is None:
            self._wanted.set()
            return
        if self._asked or not self._waiting:
            # A new connection was asked at once, before the turns of the one before were over.
            return
        self._take()
        self._asking.ask(self._params([question for question, _ in self._asked]))

    def _take(self) -> None:
        taken, total = 0, 0
        for question, _ in self._waiting:
            total += self._size(question)
            if taken and total > CHUNK:
                break
            taken += 1
        self._asked, self._waiting = self._waiting[:taken], self._waiting[taken:]

    def _settle(self, answer: Callable[[Q], A | Exception]) -> None:
        """Tells everyone who asked, and has those who wait asked for."""
        asked, self._asked = self._asked, []
        self._go_on()
        for question, future in asked:
            if not future.done():
                found = answer(question)
                if isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found)


def _fail(requests: "list[tuple[Q, asyncio.Future[A]]]") -> None:
    for _, future in requests:
        if not future.done():
            future.set_exception(UnavailableError("the database is away"))
