"""The process that works on imports, beside the service: its own memory, its own interpreter.

The service starts it, hands it the settings on standard input and a line whenever there is
something to do; it ends with the service, when that input closes, or when nothing was to do for a
while. What it was at is committed unit by unit, and any other worker goes on from there.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final
from uuid import UUID

import msgspec
import psycopg
import structlog

from api.importing import book, staging, tries
from api.importing.ahead import Reading
from api.importing.headers import FileError
from api.importing.lanes import LANES, Lanes
from api.importing.orders import Orders, busy_share, list_line
from api.importing.pace import Pace
from api.importing.trial import Trial
from api.log_level import LogLevel
from api.logs import configure_logging
from consent_ledger.account import Account
from consent_ledger.decision import UnknownPurposeError
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.connection import ServiceConnection, connector, service_conninfo
from consent_ledger.store.importing import ImportWriter
from consent_ledger.store.plans import LOCKED
from consent_ledger.store.races import ATTEMPTS, RACES
from projections.inline import PROJECTIONS

IDLE_SECONDS: Final = 60.0
"""A worker that had nothing to do for so long gives its memory back."""
NICENESS: Final = 5
"""Live commands and checks come first where processors are short."""
SHORT_SECONDS: Final = 10
"""A list rests so long where the database answers that it is short of something, such as of room:
others may ask for less."""

FIRST_TO_GO: Final = "500"
"""Of a thousand: where memory runs out, Linux ends this process and not the service, which then
tells of it and gives up a list that takes all memory each time."""
OOM: Final = "/proc/self/oom_score_adj"

LOCK: Final = "SELECT pg_try_advisory_lock(%s)"
UNLOCK: Final = "SELECT pg_advisory_unlock(%s)"
FOLD: Final = "SELECT fold_opt_out_counts(%s)"
UNDONE: Final = """
UPDATE import_units SET undone = %s WHERE import_id = %s AND first_line = %s"""
SWITCH_SECONDS: Final = 0.0002
"""The thread that reads ahead gives way so often; by default the database would wait 5 ms for each
answer to it."""
COLLECT_AFTER: Final = 50_000
"""Objects between two garbage collections: rows are many and hold no cycles, and by default much of
the reading would be a search for some."""

log = structlog.get_logger("imports")


class Worker:
    """Works on one import of an account at a time, whichever process took it."""

    def __init__(self, orders: Orders, pace: Pace) -> None:
        self._pace = pace
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
        if tries.is_given_up(found):
            await self._end(conn, found, "failed", tries.broke_off(found))
            return
        # The service tells by it whose doing it was, where this process comes to a sudden end.
        say(found.import_id)
        try:
            await book.begin_try(conn, found.import_id, tries.rest_after(found.attempts + 1))
            if found.state == "undoing":
                await self._undo(conn, found)
            else:
                await self._import(conn, found)
        except FileError as error:
            await self._end(conn, found, "failed", str(error))
        except (psycopg.OperationalError, UnavailableError) as error:
            await self._let_go(conn, found, error)
            raise
        except Exception as error:
            await self._crashed(conn, found, error)
        finally:
            say(None)

    async def _let_go(
        self, conn: ServiceConnection, found: book.Import, error: psycopg.Error | UnavailableError
    ) -> None:
        """Leaves it to whoever comes next: such as where another process has a newer key.

        Where the database still answers it did not go away by the list.
        """
        rest = 0 if isinstance(error, UnavailableError) else SHORT_SECONDS
        with contextlib.suppress(psycopg.Error):
            await book.forget_try(conn, found.import_id, rest)

    async def _crashed(self, conn: ServiceConnection, found: book.Import, error: Exception) -> None:
        # The policy changed since the rows were read: they are read again under the new one.
        if not isinstance(error, UnknownPurposeError):
            log.error("import_failed", error=type(error).__name__)
        crashes = await book.crashed(conn, found.import_id, enough=0)
        if crashes >= tries.CRASHES:
            await self._end(conn, found, "failed", tries.failed(found))
        else:
            await asyncio.sleep(0.2 * crashes)

    async def _end(
        self, conn: ServiceConnection, found: book.Import, state: str, because: str | None = None
    ) -> None:
        """Ends it, and forgets its file in the same moment: nobody would come to do it later."""
        async with conn.transaction():
            await book.set_state(conn, found.import_id, state, because)
            await staging.drop(conn, found.import_id)

    async def _import(self, conn: ServiceConnection, found: book.Import) -> None:
        account = await self._account(conn, found.account_id)
        done, trial, connections = found.line, None, [conn]
        if found.dry_run:
            done, trial = 0, Trial(conn, self._writer, found)
            await trial.begin()
        async with AsyncExitStack() as opened:
            reading = opened.enter_context(
                psycopg.connect(
                    service_conninfo(self._database_url), autocommit=True, prepare_threshold=1
                )
            )
            rows = Reading(reading, self._keyring, self._accounts, self._writer, found, account)
            # What a dry run would change is known to one connection alone.
            for _ in range(0 if trial else LANES - 1):
                connections.append(await opened.enter_async_context(await self._connect()))
            lanes = Lanes(connections, self._writer, found, self._pace, trial)
            await lanes.run(rows.groups(done))
        if trial is not None:
            await trial.end()
        else:
            # Every unit added a row for each day and source.
            await conn.execute(FOLD, (found.account_id,))
        await self._end(conn, found, "done")

    async def _undo(self, conn: ServiceConnection, found: book.Import) -> None:
        """Compensates every fact, some numbers at a time."""
        after = -1
        while (unit := await book.next_unit(conn, found.import_id, after)) is not None:
            after, done, facts = unit
            while done < len(facts):
                done = await self._retract(conn, found, after, facts, done)
                await self._pace.rest()
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
        for attempt in range(ATTEMPTS):
            part = facts[done : done + (LOCKED >> attempt)]
            try:
                async with conn.transaction():
                    await self._writer.retract(conn, found.job, part)
                    params = (done + len(part), found.import_id, first_line)
                    await conn.execute(UNDONE, params)
                    await conn.execute(book.CAME_FURTHER, (found.import_id,))
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


def say(import_id: UUID | None) -> None:
    """Says what it is at; a service that is gone does not hear it."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), list_line(import_id))


async def main() -> None:
    """Takes the orders and works; ends when the service does."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    orders = msgspec.json.decode(await stream.readline(), type=Orders)
    configure_logging(LogLevel(orders.log_level))
    called, pace = asyncio.Event(), Pace()

    async def listen() -> None:
        while line := await stream.readline():
            share = busy_share(line)
            if share is None:
                called.set()
            else:
                pace.busy(share)
        # The service is gone; what is not committed is done again by whoever comes next.
        os._exit(0)

    listening = asyncio.create_task(listen())
    try:
        await Worker(orders, pace).run(called)
    except (psycopg.OperationalError, UnavailableError) as error:
        log.error("import_interrupted", error=type(error).__name__)
    listening.cancel()


if __name__ == "__main__":
    # Ctrl-C is for the service, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    with contextlib.suppress(OSError), open(OOM, "w") as score:
        score.write(FIRST_TO_GO)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    asyncio.run(main())
