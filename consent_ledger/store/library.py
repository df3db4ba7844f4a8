"""The ledger as the eventsourcing library sees it: mapper, recorder, event store and repository.

Nothing of the service uses this: it reads and writes by statements of its own (decision 0004). This
is the proof, by its test, that the events keep the library's protocol (decision 0003), and a way in
for a script that is written with the library: a number at any version of it, and an aggregate saved
by itself. Rows of read models are written in the events' own transaction here too, the library's
'inline' technique. Claims, words and the vault are the writer's alone: what is saved here has none,
so a repetition of it is not known, and its number is kept nowhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import psycopg
from eventsourcing.application import Repository
from eventsourcing.persistence import (
    AggregateRecorder,
    EventStore,
    IntegrityError,
    JSONTranscoder,
    Mapper,
    StoredEvent,
)
from psycopg import Connection

from consent_ledger.facts import Event
from consent_ledger.held import Held, evolve_held
from consent_ledger.snapshot import HistoryNeededError, Snapshot, snapshot_of
from consent_ledger.store.batch import Batch, NumberInBatch, OvertakenError
from consent_ledger.store.codec import decode_held, decode_snapshot
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.projection import Projection
from consent_ledger.store.statement import WriteStatement

LOCK: Final = """
SELECT position, snapshot FROM consent_status WHERE number_id = %s FOR NO KEY UPDATE"""
HELD: Final = "SELECT message_id, held FROM deferred_messages WHERE number_id = %s"
SELECT: Final = f"""
SELECT {COLUMNS} FROM events
WHERE originator_id = %(id)s
    AND (%(gt)s::integer IS NULL OR originator_version > %(gt)s)
    AND (%(lte)s::integer IS NULL OR originator_version <= %(lte)s)
ORDER BY originator_version {{direction}} LIMIT %(limit)s"""


@dataclass(frozen=True)
class LedgerStoredEvent(StoredEvent):
    """A stored event with the columns that the ledger keeps beside the library's four."""

    account_id: UUID
    recorded_at: int
    position: int | None = None


class LedgerMapper(Mapper[UUID]):
    """Maps events to their stored form: stable topics and typed facts, not Python's class names."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: Any) -> LedgerStoredEvent:
        """The stored form of an event."""
        event: Event = domain_event
        return LedgerStoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=MAPPER.topic(event.fact),
            state=MAPPER.encode(event.context, event.fact),
            account_id=event.account_id,
            recorded_at=event.recorded_at,
            position=event.position,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """The event of a stored form; UnreadableEventError where it cannot be read."""
        assert isinstance(stored_event, LedgerStoredEvent)
        context, fact = MAPPER.decode(stored_event.topic, stored_event.state)
        return Event(
            originator_id=UUID(str(stored_event.originator_id)),
            originator_version=stored_event.originator_version,
            account_id=stored_event.account_id,
            recorded_at=stored_event.recorded_at,
            context=context,
            fact=fact,
            position=stored_event.position,
        )


class LedgerRecorder(AggregateRecorder):
    """Records and selects events of numbers over one connection of the service's role."""

    def __init__(
        self, conn: Connection[Any], projections: Sequence[Projection], mapper: LedgerMapper
    ) -> None:
        self._conn = conn
        self._projections = projections
        self._mapper = mapper
        self._statement = WriteStatement(projections)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Inserts events with every read model's rows, or nothing: IntegrityError on a conflict."""
        events = [self._mapper.to_domain_event(stored) for stored in stored_events]
        by_number = sorted(events, key=lambda e: (e.originator_id, e.originator_version))
        try:
            with self._conn.transaction():
                numbers = {
                    number_id: self._number(number_id, list(of_number))
                    for number_id, of_number in groupby(by_number, lambda e: e.originator_id)
                }
                self._write(numbers)
        except (psycopg.errors.UniqueViolation, OvertakenError) as error:
            raise IntegrityError("another writer was first") from error
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The stored events of a number, in order of version or the reverse."""
        params = {"id": originator_id, "gt": gt, "lte": lte, "limit": limit}
        statement = SELECT.format(direction="DESC" if desc else "ASC")
        rows = self._conn.execute(statement.encode(), params).fetchall()
        return [
            LedgerStoredEvent(
                originator_id=row[0],
                originator_version=row[1],
                topic=row[5],
                state=bytes(row[6]),
                account_id=row[2],
                recorded_at=row[4],
                position=row[3],
            )
            for row in rows
        ]

    def _number(self, number_id: UUID, events: list[Event]) -> NumberInBatch:
        row = self._conn.execute(LOCK, (number_id,)).fetchone()
        position, snapshot = (row[0], decode_snapshot(row[1])) if row else (0, Snapshot())
        number = NumberInBatch(events[0].account_id, number_id, position, snapshot)
        number.held_before = self._held(number_id)
        number.held = dict(number.held_before)
        number.events = events
        for event in events:
            evolve_held(number.held, event)
        number.snapshot = self._absorbed(number_id, snapshot, events)
        return number

    def _held(self, number_id: UUID) -> dict[str, Held]:
        rows = self._conn.execute(HELD, (number_id,)).fetchall()
        return {message_id: decode_held(data) for message_id, data in rows}

    def _absorbed(self, number_id: UUID, snapshot: Snapshot, events: list[Event]) -> Snapshot:
        try:
            for event in events:
                snapshot = snapshot.absorb(event)
        except HistoryNeededError:
            stored = self.select_events(number_id)
            return snapshot_of([*map(self._mapper.to_domain_event, stored), *events])
        return snapshot

    def _write(self, numbers: dict[UUID, NumberInBatch]) -> None:
        ordinals = iter(range(sum(len(number.events) for number in numbers.values())))
        for number in numbers.values():
            number.ordinals = {e.originator_version: next(ordinals) for e in number.events}
        batch = Batch(numbers, {}, {}, 0)
        params = self._statement.parameters(batch.row_sets(self._projections))
        ((base,),) = self._conn.execute(self._statement.sql.encode(), params).fetchall()
        batch.check_place(base)


class NumberAtVersion:
    """A number as the library's repository reconstructs it: its id, version and snapshot."""

    def __init__(self, events: list[Event]) -> None:
        self.id = events[-1].originator_id
        self.version = events[-1].originator_version
        self.events = events

    @property
    def snapshot(self) -> Snapshot:
        """What the events up to this version add up to."""
        return snapshot_of(self.events)


def project_number(
    initial: NumberAtVersion | None, events: Iterable[Any] | Iterator[Any]
) -> NumberAtVersion | None:
    """The library's projector function for numbers: None for a number without events."""
    every = [*(initial.events if initial is not None else []), *events]
    return NumberAtVersion(every) if every else None


def event_store(conn: Connection[Any], projections: Sequence[Projection]) -> EventStore[UUID]:
    """The library's event store over the ledger."""
    mapper = LedgerMapper()
    return EventStore(mapper, LedgerRecorder(conn, projections, mapper))


def repository(conn: Connection[Any], projections: Sequence[Projection]) -> Repository[UUID]:
    """The library's repository: `get(number_id, version=n, projector_func=project_number)`."""
    return Repository(event_store(conn, projections))
