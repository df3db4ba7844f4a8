"""Whole streams with the rows that stand beside them, number by number.

Events and each table of rows come by a cursor of their own, in the order of ids, and are merged
here: a reader holds one number at a time, and a little of what is to come.
"""

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection, adapters, sql
from psycopg.pq import Format
from psycopg.types.string import ByteaBinaryLoader

from consent_ledger.facts import Event
from consent_ledger.store.mapper import MAPPER

SETTINGS: Final = (
    # For the server's sorts: past it a sort goes on in files, which costs half as much again.
    "SET LOCAL work_mem = '64MB'",
    # All rows will be fetched, so the cheapest way to all of them is wanted, not to the first.
    "SET LOCAL cursor_tuple_fraction = 1",
)
AT_A_TIME: Final = 2_000
"""Rows of a fetch: some hundred kilobytes, and a round trip is nothing beside them."""

EVENTS: Final = sql.SQL("""
SELECT originator_id, account_id, originator_version, recorded_at, position, topic, state
FROM events WHERE {} ORDER BY originator_id, originator_version""")
ROWS: Final = sql.SQL("SELECT {columns} FROM {name} WHERE {range} ORDER BY {id}")

Sent = tuple[Any, ...]
"""What was read of a row; ids are bytes, as they are only compared."""

_UUID: Final = adapters.types["uuid"].oid
_PAST_ALL: Final = b"\xff" * 17
"""More than any id."""
_ID: Final = itemgetter(0)


class Table(NamedTuple):
    """A table of rows beside the events: its name, and its columns, first that of the stream."""

    name: str
    columns: Sequence[str]


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
    """The events of one number or account, and the rows beside them, each with its table.

    `ids` are the number's and the account's, as rows have them. Rows of ids that have no events
    come with a later stream, or at the end with streams that have none.
    """

    ids: tuple[bytes, bytes]
    events: list[Event]
    rows: list[tuple[str, Sent]]


def read_streams(
    conn: Connection[Any], tables: Sequence[Table] = (), within: Range = Range()
) -> Generator[Stream]:
    """Every stream of the range, by id; needs a transaction, for `tables` one of a single instant.

    UnreadableEventError where an event cannot be read.
    """
    for setting in SETTINGS:
        conn.execute(setting.encode())
    with ExitStack() as stack:
        events, *others = [
            stack.enter_context(closing(_blocks(conn, place, query)))
            for place, query in enumerate(_queries(tables, within))
        ]
        beside = _Beside([table.name for table in tables], others)
        accounts: dict[bytes, UUID] = {}
        for raw_id, raw_events in groupby(chain.from_iterable(events), key=_ID):
            yield _stream(list(raw_events), beside.until(raw_id), accounts)
        for rows in beside.rest():
            yield Stream((b"", b""), [], rows)


class _Beside:
    """The rows of all tables, fetched in blocks a little ahead of the events."""

    def __init__(self, names: Sequence[str], blocks: Sequence[Iterator[list[Sent]]]) -> None:
        self._blocks = list(zip(names, blocks, strict=True))
        self._reached = [b""] * len(names)
        self._all_below = b""
        self._by_id: dict[bytes, list[tuple[str, Sent]]] = defaultdict(list)

    def until(self, raw_id: bytes) -> list[tuple[str, Sent]]:
        """The rows of an id; now and then with those of ids before it that nobody asked for."""
        if raw_id < self._all_below:
            return self._by_id.pop(raw_id, [])
        self._fetch_past(raw_id)
        passed = [each for each in self._by_id if each <= raw_id]
        return [row for each in passed for row in self._by_id.pop(each)]

    def rest(self) -> Iterator[list[tuple[str, Sent]]]:
        """What was not taken, a block at a time."""
        yield from self._by_id.values()
        for name, blocks in self._blocks:
            for block in blocks:
                yield [(name, row) for row in block]

    def _fetch_past(self, raw_id: bytes) -> None:
        for place, (name, blocks) in enumerate(self._blocks):
            # Rows of the last id of a block may go on in the next one.
            while self._reached[place] <= raw_id:
                block = next(blocks, [])
                self._reached[place] = block[-1][0] if block else _PAST_ALL
                for row in block:
                    self._by_id[row[0]].append((name, row))
        self._all_below = min(self._reached, default=_PAST_ALL)


_uuid: Final = adapters.get_loader(_UUID, Format.BINARY)(_UUID).load  # type: ignore[misc]
"""Of 16 bytes; the standard library's own way takes ten times as long."""


def _stream(
    raw_events: list[Sent], rows: list[tuple[str, Sent]], accounts: dict[bytes, UUID]
) -> Stream:
    raw_id, raw_account, *_ = raw_events[0]
    originator_id, account_id = _uuid(raw_id), accounts.get(raw_account)
    if account_id is None:
        account_id = accounts[raw_account] = _uuid(raw_account)
    decode = MAPPER.decode
    events = []
    for _, _, version, recorded_at, position, topic, state in raw_events:
        context, fact = decode(topic, state)
        events.append(
            Event(originator_id, version, account_id, recorded_at, context, fact, position)
        )
    return Stream((raw_id, raw_account), events, rows)


def _queries(tables: Sequence[Table], within: Range) -> Iterator[sql.Composed]:
    yield EVENTS.format(within.of("originator_id"))
    for table in tables:
        yield ROWS.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
            name=sql.Identifier(table.name),
            range=within.of(table.columns[0]),
            id=sql.Identifier(table.columns[0]),
        )


def _blocks(conn: Connection[Any], place: int, query: sql.Composed) -> Generator[list[Sent]]:
    with conn.cursor(f"streams_{place}") as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        cursor.execute(query, binary=True)
        while rows := cursor.fetchmany(AT_A_TIME):
            yield rows
