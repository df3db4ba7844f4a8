"""Numbers that are new to the ledger, written by COPY.

New numbers of which a list says the same have the same events and rows, but for the number, the
time and the line. So the domain and the read models are asked once, about a sample; for each number
its own values are put in the sample's place. `tests/store/test_importing.py` holds the rows to what
the events make of them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

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
"""Values that nothing else in a row can equal; the time has the width of any time since 1970."""
SHORTEST_AT: Final = 1 << 32
"""Times below are written in fewer bytes; `importing.EARLIEST` is later."""


class New(NamedTuple):
    """A number that is new to the ledger, its id as text, and the line of the list that tells."""

    number_id: str
    e164: str
    at: int
    line: int


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
        tables = {"events": _lines(next(sets), EVENTS)}
        next(sets)  # Claims: a list makes none.
        tables["numbers"] = _lines(next(sets), NUMBERS)
        next(sets)  # Words: a list holds none.
        for projection in projections:
            tables[projection.table] = _lines(next(sets), projection.columns)
            if projection.removes:
                next(sets)  # Nothing of a new number can go.
        self._tables = [(table, lines) for table, lines in tables.items() if lines]

    def fill(self, new: New, position: int, into: dict[str, list[str]]) -> None:
        """Adds the lines of one number to those of each table, its first event at a position."""
        at = str(new.at)
        own = {
            "id": new.number_id,
            "number": new.e164,
            "at": at,
            "at_json": at.encode().hex(),
            "at_binary": f"{new.at:016x}",
            "line": str(new.line).encode().hex(),
            "place": position,
        }
        for i in range(1, len(self.topics)):
            own[f"place_{i}"] = position + i
        for table, lines in self._tables:
            into[table].append(lines % own)


def _lines(rows: Iterable[tuple[Any, ...]], columns: Sequence[Column]) -> str:
    return "".join(_line(row, columns) for row in rows)


def _line(row: tuple[Any, ...], columns: Sequence[Column]) -> str:
    fields = [_field(value, column) for value, column in zip(row, columns, strict=True)]
    return "\t".join(fields) + "\n"


def _field(value: Any, column: Column) -> str:
    """One value in COPY's text format, with its gaps."""
    if column.type == "position":
        return f"%(place_{value})s" if value else "%(place)s"
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return r"\\x" + _gaps_in_bytes(value.hex())
    text = str(value).replace("%", "%%").replace("\\", r"\\")
    for character, escaped in (("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r")):
        text = text.replace(character, escaped)
    for sample, gap in ((SAMPLE_ID, "id"), (SAMPLE_NUMBER, "number"), (SAMPLE_AT, "at")):
        text = text.replace(str(sample), f"%({gap})s")
    return text


def _gaps_in_bytes(shown: str) -> str:
    for sample, gap in (
        (str(SAMPLE_AT).encode().hex(), "at_json"),
        (f"{SAMPLE_AT:016x}", "at_binary"),
        (str(SAMPLE_LINE).encode().hex(), "line"),
    ):
        shown = shown.replace(sample, f"%({gap})s")
    return shown


async def copy_new(
    conn: AsyncConnection[Any],
    found: Sequence[tuple[Template, New]],
    base: int,
    projections: Sequence[Projection],
) -> None:
    """Writes new numbers, from this position on; UniqueViolation where one is not new."""
    tables = {
        "events": EVENTS,
        "numbers": NUMBERS,
        **{each.table: each.columns for each in projections},
    }
    lines: dict[str, list[str]] = {table: [] for table in tables}
    position = base
    for template, new in found:
        template.fill(new, position, lines)
        position += len(template.topics)
    for table, columns in tables.items():
        if lines[table]:
            names = ", ".join(column.name for column in columns)
            statement = f"COPY {table} ({names}) FROM STDIN"
            async with conn.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                await copy.write("".join(lines[table]))
