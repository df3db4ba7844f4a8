"""Every read model again, from the events alone: to compare with the live rows, or to put right.

Each number's events are folded in order and handed to the same `rows` that run as they commit, as
if all of them had come in one transaction, with their real positions for places in it.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection

from consent_ledger.account import Account, evolve_account
from consent_ledger.facts import Event
from consent_ledger.held import Held, evolve_held
from consent_ledger.snapshot import Snapshot, snapshot_of
from consent_ledger.store.codec import encode_account
from consent_ledger.store.projection import Change, Column
from consent_ledger.store.streams import Range, Stream, Table, read_streams
from projections.inline import PROJECTIONS
from projections.records import Row, fields, packer

EVERYTHING: Final = Range()


class ReadModel(NamedTuple):
    """A table to be rebuilt: its columns, and those of its key, which are its first."""

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


ACCOUNTS: Final = ReadModel(
    "account_status",
    (Column("account_id", "uuid"), Column("version", "integer"), Column("state", "bytea")),
    ("account_id",),
)
"""Where an account stands, which no projection writes: it has no number."""
READ_MODELS: Final = (
    *(ReadModel(each.table, each.columns, each.key) for each in PROJECTIONS),
    ACCOUNTS,
)
MODELS: Final = {model.table: model for model in READ_MODELS}
"""By the name of the table."""
TABLES: Final = tuple(
    Table(each.table, [column.name for column in each.columns], each.key[0]) for each in READ_MODELS
)
_PACK: Final = {model.table: packer(model.columns) for model in READ_MODELS}


class Differing(NamedTuple):
    """A row that is not what the events make of it.

    `what` is `missing`, `extra` or `different`; `row` is what the events make, if they make any.
    """

    table: str
    key: tuple[UUID | str, ...]
    what: str
    row: Row | None


def rebuilt_rows(conn: Connection[Any], within: Range = EVERYTHING) -> Generator[tuple[str, Row]]:
    """The rows that the events make, each with its table; needs a transaction.

    UnreadableEventError where an event cannot be read: nothing may be rebuilt without it.
    """
    with closing(read_streams(conn, within=within)) as streams:
        for stream in streams:
            yield from rows_of(stream)


def differing(
    conn: Connection[Any], within: Range = EVERYTHING
) -> Generator[tuple[int, list[Differing]]]:
    """Number by number its count of events and what differs, as of one instant; needs a
    transaction."""
    with closing(read_streams(conn, TABLES, within)) as streams:
        for stream in streams:
            rows = list(rows_of(stream))
            made = {(table, _PACK[table](row)) for table, row in rows}
            same = made == set(stream.rows)
            yield len(stream.events), [] if same else _compared(stream, rows)


def rows_of(stream: Stream) -> Iterable[tuple[str, Row]]:
    """The rows that the events of one number or account make."""
    if not stream.events:
        return ()
    if stream.originator_id == stream.events[0].account_id:
        return [(ACCOUNTS.table, _account_row(stream))]
    return _number_rows(stream.events)


def _account_row(stream: Stream) -> Row:
    account = Account(stream.originator_id)
    for event in stream.events:
        account = evolve_account(account, event.fact)
    return account.account_id, account.version, encode_account(account)


def _number_rows(events: list[Event]) -> Iterator[tuple[str, Row]]:
    held: dict[str, Held] = {}
    for event in events:
        evolve_held(held, event)
    change = Change(
        account_id=events[0].account_id,
        number_id=events[0].originator_id,
        before=_NOTHING,
        after=snapshot_of(events),
        events=events,
        held_before={},
        held=held,
        ordinals={e.originator_version: e.position for e in events if e.position is not None},
    )
    for projection in PROJECTIONS:
        for row in projection.rows(change):
            yield projection.table, row


_NOTHING: Final = Snapshot()


def _compared(stream: Stream, rows: list[tuple[str, Row]]) -> list[Differing]:
    live = {(table, _key(table, record)): record for table, record in stream.rows}
    found = []
    for table, row in rows:
        record = _PACK[table](row)
        key = _key(table, record)
        was = live.pop((table, key), None)
        if was != record:
            found.append(Differing(table, key, "missing" if was is None else "different", row))
    return found + [Differing(table, key, "extra", None) for table, key in live]


def _key(table: str, record: bytes) -> tuple[UUID | str, ...]:
    """The key of a row, of which the first column is an id and the others are text."""
    first, *others = fields(record, len(MODELS[table].key))
    return UUID(bytes=first), *(each.decode() for each in others)
