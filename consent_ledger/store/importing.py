"""Rows of an imported list into the ledger, a unit at a time: one short transaction each.

A unit is classified without a lock. What is new goes in by COPY; what is on record and changes is
locked in the order of ids, looked at again, and written by the writer's own statement. The unit's
verdicts and the import's progress commit with it, so that a kill leaves whole units.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection, errors

from consent_ledger import commands as c
from consent_ledger.account import Account
from consent_ledger.facts import Event, FactRetracted
from consent_ledger.handlers import handle
from consent_ledger.importing.earlier import (
    overruled,
    own_facts,
    rests_on_a_list,
    tells_of,
    was_recorded,
)
from consent_ledger.importing.faults import Fault
from consent_ledger.importing.rows import Row
from consent_ledger.importing.wishes import Wish, commands, is_said
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import Submission
from consent_ledger.phone_number import PhoneNumber
from consent_ledger.snapshot import HistoryNeededError, Snapshot
from consent_ledger.store import loading
from consent_ledger.store.accounts import CLOCK, AccountCache
from consent_ledger.store.batch import Batch, NumberInBatch, OvertakenError
from consent_ledger.store.codec import readable_snapshot
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.copying import (
    SAMPLE_AT,
    SAMPLE_LINE,
    Copies,
    Own,
    Template,
    copy_new,
    own_values,
)
from consent_ledger.store.ids import Ids, know_ids
from consent_ledger.store.keys import check_generation
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.projection import Projection
from consent_ledger.store.statement import WriteStatement
from consent_ledger.store.units import Cell, Job, Unit
from consent_ledger.words import ActorKind, Channel

UNIT: Final = 2_000
"""Rows that commit together: a command on one of their numbers waits some 50 ms at the most."""
LOCKED: Final = 256
"""Numbers of a unit that may be locked: as many as the writer takes at once."""
ATTEMPTS: Final = 8
"""Tries for a unit that keeps losing races; each lost race is a live command's win."""
RACES: Final = (
    OvertakenError,
    errors.UniqueViolation,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)

NEW: Final[loading.Stored] = (0, Snapshot())
KNOWN: Final = """
SELECT uuid_send(number_id), snapshot FROM consent_status WHERE number_id = ANY(%b::uuid[])"""
BEGUN: Final = """
SELECT version, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    (SELECT coalesce(max(generation), 0) FROM key_generation), ledger_base()
FROM account_status WHERE account_id = %s"""
"""What numbers that are new need of the moment, and the place of their transaction in the log."""

