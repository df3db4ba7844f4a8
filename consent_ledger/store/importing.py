"""Rows of an imported list into the ledger, a unit at a time: one short transaction each.

A unit is classified without a lock. What is new goes in by COPY; what is on record and changes is
locked in the order of ids, looked at again, and written by the writer's own statement. The unit's
verdicts and the import's progress commit with it, so that a kill leaves whole units.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from consent_ledger import commands as c
from consent_ledger.account import Account
from consent_ledger.facts import ConsentGranted, Event, OptedOut
from consent_ledger.importing.faults import Fault
from consent_ledger.importing.rows import Row
from consent_ledger.importing.wishes import Wish, commands
from consent_ledger.keyring import Keyring
from consent_ledger.store import loading
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.batch import Batch, NumberInBatch
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.copying import Copies, copy_new
from consent_ledger.store.gathering import load_held
from consent_ledger.store.keys import check_generation
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.moment import NOW
from consent_ledger.store.plans import Known, Plan
from consent_ledger.store.projection import Projection
from consent_ledger.store.rows_of_number import (
    Earlier,
    Outcome,
    RowsOfNumber,
    outcome,
    take_back,
)
from consent_ledger.store.statement import WriteStatement
from consent_ledger.store.template import SAMPLE_AT, SAMPLE_LINE, Own, Template, own_values
from consent_ledger.store.units import Cell, Job, Unit
from consent_ledger.words import ActorKind, Channel

UNIT: Final = 2_000
"""Rows that commit together: a command on one of their numbers waits some 50 ms at the most."""
BEGUN: Final = f"""
SELECT version, {NOW},
    (SELECT coalesce(max(generation), 0) FROM key_generation), ledger_base()
FROM account_status WHERE account_id = %s"""
"""What numbers that are new need of the moment, and the place of their transaction in the log."""

HISTORIES: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = ANY(%s) AND topic = ANY(%s)
ORDER BY originator_id, originator_version"""


FRESH: Final = 1_000_000
"""Microseconds by which `recorded_at` may lie before the transaction that records."""


class Ready(NamedTuple):
    """The rows of a plan, as they are under this version of the account, and when they were."""

    version: int
    now: int
    copies: Copies

    def holds(self, account: Account, now: int) -> bool:
        """Whether they may be written as they are."""
        return account.version == self.version and now - self.now < FRESH


