"""The rows of a number that is new, as a template: made once for all of which a list says the same.

Such numbers have the same events and rows, but for the number, the time and the line. So the domain
and the read models are asked once, about a sample; for each number its own values are put in the
sample's place.
"""

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from consent_ledger.account import Account
from consent_ledger.commands import Command
from consent_ledger.ledger import Submission
from consent_ledger.snapshot import Snapshot
from consent_ledger.store.batch import Batch, NumberInBatch
from consent_ledger.store.projection import Column, Projection
from consent_ledger.store.statement import EVENTS, NUMBERS

SAMPLE_ID: Final = UUID("8f3c0d4e-6a17-8b52-9d0e-71c2a5b4f693")
SAMPLE_NUMBER: Final = "+999000999000999"
SAMPLE_AT: Final = 1_203_040_506_070_809
SAMPLE_LINE: Final = 908_070_605_040_302
"""Values that nothing else in a row can equal."""

NULL: Final = struct.pack("!i", -1)
TRUE: Final = b"\1"

ID, NUMBER, AT_TEXT, AT, LINE = range(5)
"""What the rows of a number have of their own, in the order of `Own`."""
GAPS: Final = {
    SAMPLE_ID.bytes: ID,
    SAMPLE_NUMBER.encode(): NUMBER,
    str(SAMPLE_AT).encode(): AT_TEXT,
    SAMPLE_AT.to_bytes(8): AT,
    str(SAMPLE_LINE).encode(): LINE,
}
"""How each stands in the sample's rows."""

HOLE: Final = bytes(8)
"""Where a position goes: it is known only when the transaction has begun."""

REPORT: Final = "opt_out_report"
SHOWN: Final = (
    Column("account_id", "uuid"),
    Column("number_id", "uuid"),
    Column("e164", "text"),
    Column("source", "text"),
    Column("since", "bigint"),
)
"""The report's rows in the order of its pages, which triggers keep otherwise."""

_SAMPLES: Final = re.compile(b"(%s)" % b"|".join(map(re.escape, GAPS)), re.DOTALL)
LONG: Final = struct.Struct("!q")

Own = tuple[bytes, ...]
Widths = tuple[int, int, int]
Field = bytes | int | None
"""A value of the sample's row: its bytes, the place of an event, or none."""
Cuts = list[tuple[str, "Cut"]]


class Template:
    """The rows of a new number, by table, with gaps for what is its own."""

    def __init__(
        self,
        account: Account,
        commands: Sequence[Command],
        now: int,
        projections: Sequence[Projection],
    ) -> None:
        sample = NumberInBatch(account.account_id, SAMPLE_ID, 0, Snapshot())
        batch = Batch({SAMPLE_ID: sample}, {account.account_id: account}, {}, now)
        for command in commands:
            submission = Submission(account.account_id, (SAMPLE_ID,), SAMPLE_NUMBER, command)
            batch.handle(submission, SAMPLE_ID)
        self.topics = tuple(event.topic for event in sample.events)
        sets = iter(batch.row_sets(projections))
        tables = {"events": _rows(next(sets), EVENTS)}
        next(sets)  # Claims: a list makes none.
        tables["numbers"] = _rows(next(sets), NUMBERS)
        next(sets)  # Words: a list holds none.
        for projection in projections:
            tables[projection.table] = _rows(next(sets), projection.columns)
            if projection.removes:
                next(sets)  # Nothing of a new number can go.
            if projection.table == REPORT:
                tables["opt_outs_shown"] = _shown(tables[REPORT], projection.columns)
        self.shown = tuple(map(_source, tables.get("opt_outs_shown", ())))
        self._tables = {table: rows for table, rows in tables.items() if rows}
        self._cut: dict[Widths, Cuts] = {}

    def cut(self, own: Own) -> Cuts:
        """The rows of each table, cut for values as long as these."""
        widths = len(own[NUMBER]), len(own[AT_TEXT]), len(own[LINE])
        found = self._cut.get(widths)
        if found is None:
            found = [(table, Cut(rows, own)) for table, rows in self._tables.items()]
            self._cut[widths] = found
        return found


class Cut:
    """Rows of one table for values of certain lengths: each number's are a matter of formatting.

    `holes` are the places of its positions among the bytes, each with the event's place.
    """

    def __init__(self, rows: Sequence[Sequence[Field]], own: Own) -> None:
        self.size = 0
        self.holes: list[tuple[int, int]] = []
        pattern: list[bytes] = []
        gaps: list[int] = []

        def add(data: bytes) -> None:
            pattern.append(data.replace(b"%", b"%%"))
            self.size += len(data)

        for row in rows:
            add(struct.pack("!h", len(row)))
            for value in row:
                if value is None:
                    add(NULL)
                elif isinstance(value, int):
                    add(struct.pack("!i", len(HOLE)))
                    self.holes.append((self.size, value))
                    add(HOLE)
                else:
                    pieces = [GAPS.get(piece, piece) for piece in _SAMPLES.split(value)]
                    add(struct.pack("!i", sum(len(_filled(piece, own)) for piece in pieces)))
                    for piece in pieces:
                        if isinstance(piece, int):
                            gaps.append(piece)
                            pattern.append(b"%b")
                            self.size += len(own[piece])
                        else:
                            add(piece)
        self.pattern = b"".join(pattern)
        self.own = _getter(gaps)


def _filled(piece: bytes | int, own: Own) -> bytes:
    return own[piece] if isinstance(piece, int) else piece


def own_values(number_id: bytes, e164: bytes, at: int, line: int) -> Own:
    """What the rows of a number have of their own: its id and itself, the time and the line of the
    list that tells of it."""
    return number_id, e164, b"%d" % at, LONG.pack(at), b"%d" % line


def _getter(gaps: Sequence[int]) -> Callable[[Own], Own]:
    if len(gaps) > 1:
        return itemgetter(*gaps)
    # With one gap, itemgetter would give the value itself.
    return lambda own: tuple(own[gap] for gap in gaps)


def _rows(rows: Iterable[tuple[Any, ...]], columns: Sequence[Column]) -> list[list[Field]]:
    return [
        [_field(value, column) for value, column in zip(row, columns, strict=True)] for row in rows
    ]


def _field(value: Any, column: Column) -> Field:
    """A value as COPY's binary format has it; that of a position is its place."""
    if value is None:
        return None
    match column.type:
        case "position":
            return int(value)
        case "uuid":
            return bytes(value.bytes)
        case "integer":
            return struct.pack("!i", value)
        case "bigint":
            return LONG.pack(value)
        case "boolean":
            return TRUE if value else b"\0"
        case "bytea":
            return bytes(value)
        case "text":
            return str(value).encode()
    raise TypeError(f"no read model has had a column of type {column.type}")


def _source(row: Sequence[Field]) -> bytes:
    source = row[SHOWN.index(Column("source", "text"))]
    assert isinstance(source, bytes)
    return source


def _shown(rows: Iterable[Sequence[Field]], columns: Sequence[Column]) -> list[list[Field]]:
    """What the report shows of a number, of its opt-outs."""
    names = [column.name for column in columns]
    found = []
    for row in rows:
        named = dict(zip(names, row, strict=True))
        if named["shown"] == TRUE:
            named["e164"] = SAMPLE_NUMBER.encode()
            found.append([named[column.name] for column in SHOWN])
    return found
