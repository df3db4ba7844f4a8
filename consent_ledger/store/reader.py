"""Checks read here: requests that arrive while a query runs share the next one.

The query is sent after the request came in, so the answer is never older than the question
(R-O4).
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog
from psycopg.pq.abc import PGresult

from consent_ledger.ledger import UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.asking import ANSWER_SECONDS, Asking
from consent_ledger.store.binary import uuids_of_bytes
from consent_ledger.store.connection import Connect, ServiceConnection
from consent_ledger.store.view import READ, Answer, View, read_answer

CHUNK: Final = 2_000
"""Numbers in one shared query: past this a large batch waits rather than holding up the small."""

TURNS: Final = 2
"""Turns of the event loop before a query is sent, in which requests that are already here, first
their bytes and then their tasks, can join it. An idle loop has nothing to do in them."""

LOT: Final = 8
"""Requests that are worth a query at once. If all that are here waited for one another, the
database would have nothing to do while they are read, nor this process while it is asked."""

log = structlog.get_logger(__name__)


_Request = tuple[UUID, Sequence[UUID], "asyncio.Future[View]"]
"""The account, the numbers and who waits: a bare tuple, made for each check."""


class Reader:
    """The one reader of a process: `view` from any task, `run` in one."""

    def __init__(
        self, connect: Connect, accounts: AccountCache, newest_generation: int = 1
    ) -> None:
        self._connect = connect
        self._newest_generation = newest_generation
        self._accounts = accounts
        self._conn: ServiceConnection | None = None
        self._asking: Asking | None = None
        self._waiting: list[_Request] = []
        self._asked: list[_Request] = []
        self._is_busy = False
        self._settling: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    def view(self, account_id: UUID, ids: Sequence[UUID]) -> "asyncio.Future[View]":
        """A consistent view of these numbers; UnavailableError where the database is away."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[View] = loop.create_future()
        self._waiting.append((account_id, ids, future))
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
                self._asking = await self._conn.asking(READ, self._answered)
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
        requests = self._asked = self._take()
        ids = [number_id.bytes for _, its, _ in requests for number_id in its]
        accounts = {account_id.bytes for account_id, _, _ in requests}
        self._asking.ask([uuids_of_bytes(ids), uuids_of_bytes(list(accounts))])

    def _take(self) -> list[_Request]:
        taken, total = 0, 0
        for _, ids, _ in self._waiting:
            total += len(ids)
            if taken and total > CHUNK:
                break
            taken += 1
        requests, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return requests

    def _answered(self, result: PGresult) -> None:
        answer = read_answer(result, self._newest_generation)
        views: dict[UUID, View] = {}
        for account_id in {account_id for account_id, _, _ in self._asked}:
            version = answer.version(account_id)
            if version is not None:
                account = self._accounts.known(account_id, version)
                if account is None:
                    self._settling = asyncio.create_task(self._settle_by_accounts(answer))
                    return
                views[account_id] = answer.view(account)
        self._settle(views)

    async def _settle_by_accounts(self, answer: Answer) -> None:
        """The same after a look at accounts that are new here, or have changed."""
        assert self._asking is not None
        assert self._conn is not None
        views: dict[UUID, View] = {}
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._asking.paused():
                for account_id in {account_id for account_id, _, _ in self._asked}:
                    version = answer.version(account_id)
                    if version is not None:
                        account = await self._accounts.at(self._conn, account_id, version)
                        views[account_id] = answer.view(account)
        except Exception as error:
            self._asking.lose(error)
        else:
            self._settle(views)

    def _settle(self, views: Mapping[UUID, View]) -> None:
        requests, self._asked = self._asked, []
        self._go_on()
        for account_id, _, future in requests:
            if not future.done():
                view = views.get(account_id)
                if view is None:
                    future.set_exception(UnavailableError("the account is unknown"))
                else:
                    future.set_result(view)


def _fail(requests: list[_Request]) -> None:
    for _, _, future in requests:
        if not future.done():
            future.set_exception(UnavailableError("the database is away"))
