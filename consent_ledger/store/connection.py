"""Connections of the service: autocommit, under the role that can add events and no more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, AsyncTransaction, Connection, generators
from psycopg.conninfo import make_conninfo
from psycopg.pq import Format
from psycopg.pq.abc import PGresult

from consent_ledger.store.asking import Answered, Asking
from consent_ledger.store.results import checked, until_sync

SERVICE_ROLE: Final = "consent_ledger_service"
"""The role of migration 0001: it inserts events and never updates or deletes one."""
CONNECT_SECONDS: Final = 5
"""A database that does not answer by then is away: checks say 503, and nobody texts."""

BY_KEY: Final = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
"""For statements that find their rows by key alone: planned once, where the server would plan a
small one anew for each list of ids, which takes longer than running it. A plan made while a table
is still empty must not be a scan of all of it, as it is kept while the table grows."""

Params = Sequence[bytes | None]


class ServiceConnection(AsyncConnection[Any]):
    """A connection that can also run a statement with no more than libpq's own work.

    A cursor takes longer over a small statement than the database does: it parses placeholders,
    looks up types and builds rows.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepared_names: dict[str, bytes] = {}
        self._name = count()

    async def rollback(self) -> None:
        """Ends a transaction without effect. Unlike the driver's own it leaves what was prepared,
        as the database does."""
        async with self.lock:
            self.pgconn.send_query_params(b"ROLLBACK", None)
            checked((await self.wait(generators.execute(self.pgconn)))[-1])

    @asynccontextmanager
    async def transaction(self, *args: Any, **options: Any) -> AsyncIterator[AsyncTransaction]:
        """The driver's own, after whose rollback everything has to be prepared again."""
        async with super().transaction(*args, **options) as found:
            try:
                yield found
            except BaseException:
                self._prepared_names.clear()
                raise

    async def run(self, statement: str, params: Params = ()) -> PGresult:
        """Runs one statement, prepared at its first run: `$1` and so on, all of it in binary.

        Raises what a cursor would.
        """
        async with self.lock:
            name = await self._prepare_once(statement)
            try:
                self._send_run(name, params)
                return checked(await self._only_result())
            except asyncio.CancelledError:
                # What the database still answers would be taken for the next statement's.
                self.pgconn.finish()
                raise

    async def _only_result(self) -> PGresult:
        """The result of the one statement that was sent.

        The driver's own wait is made for any conversation, and takes as long as all the rest.
        """
        pgconn = self.pgconn
        if pgconn.flush():
            results: list[PGresult] = await self.wait(generators.execute(pgconn))
            return results[-1]
        result: PGresult | None = None
        while True:
            while pgconn.is_busy():
                await _readable(pgconn.socket)
                pgconn.consume_input()
            found = pgconn.get_result()
            if found is None:
                break
            result = found
        if result is None:
            raise psycopg.OperationalError("the connection is lost")
        return result

    async def run_together(
        self, *statements: tuple[str, Params], begin: bool = False, commit: bool = False
    ) -> list[PGresult]:
        """Runs statements in one round trip, if wanted with the transaction's begin and end.

        After one that fails none is run, and its error is raised.
        """
        async with self.lock:
            names = [await self._prepare_once(statement) for statement, _ in statements]
            self.pgconn.enter_pipeline_mode()
            try:
                if begin:
                    self.pgconn.send_query_params(b"BEGIN", None)
                for name, (_, params) in zip(names, statements, strict=True):
                    self._send_run(name, params)
                if commit:
                    self.pgconn.send_query_params(b"COMMIT", None)
                self.pgconn.pipeline_sync()
                results = await self.wait(until_sync(self.pgconn))
            except BaseException:
                # What the database still answers would be taken for the next statement's.
                self.pgconn.finish()
                raise
            self.pgconn.exit_pipeline_mode()
            fine = [checked(result) for result in results]
            return fine[begin : len(fine) - commit]

    async def asking(self, statement: str, answered: Answered) -> Asking:
        """Prepares one statement, to be asked of this connection and no other beside it."""
        async with self.lock:
            return Asking(self.pgconn, await self._prepare_once(statement), answered)

    def _send_run(self, name: bytes, params: Params) -> None:
        binary = [Format.BINARY] * len(params)
        self.pgconn.send_query_prepared(name, params, binary, Format.BINARY)

    async def _prepare_once(self, statement: str) -> bytes:
        name = self._prepared_names.get(statement)
        if name is None:
            name = f"run_{next(self._name)}".encode()
            self.pgconn.send_prepare(name, statement.encode())
            checked((await self.wait(generators.execute(self.pgconn)))[-1])
            self._prepared_names[statement] = name
        return name


async def _readable(socket: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(socket, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(socket)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


Connect = Callable[[], Awaitable[ServiceConnection]]


def service_conninfo(database_url: str, options: str = "") -> str:
    """The database URL with what every connection of the service sets."""
    return make_conninfo(
        database_url,
        connect_timeout=CONNECT_SECONDS,
        application_name="consent-ledger",
        options=f"-c role={SERVICE_ROLE} {options}",
    )


def connector(database_url: str, *, by_key: bool = False) -> Connect:
    """Opens connections of the service; `by_key` those that find all their rows by key."""
    conninfo = service_conninfo(database_url, BY_KEY if by_key else "")

    async def connect() -> ServiceConnection:
        return await ServiceConnection.connect(conninfo, autocommit=True, prepare_threshold=1)

    return connect


def connect_as_owner(database_url: str) -> Connection[Any]:
    """A connection for migrations and rebuilds, under the URL's own role."""
    return psycopg.connect(database_url, autocommit=True, connect_timeout=CONNECT_SECONDS)
