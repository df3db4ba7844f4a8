"""The process that works on imports, beside the service: its own memory, its own interpreter.

The service starts it, hands it the settings on standard input and a line whenever there is
something to do; it ends with the service, when that input closes, or when nothing was to do for a
while. What it was at is committed unit by unit, and any other worker goes on from there.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import structlog

from api.importing import book, records, staging
from api.logs import configure_logging
from consent_ledger.account import Account
from consent_ledger.importing import Row, RowReader
from consent_ledger.keyring import Keyring
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.connection import ServiceConnection, connector, service_conninfo
from consent_ledger.store.importing import (
    ATTEMPTS,
    LOCKED,
    RACES,
    UNIT,
    Cell,
    ImportWriter,
    Plan,
)
from projections.inline import PROJECTIONS

IDLE_SECONDS: Final = 60.0
"""A worker that had nothing to do for so long gives its memory back."""
NICENESS: Final = 5
"""Live commands and checks come first where processors are short."""
CRASHES: Final = 3
"""Tries of an import that fails in a way nobody foresaw."""

LOCK: Final = "SELECT pg_try_advisory_lock(%s)"
UNLOCK: Final = "SELECT pg_advisory_unlock(%s)"
ATTEMPT: Final = (
    "UPDATE imports SET attempts = attempts + 1 WHERE import_id = %s RETURNING attempts"
)
UNDONE: Final = """
UPDATE import_units SET undone = %s WHERE import_id = %s AND first_line = %s"""
ANEW: Final = """
UPDATE imports SET line = 0, rows = 0, accepted = 0, unchanged = 0, rejected = 0,
    partly_rejected = 0 WHERE import_id = %s"""
WOULD: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS would_change (
    number_id uuid, kind text, PRIMARY KEY (number_id, kind))"""
WOULD_TOO: Final = """
INSERT INTO would_change SELECT DISTINCT * FROM unnest(%b::uuid[], %b::text[])
ON CONFLICT DO NOTHING RETURNING number_id, kind"""
TOLD: Final = """
UPDATE imports SET
    would_opt_out = (SELECT count(*) FROM would_change WHERE kind = 'OptedOut'),
    would_opt_in = (SELECT count(*) FROM would_change AS yes WHERE kind = 'ConsentGranted'
        AND NOT EXISTS (SELECT FROM would_change AS no
            WHERE no.number_id = yes.number_id AND no.kind <> 'ConsentGranted'))
WHERE import_id = %s"""

Group = tuple[list[Row], list[Cell]]

log = structlog.get_logger("imports")


class Orders(msgspec.Struct, frozen=True):
    """What the service tells its worker first."""

    database_url: str
    key: str
    log_level: str


