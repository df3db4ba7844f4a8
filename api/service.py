"""The running service: its connections, the one writer and the one reader of the process."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from api.auth import Caller, KeyCache
from api.backlog import Backlog
from api.feed.dispatcher import Dispatcher
from api.feed.following import Feed
from api.feed.tail import Tail
from api.importing.office import Office
from api.providers.amazon import Amazon
from api.scrubbing.crew import Crew
from api.settings import Settings
from consent_ledger.account import Account
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.asking import ANSWER_SECONDS
from consent_ledger.store.connection import connector, service_conninfo
from consent_ledger.store.keys import check_keys
from consent_ledger.store.log import check_positions
from consent_ledger.store.messages import Messages
from consent_ledger.store.reader import Reader
from consent_ledger.store.writer import Writer
from projections.inline import PROJECTIONS

POOL: Final = 6
"""Connections for what is neither a check nor a command: history, lists, set-up."""
POOL_SECONDS: Final = 5.0
"""A caller who waits longer for one is better served by a 503."""
QUESTION_SECONDS: Final = 60.0
"""More than any question takes; a database that does not answer by then is away."""
REPORTS: Final = 2
"""Whole reports at a time, each on a further connection, which a slow reader holds for minutes."""
SCRUBS: Final = 4
"""Lists at a time: each holds a connection, and they share the processes that work on them."""


class Service:
    """What the routes use; one a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keyring = Keyring.parse(settings.key.get_secret_value())
        self.accounts = AccountCache()
        self.keys = KeyCache(self.keyring)
        connect = connector(settings.database_url)
        newest = self.keyring.generations[0]
        by_key = connector(settings.database_url, by_key=True)
        self.writer = Writer(by_key, self.accounts, PROJECTIONS, newest)
        self.reader = Reader(by_key, self.accounts, newest)
        # Large questions have a connection of their own: a check would wait for their query.
        self.large_reader = Reader(by_key, self.accounts, newest)
        self.messages = Messages(by_key)
        self.amazon = Amazon()
        self.crew = Crew(settings)
        self.simulating = asyncio.Lock()
        self.backlogs: dict[UUID, Backlog] = defaultdict(Backlog)
        tail = Tail(connect)
        self.feed = Feed(self.connection, tail)
        private = settings.webhook_private_addresses
        self._dispatcher = Dispatcher(connect, tail, self.keyring, private)
        self.office = Office(settings, self.keyring, self.connection)
        self._connect = connect
        self._reports = asyncio.Semaphore(REPORTS)
        self._scrubs = asyncio.Semaphore(SCRUBS)
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._asking: dict[str, asyncio.Task[Caller | None]] = {}

    async def start(self) -> None:
        """Connects and begins to answer; KeyMismatchError with a wrong key."""
        conn = await self._connect()
        try:
            await check_keys(conn, self.keyring)
            await check_positions(conn)
        finally:
            await conn.close()
        self._pool = AsyncConnectionPool(
            service_conninfo(self.settings.database_url),
            min_size=1,
            max_size=POOL,
            timeout=POOL_SECONDS,
            # One that was lost while nobody used it would cost its next user a 503.
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True},
            open=False,
        )
        await self._pool.open()
        self._tasks = [
            asyncio.create_task(self.writer.run()),
            asyncio.create_task(self.reader.run()),
            asyncio.create_task(self.large_reader.run()),
            asyncio.create_task(self.messages.run()),
            asyncio.create_task(self.feed.tail.run()),
            asyncio.create_task(self._dispatcher.run()),
            asyncio.create_task(self.office.run()),
        ]

    def end_streams(self) -> None:
        """Ends the answers that would otherwise go on, so that a server can stop."""
        self.feed.tail.end()

    async def stop(self) -> None:
        """Stops answering; what waits is told that the ledger is unavailable."""
        self.end_streams()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.crew.stop()
        if self._pool is not None:
            await self._pool.close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection for a slower question; UnavailableError where there is none."""
        assert self._pool is not None
        limit = asyncio.timeout(QUESTION_SECONDS)
        try:
            async with limit, self._pool.connection() as conn:
                yield conn
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise UnavailableError("the database is away") from error
        except TimeoutError as error:
            if limit.expired():
                raise UnavailableError("the database is away") from error
            raise

    def report_room(self) -> AbstractAsyncContextManager[None]:
        """Room for a whole report; UnavailableError where too many are under way."""
        return _room(self._reports)

    @contextlib.asynccontextmanager
    async def scrub_connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection of its own for a list; UnavailableError where too many are under way."""
        async with _room(self._scrubs):
            try:
                conn = await self._connect()
                try:
                    yield conn
                finally:
                    await conn.close()
            except psycopg.OperationalError as error:
                raise UnavailableError("the database is away") from error

    async def look_up_key(self, key: str) -> Caller | None:
        """The caller of a key, asked of the database; their account is at hand afterwards.

        Who asks for the same key meanwhile shares the answer: each second all callers would.
        """
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._look_up_key(key))
            asking.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(asking)

    def _asked(self, key: str, done: "asyncio.Task[Caller | None]") -> None:
        del self._asking[key]
        # Looked at here, as everybody who waited may have gone.
        if not done.cancelled():
            done.exception()

    async def _look_up_key(self, key: str) -> Caller | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self.connection() as conn:
                caller = await self.keys.look_up(conn, key)
                if caller is not None:
                    await self.accounts.at(conn, caller.account_id, 0)
                return caller
        except TimeoutError:
            # All who ask by this key wait for this one look.
            raise UnavailableError("the database is away") from None

    def account(self, account_id: UUID) -> Account:
        """What was last seen of an account: for texts and defaults, never for a decision."""
        found = self.accounts.seen(account_id)
        if found is None:
            raise UnavailableError("the account is unknown")
        return found


@contextlib.asynccontextmanager
async def _room(places: asyncio.Semaphore) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(POOL_SECONDS):
            await places.acquire()
    except TimeoutError:
        raise UnavailableError("too many long answers are under way") from None
    try:
        yield
    finally:
        places.release()