HISTORIES: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = ANY(%s) AND topic = ANY(%s)
ORDER BY originator_id, originator_version"""


FRESH: Final = 1_000_000
"""Microseconds by which `recorded_at` may lie before the transaction that records."""

Known = Mapping[bytes, Snapshot | None]
"""Where numbers on record stand, by id; None where it cannot be read."""


class Plan(NamedTuple):
    """A unit, sorted by how each number is written; `later` are rows left to the next unit."""

    unit: Unit
    new: list[tuple[Cell, Row]]
    changing: dict[UUID, list[Cell]]
    later: list[Row]


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

    def plan(
        self,
        job: Job,
        rows: Sequence[Row],
        cells: Sequence[Cell],
        known: Known,
        *,
        copies: bool = True,
    ) -> Plan:
        """Sorts rows by what they do; without `copies` every number goes the careful way."""
        together: dict[bytes, list[Cell]] = {}
        for cell in cells:
            number_id = cell.ids[0]
            if number_id not in known:
                number_id = next((each for each in cell.ids if each in known), number_id)
            its = together.get(number_id)
            if its is None:
                together[number_id] = [cell]
            else:
                its.append(cell)
        new: list[tuple[Cell, Row]] = []
        changing: dict[UUID, list[Cell]] = {}
        for number_id, its in together.items():
            if number_id in known:
                snapshot = known[number_id]
                if snapshot is None or _may_change(job, snapshot, rows, its):
                    changing[UUID(bytes=number_id)] = its
            elif copies and len(its) == 1:
                new.append((its[0], rows[its[0].place]))
            else:
                changing[UUID(bytes=number_id)] = its
        return _cut(rows, new, changing)

    def ready(self, job: Job, plan: Plan, account: Account, now: int) -> Ready | None:
        """What a plan will write, before its turn comes; None where it depends on more than that
        its numbers are new."""
        if plan.changing or not plan.new:
            return None
        return Ready(account.version, now, self._fill(job, plan, account, now))

    async def write(
        self,
        conn: ServiceConnection,
        job: Job,
        plan: Plan,
        ready: Ready | None = None,
        *,
        dry: bool = False,
    ) -> bool:
        """Records a plan within the caller's transaction, and notes it in its unit; `dry` only
        notes what it would record. Whether all was as it had been made ready."""
        if plan.new and not plan.changing and not dry:
            account, now, base = await self._begin(conn, job)
            if ready is not None and ready.holds(account, now):
                await copy_new(conn, ready.copies, base, self._projections)
                return True
            plan.unit.forget()
            copies = self._fill(job, plan, account, now)
            await copy_new(conn, copies, base, self._projections)
            return False
        plan.unit.forget()
        wanted = [UUID(bytes=i) for its in plan.changing.values() for cell in its for i in cell.ids]
        batch = await self._load(conn, job, wanted, plan.changing)
        for number_id, its in plan.changing.items():
            await self._change(conn, job, batch, plan.unit, number_id, its)
        copies = self._fill(job, plan, batch.accounts[job.account_id], batch.now)
        if not dry and (copies.events or _count(batch)):
            base = await self.store(conn, batch)
            await copy_new(conn, copies, base + _count(batch), self._projections)
        return False

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
        stored, _, versions, now, _ = await loading.lock_and_load(
            conn, wanted, (), [job.account_id], self._keyring.generations[0]
        )
        account = await self._accounts.at(conn, job.account_id, versions.get(job.account_id))
        numbers = {
            number_id: NumberInBatch(job.account_id, number_id, *stored.get(number_id, NEW))
            for number_id in ids
        }
        batch = Batch(numbers, {job.account_id: account}, {}, now)
        await load_held(conn, batch)
        return batch

    def _fill(self, job: Job, plan: Plan, account: Account, now: int) -> Copies:
        """The rows of the new numbers of a plan, noted in its unit."""
        # A list says few different things, and its reader makes one wish of each.
        templates: dict[int, Template] = {}
        found: list[tuple[bytes, Template, Own]] = []
        told = job.told(SAMPLE_AT, SAMPLE_LINE)
        for (place, e164, ids), (line, _, _, wish, at, _) in plan.new:
            template = templates.get(id(wish))
            if template is None:
                template = Template(account, commands(wish, told), now, self._projections)
                templates[id(wish)] = template
            own = own_values(ids[0], e164, job.instant if at is None else at, line)
            found.append((ids[0], template, own))
            plan.unit.note(place, ids[0], 1, len(template.topics), template.topics)
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
    ) -> None:
        """What a number's rows add to what is on record, the strictest row first."""
        inside, rows = batch.numbers[number_id], unit.rows
        earlier: list[Event] = []
        if inside.readable and (job.is_repeated or inside.snapshot.clock >= job.instant):
            # Something was recorded since the list came, maybe by an earlier part of it.
            earlier = await loading.load_history(conn, number_id)
        for cell in sorted(its, key=lambda cell: rows[cell.place].wish.strictness):
            row = rows[cell.place]
            if not inside.readable:
                unit.faults.setdefault(cell.place, []).append(Fault(None, "record-unreadable"))
                continue
            own = own_facts(earlier + inside.events, job.file_digest)
            if was_recorded(own, row.line, job.instant):
                continue
            told = job.told(row.at, row.line)
            for version in overruled(own, row.wish, job.instant):
                _retract(batch, number_id, c.RetractFact(told, version), earlier)
            first = inside.snapshot.version + 1
            topics: list[str] = []
            for command in commands(row.wish, told):
                count = len(inside.events)
                is_news = await _record(
                    conn, batch, number_id, cell.e164.decode(), command, own, row.at is not None
                )
                if is_news:
                    topics += [event.topic for event in inside.events[count:]]
            recorded = inside.snapshot.version + 1 - first
            if recorded:
                unit.note(cell.place, number_id.bytes, first, recorded, tuple(topics))

    async def retract(
        self, conn: ServiceConnection, job: Job, facts: Sequence[tuple[UUID, int]]
    ) -> None:
        """Compensates facts of an import, within the caller's transaction."""
        ids = list(dict.fromkeys(number_id for number_id, _ in facts))
        batch = await self._load(conn, job, ids, ids)
        histories = await _histories(conn, ids)
        told = c.Told(ActorKind.ADMIN, Channel.IMPORT, job.actor_id)
        for number_id, version in facts:
            if batch.numbers[number_id].readable:
                _retract(batch, number_id, c.RetractFact(told, version), histories[number_id])
        if _count(batch):
            await self.store(conn, batch)


NOTHING: Final = Wish()


def _count(batch: Batch) -> int:
    return sum(len(number.events) for number in batch.numbers.values())


