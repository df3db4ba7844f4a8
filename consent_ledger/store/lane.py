"""One of the writer's lanes: a connection of its own, and one batch in one transaction at a time.

A batch is loaded, handled and written by one statement, and acknowledged after its commit. A
command that is refused is refused alone; a batch that cannot be written is tried again command by
command.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection, errors

from consent_ledger.decision import UnknownPurposeError
from consent_ledger.facts import Event
from consent_ledger.ledger import (
    ClaimReusedError,
    NotRecordedError,
    Receipt,
    Submission,
    UnavailableError,
)
from consent_ledger.phone_number import RefusedError
from consent_ledger.snapshot import HistoryNeededError
from consent_ledger.store import loading
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.batch import Batch, Done
from consent_ledger.store.connection import Connect, ServiceConnection
from consent_ledger.store.gathering import gather
from consent_ledger.store.projection import Projection
from consent_ledger.store.races import ATTEMPTS, RACES
from consent_ledger.store.statement import WriteStatement

WRITE_SECONDS: Final = 10.0
"""A database that has not taken a batch by then is away; whether it did is in doubt."""

REFUSALS: Final = (RefusedError, ClaimReusedError, UnknownPurposeError, UnavailableError)

CHANGE_CLAIM: Final = """
UPDATE claims SET number_id = %s, version = %s, body = %s, answer = %s
WHERE account_id = %s AND kind = %s AND key = %s"""

ERASE_WORDS: Final = "DELETE FROM words WHERE number_id = %s AND version <= %s"
ERASE_NUMBER: Final = "DELETE FROM numbers WHERE number_id = %s"

log = structlog.get_logger(__name__)


class Waiting:
    """A submission, and whoever waits to hear what became of it."""

    def __init__(self, submission: Submission, future: "asyncio.Future[Receipt]") -> None:
        self.submission = submission
        self.future = future

    def settle(self, result: Receipt | BaseException) -> None:
        """Tells the one who waits, if they still do."""
        if self.future.done():
            return
        if isinstance(result, BaseException):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class Lane:
    """A connection of the writer's, opened when it is first needed."""

    def __init__(
        self,
        connect: Connect,
        accounts: AccountCache,
        projections: Sequence[Projection],
        statement: WriteStatement,
        newest_generation: int,
    ) -> None:
        self._connect = connect
        self._newest_generation = newest_generation
        self._accounts = accounts
        self._projections = projections
        self._statement = statement
        self._conn: ServiceConnection | None = None
        self._doubtful = False
        self._is_sent = False

    async def take(self, batch: list[Waiting]) -> None:
        """Records a batch: everyone in it has been told when this returns."""
        try:
            await self._attempt(batch)
        except BaseException as error:
            for waiting in batch:
                waiting.settle(UnavailableError("the ledger could not record this"))
            await self.close()
            if not isinstance(error, Exception):
                raise
            log.error("batch_failed", error=type(error).__name__)

    async def close(self) -> None:
        """Ends the connection, if it has one; the next batch opens another."""
        if self._conn is not None:
            with contextlib.suppress(Exception):
                await self._conn.close()
        self._conn = None

    async def _attempt(self, batch: list[Waiting]) -> None:
        try:
            await self._write_anew(batch)
        except Exception as error:
            if self._is_in_doubt(error):
                raise
            await self._one_by_one(batch)

    async def _write_anew(self, batch: list[Waiting]) -> None:
        """Writes a batch; once more where the connection of the one before turns out to be lost
        before anything of this one is written: there is no doubt then."""
        was_open = self._conn is not None
        try:
            await self._write(batch)
        except psycopg.OperationalError as error:
            if not was_open or self._is_sent or isinstance(error, RACES):
                raise
            await self.close()
            await self._write(batch)

    async def _one_by_one(self, batch: list[Waiting]) -> None:
        for waiting in batch:
            if waiting.future.done():
                continue
            try:
                await self._alone(waiting)
            except Exception as error:
                if self._is_in_doubt(error):
                    raise
                log.error("command_failed", error=type(error).__name__)
                waiting.settle(NotRecordedError("the ledger could not record this"))

    def _is_in_doubt(self, error: Exception) -> bool:
        """Whether the batch may be recorded, or the connection is gone: there is no second try."""
        away = isinstance(error, psycopg.OperationalError | TimeoutError)
        lost = away and not isinstance(error, RACES)
        return lost or self._doubtful

    async def _alone(self, waiting: Waiting) -> None:
        for attempt in range(ATTEMPTS):
            try:
                return await self._write([waiting])
            except RACES:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.002 * attempt)
        return None

    async def _write(self, waiting: list[Waiting]) -> None:
        """One transaction; every future is settled when it has committed."""
        async with asyncio.timeout(WRITE_SECONDS):
            await self._write_in_time(waiting)

    async def _write_in_time(self, waiting: list[Waiting]) -> None:
        self._doubtful = self._is_sent = False
        conn = await self._connection()
        results: list[tuple[Waiting, Receipt | Done | BaseException]] = []
        try:
            asked = [each.submission for each in waiting]
            batch, number_ids, base = await gather(
                conn, asked, self._accounts, self._newest_generation
            )
            for each, number_id in zip(waiting, number_ids, strict=True):
                done = await self._handle(conn, batch, each.submission, number_id)
                results.append((each, done))
            self._is_sent = True
            await self._store(conn, batch, base)
        except asyncio.CancelledError:
            # A database that does not answer would not answer to a rollback.
            conn.pgconn.finish()
            raise
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                await conn.rollback()
            raise
        if self._doubtful:
            raise UnavailableError("the commit may not have reached the replicas")
        for each, result in results:
            each.settle(_receipt(batch, base, result) if isinstance(result, Done) else result)

    async def _store(self, conn: ServiceConnection, batch: Batch, base: int) -> None:
        """Writes and commits: in one round trip, but where rows of old claims or words change."""
        if batch.is_empty:
            await conn.commit()
            return
        batch.check_place(base)
        params = self._statement.binary(batch.row_sets(self._projections))
        write = (self._statement.numbered, params)
        if not batch.changed_claims and not batch.erased:
            await conn.run_together(write, commit=True)
            return
        await conn.run(*write)
        for row in batch.changed_claims:
            await conn.execute(CHANGE_CLAIM, (*row[3:], *row[:3]))
        for number_id, version, whole in batch.erased:
            await conn.execute(ERASE_WORDS, (number_id, version))
            if whole:
                await conn.execute(ERASE_NUMBER, (number_id,))
        await conn.commit()

    async def _handle(
        self,
        conn: AsyncConnection[Any],
        batch: Batch,
        submission: Submission,
        number_id: UUID,
    ) -> Receipt | Done | BaseException:
        try:
            repeated = batch.repeated(submission, number_id)
            if repeated is not None:
                return _again(repeated)
            try:
                return batch.handle(submission, number_id)
            except HistoryNeededError:
                history = await self._history(conn, batch, number_id)
                return batch.handle(submission, number_id, history)
        except REFUSALS as refusal:
            return refusal
        except psycopg.Error:
            raise
        except Exception as error:
            log.error("command_failed", error=type(error).__name__)
            return NotRecordedError("the ledger could not record this")

    async def _history(
        self, conn: AsyncConnection[Any], batch: Batch, number_id: UUID
    ) -> list[Event]:
        stored = await loading.load_history(conn, number_id)
        return stored + batch.numbers[number_id].events

    async def _connection(self) -> ServiceConnection:
        if self._conn is None or self._conn.closed:
            self._conn = await self._connect()
            self._conn.add_notice_handler(self._note_lost_wait)
        return self._conn

    def _note_lost_wait(self, diagnostic: errors.Diagnostic) -> None:
        # A cancelled wait for a synchronous replica returns success with a warning: the commit is
        # not safe, so it must not be acknowledged.
        if diagnostic.sqlstate == "01000":
            self._doubtful = True


class _Repeated(Done):
    """A repetition within one batch: the position of the first, and nothing recorded anew."""


def _again(repeated: Receipt | Done) -> Receipt | Done:
    if isinstance(repeated, Receipt):
        return repeated
    return _Repeated(repeated.number_id, repeated.version, [], repeated.answer)


def _receipt(batch: Batch, base: int, done: Done) -> Receipt:
    recorded = tuple(event.topic for event in done.events)
    number = batch.numbers[done.number_id]
    ordinal = number.ordinals.get(done.version)
    position = number.position if ordinal is None else base + ordinal
    return Receipt(done.number_id, done.version, position, recorded, done.answer)
