"""Every read model again, from the events alone: to compare with the live rows, or to put right.

Each number's events are folded in order and handed to the same `rows` that run as they commit, as
if all of them had come in one transaction, with their real positions for places in it.
"""

from collections.abc import Generator
from contextlib import closing
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection

from consent_ledger.account import Account, evolve_account
from consent_ledger.facts import Event
from consent_ledger.held import Held, evolve_held
from consent_ledger.snapshot import OF_NOTHING, snapshot_of
from consent_ledger.store.codec import encode_account
from consent_ledger.store.projection import Change, Column
from consent_ledger.store.streams import Range, Sent, Stream, Table, read_streams
from projections.inline import PROJECTIONS

Row = tuple[Any, ...]
"""The values of a row of a read model, in the order of its columns."""
EVERYTHING: Final = Range()


class ReadModel(NamedTuple):
    """A table to be rebuilt: its columns, and those of its key, which are its first."""

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def as_read(self) -> tuple[str, ...]:
        """Its columns as they are read to be compared: ids first, of which the rows of a number
        have the same ones."""
        ids = [column.name for column in self.columns if column.type == "uuid"]
        return (*ids, *(column.name for column in self.columns if column.type != "uuid"))


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
_IDS: Final = {each.table: sum(c.type == "uuid" for c in each.columns) for each in READ_MODELS}
"""How many ids the rows of a table begin with, as they are read."""
_OTHERS: Final = {
    each.table: itemgetter(*(i for i, c in enumerate(each.columns) if c.type != "uuid"))
    for each in READ_MODELS
}
"""What a row holds beside the ids, in the order in which it is read."""
TABLES: Final = tuple(Table(each.table, each.as_read) for each in READ_MODELS)


class Differing(NamedTuple):
    """A row that is not what the events make of it.

    `what` is `missing`, `extra` or `different`; `row` is what the events make, if they make any.
    """

    table: str
    key: tuple[UUID | str, ...]
    what: str
    row: Row | None


def differing(
    conn: Connection[Any], within: Range = EVERYTHING
) -> Generator[tuple[int, list[Differing]]]:
    """Number by number its count of events and what differs; needs a transaction of one instant."""
    with closing(read_streams(conn, TABLES, within)) as streams:
        for stream in streams:
            rows = rows_of(stream.events)
            made = _as_read(rows, stream.ids)
            # The order of a number's rows is nobody's matter, and mostly the same.
            same = made == stream.rows or set(made) == set(stream.rows)
            yield len(stream.events), [] if same else _compared(stream, rows, made)


def rows_of(events: list[Event]) -> list[tuple[str, Row]]:
    """The rows that the events of one number or account make."""
    if not events:
        return []
    if events[0].originator_id == events[0].account_id:
        return [(ACCOUNTS.table, _account_row(events))]
    return _number_rows(events)


def _account_row(events: list[Event]) -> Row:
    account = Account(events[0].account_id)
    for event in events:
        account = evolve_account(account, event.fact)
    return account.account_id, account.version, encode_account(account)


def _number_rows(events: list[Event]) -> list[tuple[str, Row]]:
    held: dict[str, Held] = {}
    for event in events:
        evolve_held(held, event)
    change = Change(
        account_id=events[0].account_id,
        number_id=events[0].originator_id,
        before=OF_NOTHING,
        after=snapshot_of(events),
        events=events,
        held_before={},
        held=held,
        ordinals={e.originator_version: e.position for e in events if e.position is not None},
    )
    return [(each.table, row) for each in PROJECTIONS for row in each.rows(change)]


def _as_read(rows: list[tuple[str, Row]], ids: tuple[bytes, bytes]) -> list[tuple[str, Sent]]:
    """The rows of a number or account as they would be read."""
    return [(table, ids[: _IDS[table]] + _OTHERS[table](row)) for table, row in rows]


def _compared(
    stream: Stream, rows: list[tuple[str, Row]], made: list[tuple[str, Sent]]
) -> list[Differing]:
    live = {(table, _key(table, sent)): sent for table, sent in stream.rows}
    found = []
    for (table, row), (_, sent) in zip(rows, made, strict=True):
        key = _key(table, sent)
        was = live.pop((table, key), None)
        if was != sent:
            found.append(Differing(table, key, "missing" if was is None else "different", row))
    return found + [Differing(table, key, "extra", None) for table, key in live]


def _key(table: str, sent: Sent) -> tuple[UUID | str, ...]:
    """The key of a row as it was read: an id, and text."""
    model = MODELS[table]
    first, *others = (sent[model.as_read.index(name)] for name in model.key)
    return UUID(bytes=first), *others