class ImportWriter:
    """Writes the rows of imports."""

    def __init__(
        self, keyring: Keyring, accounts: AccountCache, projections: Sequence[Projection]
    ) -> None:
        self._keyring = keyring
        self._accounts = accounts
        self._projections = projections
        self._statement = WriteStatement(projections)

    def cells(self, account_id: UUID, rows: Sequence[Row]) -> list[Cell]:
        """Every number that rows want something recorded on."""
        makers = self._keyring.id_makers(account_id)
        found: list[Cell] = []
        for place, row in enumerate(rows):
            if row.wish == NOTHING:
                continue
            for number in row.numbers:
                e164 = number.encode()
                found.append(Cell(place, e164, tuple([make(e164) for make in makers])))
        return found

    def ready(self, job: Job, plan: Plan, account: Account, now: int) -> Ready | None:
        """What a plan will write, before its turn comes; None where it depends on more than that
        its numbers are new."""
        if plan.changing or not plan.new:
            return None
        return Ready(account.version, now, self._fill(job, plan, account, now))

    async def write(
        self, conn: ServiceConnection, job: Job, plan: Plan, ready: Ready | None = None
    ) -> bool:
        """Records a plan within the caller's transaction, and notes it in its unit; whether all was
        as it had been made ready."""
        if plan.new and not plan.changing:
            account, now, base = await self._begin(conn, job)
            if ready is not None and ready.holds(account, now):
                await copy_new(conn, ready.copies, base, self._projections)
                return True
            plan.unit.forget()
            copies = self._fill(job, plan, account, now)
            await copy_new(conn, copies, base, self._projections)
            return False
        batch, copies = await self._prepare(conn, job, plan, {})
        if copies.events or _count(batch):
            base = await self.store(conn, batch)
            await copy_new(conn, copies, base + _count(batch), self._projections)
        return False

    async def foresee(self, conn: ServiceConnection, job: Job, earlier: Earlier) -> Known:
        """Where numbers would stand after the earlier rows of a list, which are not recorded."""
        found: Known = {}
        if not earlier:
            return found
        ids = [UUID(bytes=number_id) for number_id in earlier]
        batch = await self._load(conn, job, ids, ids)
        for number_id, rows in zip(ids, earlier.values(), strict=True):
            inside = batch.numbers[number_id]
            if inside.readable:
                await RowsOfNumber(conn, job, batch, number_id, "").hear(rows)
            found[number_id.bytes] = inside.snapshot if inside.readable else None
        return found

    async def try_out(
        self, conn: ServiceConnection, job: Job, plan: Plan, earlier: Earlier
    ) -> dict[bytes, Outcome]:
        """Notes what a plan would record after the earlier rows of its list, and records nothing;
        what would become of each number."""
        batch, _ = await self._prepare(conn, job, plan, earlier)
        news = plan.unit.news()
        found = {
            cell.ids[0]: Outcome(OPTED_OUT in news[cell.ids[0]], GRANTED in news[cell.ids[0]])
            for cell, _ in plan.new
        }
        for number_id in plan.changing:
            found[number_id.bytes] = outcome(batch.numbers[number_id])
        return found

    async def _prepare(
        self, conn: ServiceConnection, job: Job, plan: Plan, earlier: Earlier
    ) -> tuple[Batch, Copies]:
        """What is to be written of a plan, each number as it stands now and locked."""
        plan.unit.forget()
        wanted = [UUID(bytes=i) for its in plan.changing.values() for cell in its for i in cell.ids]
        batch = await self._load(conn, job, wanted, plan.changing)
        for number_id, its in plan.changing.items():
            before = earlier.get(number_id.bytes, ())
            await self._change(conn, job, batch, plan.unit, number_id, its, before)
        return batch, self._fill(job, plan, batch.accounts[job.account_id], batch.now)

    async def _begin(self, conn: ServiceConnection, job: Job) -> tuple[Account, int, int]:
        """The account, the clock and the place in the log of a transaction that locks nothing."""
        row = await (await conn.execute(BEGUN, (job.account_id,), prepare=True)).fetchone()
        version, now, generation, base = row or (None, 0, 0, 0)
        check_generation(generation, self._keyring.generations[0])
        return await self._accounts.at(conn, job.account_id, version), now, base

    async def store(self, conn: ServiceConnection, batch: Batch) -> int:
        """Writes a batch by the writer's statement; where it begins in the log."""
        params = self._statement.parameters(batch.row_sets(self._projections))
        cursor = await conn.execute(self._statement.sql.encode(), params, prepare=True)
        ((base,),) = await cursor.fetchall()
        batch.check_place(base)
        return int(base)

    async def _load(
        self, conn: ServiceConnection, job: Job, wanted: Sequence[UUID], ids: Iterable[UUID]
    ) -> Batch:
        """Locks numbers in the order of their ids, and loads what commands need of them."""
        stored, _, versions, now, *_ = await loading.lock_and_load(
            conn, wanted, (), [job.account_id], self._keyring.generations[0]
        )
        account = await self._accounts.at(conn, job.account_id, versions.get(job.account_id))
        numbers = {
            number_id: NumberInBatch(job.account_id, number_id, *stored.get(number_id, loading.NEW))
            for number_id in ids
        }
        batch = Batch(numbers, {job.account_id: account}, {}, now)
        # A STOP ends the texts that wait.
        holding = [number_id for number_id, inside in numbers.items() if inside.before.held]
        await load_held(conn, batch, holding)
        return batch

    def _fill(self, job: Job, plan: Plan, account: Account, now: int) -> Copies:
        """The rows of the new numbers of a plan, noted in its unit."""
        # A list says few different things, and its reader makes one wish of each.
        templates: dict[tuple[int, bool], Template] = {}
        found: list[tuple[bytes, Template, Own]] = []
        told = job.told(SAMPLE_AT, SAMPLE_LINE)
        for (place, e164, ids), (line, _, _, wish, at, _) in plan.new:
            kind = id(wish), at is not None
            template = templates.get(kind)
            if template is None:
                template = Template(account, commands(wish, told, kind[1]), now, self._projections)
                templates[kind] = template
            own = own_values(ids[0], e164, job.instant if at is None else at, line)
            found.append((ids[0], template, own))
            topics = template.topics
            plan.unit.note(place, ids[0], 1, len(topics), topics, topics)
        # In the order of ids, as the writer does: two that meet take turns.
        found.sort(key=itemgetter(0))
        return Copies(job.account_id, ((template, own) for _, template, own in found))

    async def _change(
        self,
        conn: ServiceConnection,
        job: Job,
        batch: Batch,
        unit: Unit,
        number_id: UUID,
        its: Sequence[Cell],
        before: Sequence[Row],
    ) -> None:
        """What a number's rows add to what is on record and to the rows `before`, the strictest row
        first."""
        inside, rows = batch.numbers[number_id], unit.rows
        if not inside.readable:
            for cell in its:
                unit.faults.setdefault(cell.place, []).append(Fault(None, "record-unreadable"))
            return
        told = RowsOfNumber(conn, job, batch, number_id, its[0].e164.decode())
        await told.hear(before)
        for cell in sorted(its, key=lambda cell: rows[cell.place].wish.strictness):
            said = await told.say(rows[cell.place])
            if said.recorded:
                unit.note(cell.place, number_id.bytes, *said)

    async def retract(
        self, conn: ServiceConnection, job: Job, facts: Sequence[tuple[UUID, int]]
    ) -> None:
        """Compensates facts of an import, within the caller's transaction."""
        ids = list(dict.fromkeys(number_id for number_id, _ in facts))
        batch = await self._load(conn, job, ids, ids)
        histories = await _histories(conn, ids)
        told = c.Told(ActorKind.ADMIN, Channel.IMPORT, job.actor_id)
        for number_id, version in facts:
            history = histories[number_id]
            # What the ledger did in consequence stays: a cancellation is never undone (R-F1).
            is_told = any(event.originator_version == version for event in history)
            if is_told and batch.numbers[number_id].readable:
                take_back(batch, number_id, c.RetractFact(told, version), history)
        if _count(batch):
            await self.store(conn, batch)


NOTHING: Final = Wish()
OPTED_OUT, GRANTED = OptedOut.__name__, ConsentGranted.__name__
"""Topics."""


def _count(batch: Batch) -> int:
    return sum(len(number.events) for number in batch.numbers.values())


async def _histories(conn: ServiceConnection, ids: Sequence[UUID]) -> dict[UUID, list[Event]]:
    rows = await conn.execute(HISTORIES, (list(ids), list(loading.COUNTED_TOPICS)))
    found: dict[UUID, list[Event]] = {number_id: [] for number_id in ids}
    for event in map(MAPPER.event, await rows.fetchall()):
        found[event.originator_id].append(event)
    return found