class Worker:
    """Works on one import of an account at a time, whichever process took it."""

    def __init__(self, orders: Orders) -> None:
        self._keyring = Keyring.parse(orders.key)
        self._database_url = orders.database_url
        self._connect = connector(orders.database_url)
        self._accounts = AccountCache()
        self._writer = ImportWriter(self._keyring, self._accounts, PROJECTIONS)

    async def run(self, called: asyncio.Event) -> None:
        """Works until nothing was to do for a while."""
        conn = await self._connect()
        while True:
            called.clear()
            while await self._work(conn):
                pass
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await called.wait()
            except TimeoutError:
                return

    async def _work(self, conn: ServiceConnection) -> bool:
        """Takes the oldest import that no other worker is at; whether there was one."""
        for found in await book.waiting(conn):
            key = found.account_id.int & (2**63 - 1)
            row = await (await conn.execute(LOCK, (key,))).fetchone()
            if row is None or not row[0]:
                continue
            try:
                fresh = await book.find(conn, found.account_id, found.import_id)
                if fresh is not None and fresh.state in book.OPEN:
                    await self._try(conn, fresh)
                    return True
            finally:
                await conn.execute(UNLOCK, (key,))
        return False

    async def _try(self, conn: ServiceConnection, found: book.Import) -> None:
        row = await (await conn.execute(ATTEMPT, (found.import_id,))).fetchone()
        try:
            if found.state == "undoing":
                await self._undo(conn, found)
            else:
                await self._import(conn, found)
        except records.FileError as error:
            await self._fail(conn, found, str(error))
        except psycopg.OperationalError:
            raise
        except Exception as error:
            log.error("import_failed", error=type(error).__name__)
            if row is None or row[0] >= CRASHES:
                await self._fail(conn, found, "The ledger failed; the rows so far are recorded.")
            else:
                await asyncio.sleep(0.2 * row[0])

    async def _fail(self, conn: ServiceConnection, found: book.Import, because: str) -> None:
        await book.set_state(conn, found.import_id, "failed", because)
        await staging.drop(conn, found.import_id)

    async def _import(self, conn: ServiceConnection, found: book.Import) -> None:
        account = await self._account(conn, found.account_id)
        done = found.line
        if found.dry_run:
            # What it would change is kept for the connection alone: a dry run begins anew.
            done = 0
            await _forget_dry_run(conn, found.import_id)
        with psycopg.connect(
            service_conninfo(self._database_url), autocommit=True, prepare_threshold=1
        ) as reading:
            groups = self._groups(reading, found, account, done)
            ahead = asyncio.ensure_future(asyncio.to_thread(next, groups, None))
            try:
                while (group := await ahead) is not None:
                    # The next rows are read while these are written.
                    ahead = asyncio.ensure_future(asyncio.to_thread(next, groups, None))
                    await self._group(conn, found, *group)
            finally:
                await asyncio.wait([ahead])
        if found.dry_run:
            await conn.execute(TOLD, (found.import_id,))
        await book.set_state(conn, found.import_id, "done")
        await staging.drop(conn, found.import_id)

    def _groups(
        self, reading: psycopg.Connection[Any], found: book.Import, account: Account, done: int
    ) -> Iterator[Group]:
        """The rows that are still to be done, with the ids of their numbers."""
        policy = account.policy_at(found.instant).policy
        purposes = frozenset(policy.purposes)
        region, consent = account.default_region, policy.consent_purposes
        reader = RowReader(region, purposes, consent, found.instant)
        parts = staging.pieces(reading, self._keyring, found.import_id)
        every = records.rows(parts, found.kind, reader)
        for rows in records.sized((row for row in every if row.line > done), UNIT):
            yield list(rows), self._writer.cells(found.account_id, rows)

    async def _group(
        self, conn: ServiceConnection, found: book.Import, rows: list[Row], cells: Sequence[Cell]
    ) -> None:
        while rows:
            rows = await self._unit(conn, found, rows, cells)
            cells = self._writer.cells(found.account_id, rows)

    async def _unit(
        self, conn: ServiceConnection, found: book.Import, rows: list[Row], cells: Sequence[Cell]
    ) -> list[Row]:
        """Commits the first rows, and returns those left."""
        for attempt in range(ATTEMPTS):
            # A number that was thought new and is not goes the careful way.
            plan = await self._writer.plan(conn, found.job, rows, cells, copies=attempt == 0)
            try:
                if found.dry_run:
                    await self._dry_run(conn, found, plan)
                else:
                    async with conn.transaction():
                        await self._writer.write(conn, found.job, plan)
                        await book.keep_unit(conn, found.import_id, plan.unit.verdicts())
                return plan.later
            except RACES:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.002 * attempt)
        return rows

    async def _dry_run(self, conn: ServiceConnection, found: book.Import, plan: Plan) -> None:
        """Notes what a unit would record, and not what earlier rows of the file would have."""
        await self._writer.write(conn, found.job, plan, dry=True)
        noted = plan.unit.noted()
        ids, kinds = [each[0] for each in noted], [each[1] for each in noted]
        async with conn.transaction():
            fresh = await (await conn.execute(WOULD_TOO, (ids, kinds))).fetchall()
            plan.unit.keep_only(set(fresh))
            await book.keep_unit(conn, found.import_id, plan.unit.verdicts())

    async def _undo(self, conn: ServiceConnection, found: book.Import) -> None:
        """Compensates every fact, some numbers at a time."""
        after = -1
        while (unit := await book.next_unit(conn, found.import_id, after)) is not None:
            after, done, facts = unit
            while done < len(facts):
                done = await self._retract(conn, found, after, facts, done)
        await book.set_state(conn, found.import_id, "undone")

    async def _retract(
        self,
        conn: ServiceConnection,
        found: book.Import,
        first_line: int,
        facts: Sequence[tuple[UUID, int]],
        done: int,
    ) -> int:
        """Compensates the next facts of a unit; how many of it are done then."""
        part = facts[done : done + LOCKED]
        for attempt in range(ATTEMPTS):
            try:
                async with conn.transaction():
                    await self._writer.retract(conn, found.job, part)
                    params = (done + len(part), found.import_id, first_line)
                    await conn.execute(UNDONE, params)
                break
            except RACES:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.002 * attempt)
        return done + len(part)

    async def _account(self, conn: ServiceConnection, account_id: UUID) -> Account:
        row = await (
            await conn.execute(
                "SELECT version FROM account_status WHERE account_id = %s", (account_id,)
            )
        ).fetchone()
        return await self._accounts.at(conn, account_id, None if row is None else row[0])


async def _forget_dry_run(conn: ServiceConnection, import_id: UUID) -> None:
    await conn.execute(WOULD)
    await conn.execute("TRUNCATE would_change")
    async with conn.transaction():
        await conn.execute("DELETE FROM import_units WHERE import_id = %s", (import_id,))
        await conn.execute(ANEW, (import_id,))


async def main() -> None:
    """Takes the orders and works; ends when the service does."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    orders = msgspec.json.decode(await stream.readline(), type=Orders)
    configure_logging(orders.log_level)
    called = asyncio.Event()

    async def listen() -> None:
        while await stream.readline():
            called.set()
        # The service is gone; what is not committed is done again by whoever comes next.
        os._exit(0)

    listening = asyncio.create_task(listen())
    try:
        await Worker(orders).run(called)
    except psycopg.OperationalError as error:
        log.error("import_interrupted", error=type(error).__name__)
    listening.cancel()


if __name__ == "__main__":
    # Ctrl-C is for the service, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    asyncio.run(main())
