"""Rows of an imported list into the ledger, a unit at a time: one short transaction each.

A unit is classified without a lock. What is new goes in by COPY; what is on record and changes is
locked in the order of ids, looked at again, and written by the writer's own statement. The unit's
verdicts and the import's progress commit with it, so that a kill leaves whole units.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import errors

from consent_ledger import commands as c
from consent_ledger.account import Account
from consent_ledger.facts import Event, Evidence
from consent_ledger.handlers import handle
from consent_ledger.importing import Fault, Row, Wish, commands, is_said
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import Submission
from consent_ledger.phone_number import PhoneNumber
from consent_ledger.snapshot import HistoryNeededError, Snapshot
from consent_ledger.store import loading
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.batch import Batch, NumberInBatch, OvertakenError
from consent_ledger.store.codec import readable_snapshot
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.copying import SAMPLE_AT, SAMPLE_LINE, New, Template, copy_new
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.projection import Projection
from consent_ledger.store.statement import WriteStatement
from consent_ledger.words import ActorKind, Basis, Channel

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
KNOWN: Final = "SELECT number_id, position, snapshot FROM consent_status WHERE number_id = ANY(%s)"

HISTORIES: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = ANY(%s) AND topic = ANY(%s)
ORDER BY originator_id, originator_version"""


class Job(msgspec.Struct, frozen=True):
    """An import, as far as its facts tell of it."""

    import_id: UUID
    account_id: UUID
    file_digest: str
    instant: int
    actor_id: str | None = None

    def told(self, at: int | None, line: int) -> c.Told:
        """Who tells of a row: an admin's list, at the row's time or the import's."""
        return c.Told(
            actor=ActorKind.ADMIN,
            channel=Channel.IMPORT,
            actor_id=self.actor_id,
            at=self.instant if at is None else at,
            basis=Basis.IMPORT,
            evidence=Evidence(file_digest=self.file_digest, row=line),
        )


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """What a row came to. `facts`: on which number, from which version on, how many and which.

    `kinds` are the topics of what was recorded, or in a dry run would be; `read` is whether any of
    its numbers could be used.
    """

    line: int
    ref: str | None
    faults: tuple[tuple[str | None, str], ...]
    facts: tuple[tuple[bytes, int, int], ...]
    kinds: tuple[str, ...]
    read: bool

    @property
    def status(self) -> str:
        """`accepted` changed something; `rejected` could not be used at all."""
        if self.kinds:
            return "accepted"
        return "unchanged" if self.read else "rejected"


class Cell(NamedTuple):
    """One number of one row: its place among the unit's rows and its ids, newest key first."""

    place: int
    e164: str
    ids: tuple[UUID, ...]


