"""One statement asked again and again, each answer handed over in the turn in which it arrives.

A task that waits for a socket is woken a turn of the event loop later, and for each answer the loop
has to be told of the socket anew: together that takes longer than the answer itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import psycopg
from psycopg.pq import Format
from psycopg.pq.abc import PGconn, PGresult

from consent_ledger.store.results import checked

ANSWER_SECONDS: Final = 5.0
"""A database that has not answered by then is away."""

Answered = Callable[[PGresult], None]


class Asking:
    """A prepared statement on a connection that is for it alone: one question at a time.

    `lost` is done, with the reason, as soon as the connection is of no more use: it broke, an
    answer was an error, or none came in time. The question under way has no answer then.
    """

    def __init__(self, pgconn: PGconn, name: bytes, answered: Answered) -> None:
        self._pgconn = pgconn
        self._name = name
        self._answered = answered
        self._loop = asyncio.get_running_loop()
        self._socket = pgconn.socket
        self._result: PGresult | None = None
        self._is_asked = False
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[Exception] = self._loop.create_future()
        self._loop.add_reader(self._socket, self._readable)

    def ask(self, params: Sequence[bytes]) -> None:
        """Sends the question, all of it in binary; never raises: see `lost`."""
        self._is_asked = True
        self._due = self._loop.time() + ANSWER_SECONDS
        if self._timer is None:
            self._timer = self._loop.call_later(ANSWER_SECONDS, self._look_at_the_time)
        binary = [Format.BINARY] * len(params)
        try:
            self._pgconn.send_query_prepared(self._name, params, binary, Format.BINARY)
            if self._pgconn.flush():
                self._loop.add_writer(self._socket, self._flush)
        except psycopg.Error as error:
            self.lose(error)

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Leaves the connection to another statement, between two questions."""
        self._loop.remove_reader(self._socket)
        yield
        self._loop.add_reader(self._socket, self._readable)

    def lose(self, reason: Exception) -> None:
        """Asks no more of the connection, which is not closed."""
        if self.lost.done():
            return
        self._is_asked = False
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self.lost.set_result(reason)

    def _flush(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self.lose(error)

    def _readable(self) -> None:
        pgconn = self._pgconn
        try:
            pgconn.consume_input()
            # Without a question under way it is a notice, or the end, which consume_input raises.
            while self._is_asked and not pgconn.is_busy():
                found = pgconn.get_result()
                if found is None:
                    self._done()
                else:
                    self._result = found
        except Exception as error:
            self.lose(error)

    def _done(self) -> None:
        self._is_asked = False
        result, self._result = self._result, None
        if result is None:
            raise psycopg.OperationalError("the connection is lost")
        self._answered(checked(result))

    def _look_at_the_time(self) -> None:
        # One timer for many questions: to set and to cancel one takes longer than to look again.
        self._timer = None
        left = self._due - self._loop.time()
        if self._is_asked and left <= 0:
            self.lose(TimeoutError())
        elif self._is_asked:
            self._timer = self._loop.call_later(left, self._look_at_the_time)
