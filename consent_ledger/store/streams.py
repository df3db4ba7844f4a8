"""Whole streams with the rows that stand beside them, number by number, in one COPY.

The server sorts events and rows of read models into one another, so a reader holds one number at a
time. A row comes as the server's own bytes of a record, to be compared as it is.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection, Copy, OperationalError, sql

from consent_ledger.facts import Event
from consent_ledger.store.mapper import MAPPER

SORT_MEMORY: Final = "64MB"
"""For the server's sort: past it the sort goes on in files, which costs half as much again."""

EVENTS: Final = sql.SQL("""
SELECT originator_id AS id, originator_version AS n, account_id, position, recorded_at, topic, state
FROM events WHERE {}""")
ROWS: Final = sql.SQL("""
SELECT {key}, {n}, {key}, 0::bigint, 0::bigint, {table}, record_send(ROW({columns}))
FROM {name} WHERE {range}""")
COPY: Final = sql.SQL("COPY ({} ORDER BY 1, 2) TO STDOUT (FORMAT BINARY)")

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROW: Final = Struct(">hi16siii16siqiqi")
"""Seven fields, each after its length; none of the first six is ever null."""
_TRAILER: Final = b"\xff\xff"


class Table(NamedTuple):
    """A table of rows beside the events: its name, its columns, the one that names the stream."""

    name: str
    columns: Sequence[str]
    key: str


class Range(NamedTuple):
    """Streams from `low` on and below `high`; None is no bound."""

    low: UUID | None = None
    high: UUID | None = None

    def of(self, column: str) -> sql.Composed:
        """The condition on a column."""
        parts: list[sql.Composable] = [sql.SQL("true")]
        for bound, sign in ((self.low, ">="), (self.high, "<")):
            if bound is not None:
                parts.append(
                    sql.SQL(f"{{}} {sign} {{}}").format(sql.Identifier(column), sql.Literal(bound))
                )
        return sql.SQL(" AND ").join(parts)


class Stream(NamedTuple):
    """The events of one number or account, and its rows: (table, bytes of the record)."""

    originator_id: UUID
    events: list[Event]
    rows: list[tuple[str, bytes]]


def read_streams(
    conn: Connection[Any], tables: Sequence[Table] = (), within: Range = Range()
) -> Generator[Stream]:
    """Every stream of the range by id, as of one instant; needs a transaction.

    UnreadableEventError where an event cannot be read.
    """
    conn.execute(f"SET LOCAL work_mem = '{SORT_MEMORY}'".encode())
    parts = [EVENTS.format(within.of("originator_id"))]
    # Rows come before the events, whose versions begin at 1.
    parts += [_rows(table, -place, within) for place, table in enumerate(tables, 1)]
    query = COPY.format(sql.SQL(" UNION ALL ").join(parts))
    # Closed at once where reading ends early: until then the connection is busy with the COPY.
    with closing(_raw_rows(conn, query)) as raw:
        accounts: dict[bytes, UUID] = {}
        for raw_id, rows in groupby(raw, key=lambda row: row[2]):
            yield _stream(UUID(bytes=raw_id), rows, accounts)


def _stream(
    originator_id: UUID, rows: Iterable[tuple[Any, ...]], accounts: dict[bytes, UUID]
) -> Stream:
    events: list[Event] = []
    beside: list[tuple[str, bytes]] = []
    for _, _, _, _, version, _, raw_account, _, position, _, recorded, topic, state in rows:
        if version < 0:
            beside.append((topic, state))
            continue
        account_id = accounts.get(raw_account)
        if account_id is None:
            account_id = accounts[raw_account] = UUID(bytes=raw_account)
        context, fact = MAPPER.decode(topic, state)
        events.append(Event(originator_id, version, account_id, recorded, context, fact, position))
    return Stream(originator_id, events, beside)


def _rows(table: Table, n: int, within: Range) -> sql.Composed:
    return ROWS.format(
        key=sql.Identifier(table.key),
        n=sql.Literal(n),
        table=sql.Literal(table.name),
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        name=sql.Identifier(table.name),
        range=within.of(table.key),
    )


def _raw_rows(conn: Connection[Any], query: sql.Composed) -> Generator[tuple[Any, ...]]:
    """Rows as the server sends them, their fixed fields taken apart."""
    names: dict[bytes, str] = {}
    with conn.cursor() as cursor, cursor.copy(query) as copy:
        for row in _blocks(copy, conn):
            head = _ROW.unpack_from(row)
            end = _ROW.size + head[-1]
            raw = row[_ROW.size : end]
            topic = names.get(raw)
            if topic is None:
                topic = names[raw] = raw.decode()
            yield (*head[:-1], topic, row[end + 4 :])


def _blocks(copy: Copy, conn: Connection[Any]) -> Iterator[bytes]:
    """What the server sends, a row at a time, straight from libpq.

    psycopg's own loop waits for each row, and takes longer over that than the server over the row.
    """
    row = bytes(copy.read()).removeprefix(_HEADER)
    while row != _TRAILER:
        if row:
            yield row
        size, data = conn.pgconn.get_copy_data(0)
        if size < 0:
            raise OperationalError("the connection ended within a COPY")
        row = bytes(data)
    # What ends the COPY is psycopg's to read again.
    copy.read()