def _cut(
    rows: Sequence[Row], new: list[tuple[Cell, Row]], changing: dict[UUID, list[Cell]]
) -> Plan:
    """The first rows of a plan, as many as change no more than LOCKED numbers on record."""
    if len(changing) <= LOCKED:
        return Plan(Unit(rows), new, changing, [])
    firsts = sorted(its[0].place for its in changing.values())
    # A row's numbers stay together, and so may be some more than that.
    end = max(firsts[LOCKED], 1)
    within = {
        number_id: kept
        for number_id, its in changing.items()
        if (kept := [cell for cell in its if cell.place < end])
    }
    now = [(cell, row) for cell, row in new if cell.place < end]
    return Plan(Unit(rows[:end]), now, within, list(rows[end:]))


async def look(conn: ServiceConnection, cells: Sequence[Cell]) -> Known:
    """Where the numbers stand that are on record already; nothing is locked."""
    if not cells:
        return {}
    know_ids(conn)
    cursor = await conn.execute(KNOWN, (_ids(cells),), prepare=True, binary=True)
    return _known(await cursor.fetchall())


def look_ahead(conn: Connection[Any], cells: Sequence[Cell]) -> tuple[Known, int]:
    """The same from a thread, while earlier rows are being written; and the database's clock."""
    know_ids(conn)
    row = conn.execute(CLOCK).fetchone()
    rows = conn.execute(KNOWN, (_ids(cells),), prepare=True, binary=True) if cells else ()
    return _known(rows), 0 if row is None else int(row[0])


def _ids(cells: Sequence[Cell]) -> Ids:
    return Ids([each for cell in cells for each in cell.ids])


def _known(rows: Iterable[tuple[Any, ...]]) -> Known:
    return {bytes(number_id): readable_snapshot(bytes(row)) for number_id, row in rows}


def _may_change(job: Job, snapshot: Snapshot, rows: Sequence[Row], its: Sequence[Cell]) -> bool:
    """Whether the record lacks something that a row says: asked without a lock, so asked again."""
    for row in (rows[cell.place] for cell in its):
        for command in commands(row.wish, job.told(row.at, row.line)):
            said = is_said(snapshot, command, row.at is not None)
            if not said or rests_on_a_list(snapshot, command):
                return True
    return False


async def _histories(conn: ServiceConnection, ids: Sequence[UUID]) -> dict[UUID, list[Event]]:
    rows = await conn.execute(HISTORIES, (list(ids), list(loading.COUNTED_TOPICS)))
    found: dict[UUID, list[Event]] = {number_id: [] for number_id in ids}
    for event in map(MAPPER.event, await rows.fetchall()):
        found[event.originator_id].append(event)
    return found


async def load_held(conn: ServiceConnection, batch: Batch) -> None:
    """The texts that wait on the numbers of a batch: a STOP ends them."""
    waiting = [number_id for number_id, n in batch.numbers.items() if n.before.held]
    if not waiting:
        return
    for number_id, held in (await loading.load_held(conn, waiting, ())).items():
        inside = batch.numbers[number_id]
        inside.held_before, inside.held = dict(held), held


def _retract(
    batch: Batch, number_id: UUID, command: c.RetractFact, history: Sequence[Event]
) -> None:
    """Takes a fact back, unless it was already: by a stricter row of its own list."""
    inside = batch.numbers[number_id]
    every = [*history, *inside.events]
    gone = (event.fact.version for event in every if isinstance(event.fact, FactRetracted))
    if command.version not in gone:
        submission = Submission(inside.account_id, (number_id,), None, command)
        batch.handle(submission, number_id, every)


async def _record(
    conn: ServiceConnection,
    batch: Batch,
    number_id: UUID,
    e164: str,
    command: c.Command,
    own: Sequence[Event],
    timed: bool,
) -> bool:
    """Handles a command if it changes where the number stands; whether it does.

    What another list said too is recorded as evidence, and changes nothing.
    """
    inside = batch.numbers[number_id]
    is_news = not is_said(inside.snapshot, command, timed)
    if not is_news and (
        not rests_on_a_list(inside.snapshot, command) or tells_of([*own, *inside.events], command)
    ):
        return False
    account = batch.accounts[inside.account_id]
    submission = Submission(inside.account_id, (number_id,), e164, command)
    history = None
    try:
        changes = _changes(inside, account, batch.now, command, None)
    except HistoryNeededError:
        history = await loading.load_history(conn, number_id) + inside.events
        changes = _changes(inside, account, batch.now, command, history)
    if changes or not is_news:
        batch.handle(submission, number_id, history)
    return changes and is_news


def _changes(
    inside: NumberInBatch, account: Account, now: int, command: c.Command, history: Any
) -> bool:
    trial = PhoneNumber(inside.number_id, account, inside.snapshot, now, history=history)
    handle(trial, command)
    return trial.standing != inside.snapshot.standing
