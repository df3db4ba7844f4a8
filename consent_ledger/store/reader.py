"""Checks read here: requests that arrive while a query runs share the next one.

The query is sent after the request came in, so the answer is never older than the question
(R-O4), and one statement gives one snapshot: standings, account version, clock and position.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast
from uuid import UUID

import structlog

from consent_ledger.account import Account
from consent_ledger.ledger import UnavailableError
from consent_ledger.snapshot import Snapshot
from consent_ledger.standing import Standing
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.binary import integer, uuids
from consent_ledger.store.codec import encode_snapshot, readable_snapshot
from consent_ledger.store.connection import Connect, ServiceConnection
from consent_ledger.store.keys import check_generation

READ: Final = """
SELECT number_id, version, position, snapshot, NULL::bigint, NULL::integer
FROM consent_status WHERE number_id = ANY($1::uuid[])
UNION ALL
SELECT account_id, version, ledger_horizon() - 1, NULL,
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    (SELECT coalesce(max(generation), 0) FROM key_generation)
FROM account_status WHERE account_id = ANY($2::uuid[])"""

CHUNK: Final = 2_000
"""Numbers in one shared query: past this a large batch waits rather than holding up the small."""

TURNS: Final = 2
"""Turns of the event loop before a query is sent, in which requests that are already here, first
their bytes and then their tasks, can join it. An idle loop has nothing to do in them."""

log = structlog.get_logger(__name__)


READ_SECONDS: Final = 5.0
"""A database that has not answered by then is away, and who asked is told so: do not text."""


class Found:
    """A number as it is: its version, the place of its last event, and its row's snapshot.

    `standing` and `snapshot` are None where they cannot be read: the answer is then a no.
    """

    __slots__ = ("_data", "position", "version")

    def __init__(self, version: int, position: int, data: bytes) -> None:
        self.version = version
        self.position = position
        self._data = data

    @property
    def standing(self) -> Standing | None:
        """Where the number stands; None where any of its snapshot cannot be read."""
        snapshot = readable_snapshot(self._data)
        return None if snapshot is None else snapshot.standing

    @property
    def snapshot(self) -> Snapshot | None:
        """The whole snapshot."""
        return readable_snapshot(self._data)


NEVER_SEEN: Final = Found(0, 0, encode_snapshot(Snapshot()))


class View:
    """One consistent look at some numbers of an account."""

    def __init__(self, account: Account, now: int, horizon: int, found: dict[bytes, Found]) -> None:
        self.account = account
        self.now = now
        self.horizon = horizon
        self._found = found

    def number(self, candidates: Iterable[UUID]) -> tuple[UUID, Found]:
        """The id and row of a number, by its ids under each generation of the key."""
        first: UUID | None = None
        for number_id in candidates:
            row = self._found.get(number_id.bytes)
            if row is not None:
                return number_id, row
            first = first or number_id
        assert first is not None
        return first, NEVER_SEEN


class _Request:
    __slots__ = ("account_id", "future", "ids")

    def __init__(
        self, account_id: UUID, ids: Sequence[UUID], future: "asyncio.Future[View]"
    ) -> None:
        self.account_id = account_id
        self.ids = ids
        self.future = future


class Reader:
    """The one reader of a process: `view` from any task, `run` in one."""

    def __init__(
        self, connect: Connect, accounts: AccountCache, newest_generation: int = 1
    ) -> None:
        self._connect = connect
        self._newest_generation = newest_generation
        self._accounts = accounts
        self._conn: ServiceConnection | None = None
        self._waiting: list[_Request] = []
        self._wake = asyncio.Event()

    async def view(self, account_id: UUID, ids: Sequence[UUID]) -> View:
        """A consistent view of these numbers; UnavailableError where the database is away."""
        future: asyncio.Future[View] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(account_id, ids, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Answers until cancelled."""
        try:
            while True:
                await self._wake.wait()
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                await self._answer(self._take())
        finally:
            _fail(self._waiting)
            if self._conn is not None:
                await self._conn.close()

    def _take(self) -> list[_Request]:
        taken, total = 0, 0
        for request in self._waiting:
            total += len(request.ids)
            if taken and total > CHUNK:
                break
            taken += 1
        requests, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if not self._waiting:
            self._wake.clear()
        return requests

    async def _answer(self, requests: list[_Request]) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._read(requests)
        except Exception as error:
            log.error("read_failed", error=type(error).__name__)
            await self._drop_connection()
        finally:
            _fail(requests)

    async def _drop_connection(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(Exception):
                await self._conn.close()
        self._conn = None

    async def _read(self, requests: list[_Request]) -> None:
        if self._conn is None or self._conn.closed:
            self._conn = await self._connect()
        ids = uuids([i for request in requests for i in request.ids])
        accounts = {request.account_id for request in requests}
        result = await self._conn.run(READ, [ids, uuids(accounts)])
        found: dict[bytes, Found] = {}
        versions: dict[bytes, tuple[int, int, int]] = {}
        value = cast("Callable[[int, int], bytes]", result.get_value)
        for row in range(result.ntuples):
            key, version, position = value(row, 0), integer(value(row, 1)), integer(value(row, 2))
            clock = value(row, 4)
            if clock is None:
                found[key] = Found(version, position, value(row, 3))
            else:
                check_generation(integer(value(row, 5)), self._newest_generation)
                versions[key] = version, position, integer(clock)
        views = {a: await self._view(a, found, versions.get(a.bytes)) for a in accounts}
        for request in requests:
            if not request.future.done():
                _settle(request.future, views[request.account_id])

    async def _view(
        self, account_id: UUID, found: dict[bytes, Found], version: tuple[int, int, int] | None
    ) -> View | None:
        if version is None or self._conn is None:
            return None
        number, horizon, now = version
        account = await self._accounts.at(self._conn, account_id, number)
        return View(account, now, horizon, found)


def _settle(future: "asyncio.Future[View]", view: View | None) -> None:
    if view is None:
        future.set_exception(UnavailableError("the account is unknown"))
    else:
        future.set_result(view)


def _fail(requests: list[_Request]) -> None:
    for request in requests:
        if not request.future.done():
            request.future.set_exception(UnavailableError("the database is away"))