class Unit:
    """Rows that commit together, and what became of each."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.faults: dict[int, list[Fault]] = {}
        self._notes: dict[int, list[tuple[UUID, int, tuple[str, ...]]]] = {}

    def note(self, place: int, number_id: UUID, first: int, topics: Sequence[str]) -> None:
        """Facts that were recorded for a row, from this version of a number on."""
        self._notes.setdefault(place, []).append((number_id, first, tuple(topics)))

    def noted(self) -> list[tuple[UUID, str]]:
        """Every fact that was noted, as its number and its topic."""
        return [
            (number_id, topic)
            for notes in self._notes.values()
            for number_id, _, topics in notes
            for topic in topics
        ]

    def keep_only(self, fresh: set[tuple[UUID, str]]) -> None:
        """Forgets what earlier rows of the file had noted already."""
        for place, notes in self._notes.items():
            kept = []
            for number_id, first, topics in notes:
                its = tuple(topic for topic in topics if (number_id, topic) in fresh)
                fresh -= {(number_id, topic) for topic in its}
                if its:
                    kept.append((number_id, first, its))
            self._notes[place] = kept

    def verdicts(self) -> list[Verdict]:
        """The verdict of every row, in order."""
        return [self._verdict(place, row) for place, row in enumerate(self.rows)]

    def _verdict(self, place: int, row: Row) -> Verdict:
        own, notes = self.faults.get(place, ()), self._notes.get(place, ())
        return Verdict(
            line=row.line,
            ref=row.ref,
            faults=tuple((each.column, each.code) for each in (*row.faults, *own)),
            facts=tuple((number.bytes, first, len(topics)) for number, first, topics in notes),
            kinds=tuple(topic for _, _, topics in notes for topic in topics),
            read=len(row.numbers) > len(own),
        )


class Plan(NamedTuple):
    """A unit, sorted by how each number is written; `later` are rows left to the next unit."""

    unit: Unit
    new: list[tuple[Cell, Row]]
    changing: dict[UUID, list[Cell]]
    later: list[Row]


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
        ids = self._keyring.candidate_ids
        return [
            Cell(place, e164, ids(account_id, e164))
            for place, row in enumerate(rows)
            if row.wish != NOTHING
            for e164 in row.numbers
        ]

    async def plan(
        self,
        conn: ServiceConnection,
        job: Job,
        rows: Sequence[Row],
        cells: Sequence[Cell],
        *,
        copies: bool = True,
    ) -> Plan:
        """Sorts rows by what they do; without `copies` every number goes the careful way."""
        stored = await _known(conn, {each for cell in cells for each in cell.ids})
        together: dict[UUID, list[Cell]] = {}
        for cell in cells:
            number_id = next((each for each in cell.ids if each in stored), cell.ids[0])
            together.setdefault(number_id, []).append(cell)
        new: list[tuple[Cell, Row]] = []
        changing: dict[UUID, list[Cell]] = {}
        for number_id, its in together.items():
            if number_id in stored:
                snapshot = stored[number_id]
                if snapshot is None or _may_change(job, snapshot, rows, its):
                    changing[number_id] = its
            elif copies and len(its) == 1:
                new.append((its[0], rows[its[0].place]))
            else:
                changing[number_id] = its
        return _cut(rows, new, changing)

    async def write(
        self, conn: ServiceConnection, job: Job, plan: Plan, *, dry: bool = False
    ) -> None:
        """Records a plan within the caller's transaction, and notes it in its unit; `dry` only
        notes what it would record."""
        wanted = [i for its in plan.changing.values() for cell in its for i in cell.ids]
        batch = await self._load(conn, job, wanted, plan.changing)
        account = batch.accounts[job.account_id]
        for number_id, its in plan.changing.items():
            await self._change(conn, job, batch, plan.unit, number_id, its)
        new = self._fill(job, plan, account, batch.now)
        if dry or not (new or _count(batch)):
            return
        base = await self.store(conn, batch)
        await copy_new(conn, new, base + _count(batch), self._projections)

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

    def _fill(self, job: Job, plan: Plan, account: Account, now: int) -> list[tuple[Template, New]]:
        """The new numbers of a plan, each with the rows of its kind."""
        templates: dict[Wish, Template] = {}
        found: list[tuple[Template, New]] = []
        told = job.told(SAMPLE_AT, SAMPLE_LINE)
        for cell, row in plan.new:
            template = templates.get(row.wish)
            if template is None:
                wanted = commands(row.wish, told)
                template = Template(account, wanted, now, self._projections)
                templates[row.wish] = template
            at = job.instant if row.at is None else row.at
            found.append((template, New(str(cell.ids[0]), cell.e164, at, row.line)))
            plan.unit.note(cell.place, cell.ids[0], 1, template.topics)
        # In the order of ids, as the writer does: two that meet take turns.
        found.sort(key=lambda each: each[1].number_id)
        return found

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
        for cell in sorted(its, key=lambda cell: rows[cell.place].wish.strictness):
            row = rows[cell.place]
            if not inside.readable:
                unit.faults.setdefault(cell.place, []).append(Fault(None, "record-unreadable"))
                continue
            first, count = inside.snapshot.version + 1, len(inside.events)
            for command in commands(row.wish, job.told(row.at, row.line)):
                await _record(conn, batch, number_id, cell.e164, command, row.at is not None)
            recorded = inside.events[count:]
            if recorded:
                unit.note(cell.place, number_id, first, [event.topic for event in recorded])

    async def retract(
        self, conn: ServiceConnection, job: Job, facts: Sequence[tuple[UUID, int]]
    ) -> None:
        """Compensates facts of an import, within the caller's transaction."""
        ids = list(dict.fromkeys(number_id for number_id, _ in facts))
        batch = await self._load(conn, job, ids, ids)
        histories = await _histories(conn, ids)
        told = c.Told(ActorKind.ADMIN, Channel.IMPORT, job.actor_id)
        for number_id, version in facts:
            inside = batch.numbers[number_id]
            if inside.readable:
                command = c.RetractFact(told, version)
                submission = Submission(job.account_id, (number_id,), None, command)
                batch.handle(submission, number_id, histories[number_id] + inside.events)
        if _count(batch):
            await self.store(conn, batch)


NOTHING: Final = Wish()


def _count(batch: Batch) -> int:
    return sum(len(number.events) for number in batch.numbers.values())


def _cut(
    rows: Sequence[Row], new: list[tuple[Cell, Row]], changing: dict[UUID, list[Cell]]
) -> Plan:
    """The first rows of a plan, as many as change no more than LOCKED numbers on record."""
    firsts = sorted(its[0].place for its in changing.values())
    end = firsts[LOCKED] if len(firsts) > LOCKED else len(rows)
    # A row's numbers stay together, and so may be some more than that.
    end = max(end, 1)
    within = {
        number_id: kept
        for number_id, its in changing.items()
        if (kept := [cell for cell in its if cell.place < end])
    }
    now = [(cell, row) for cell, row in new if cell.place < end]
    return Plan(Unit(rows[:end]), now, within, list(rows[end:]))


async def _known(conn: ServiceConnection, ids: Iterable[UUID]) -> dict[UUID, Snapshot | None]:
    rows = await (await conn.execute(KNOWN, (list(ids),))).fetchall()
    return {row[0]: readable_snapshot(row[2]) for row in rows}


def _may_change(job: Job, snapshot: Snapshot, rows: Sequence[Row], its: Sequence[Cell]) -> bool:
    """Whether the record lacks something that a row says: asked without a lock, so asked again."""
    for row in (rows[cell.place] for cell in its):
        for command in commands(row.wish, job.told(row.at, row.line)):
            if not is_said(snapshot, command, row.at is not None):
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


async def _record(
    conn: ServiceConnection,
    batch: Batch,
    number_id: UUID,
    e164: str,
    command: c.Command,
    timed: bool,
) -> None:
    """Handles a command if it changes where the number stands; else nothing is recorded."""
    inside = batch.numbers[number_id]
    if is_said(inside.snapshot, command, timed):
        return
    account = batch.accounts[inside.account_id]
    submission = Submission(inside.account_id, (number_id,), e164, command)
    history = None
    try:
        changes = _changes(inside, account, batch.now, command, None)
    except HistoryNeededError:
        history = await loading.load_history(conn, number_id) + inside.events
        changes = _changes(inside, account, batch.now, command, history)
    if changes:
        batch.handle(submission, number_id, history)


def _changes(
    inside: NumberInBatch, account: Account, now: int, command: c.Command, history: Any
) -> bool:
    trial = PhoneNumber(inside.number_id, account, inside.snapshot, now, history=history)
    handle(trial, command)
    return trial.standing != inside.snapshot.standing


def counts(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    """How many rows came to what."""
    found = {"accepted": 0, "unchanged": 0, "rejected": 0, "partly_rejected": 0}
    for verdict in verdicts:
        status = verdict.status
        found[status] += 1
        if verdict.faults and status != "rejected":
            found["partly_rejected"] += 1
    return {"rows": len(verdicts), **found}
