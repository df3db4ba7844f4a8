"""Numbers that are new to the ledger, written by COPY: the rows of all, by their templates.

`tests/store/test_importing.py` holds the rows to what the events make of them. They are in COPY's
binary format: the server reads it in some four fifths of the time that it takes for text.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from consent_ledger.store.binary import array
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.projection import Projection
from consent_ledger.store.statement import EVENTS, NUMBERS
from consent_ledger.store.template import AT, LONG, SHOWN, Own, Template

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER: Final = struct.pack("!h", -1)
FILLED: Final = """
WITH counted AS (
    INSERT INTO opt_out_counts (account_id, day, source, numbers)
    SELECT $1::uuid, * FROM unnest($2::integer[], $3::text[], $4::bigint[])
)
SELECT set_config('consent_ledger.filled', 'on', true)"""
"""Counts opt-outs by day, and tells the report's triggers that theirs is done: by their joins an
import takes some 15% longer."""
NOT_FILLED: Final = "SELECT set_config('consent_ledger.filled', '', true)"
DAY: Final = 86_400_000_000


class Copies:
    """The rows of new numbers of an account, ready to be sent but for their positions."""

    def __init__(self, account_id: UUID, found: Iterable[tuple[Template, Own]]) -> None:
        self.events = 0
        shown: Counter[tuple[bytes, bytes]] = Counter()
        tables: dict[str, _Rows] = {}
        for template, own in found:
            for table, cut in template.cut(own):
                rows = tables.get(table)
                if rows is None:
                    rows = tables[table] = _Rows()
                rows.lines.append(cut.pattern % cut.own(own))
                for hole, place in cut.holes:
                    rows.holes.append((rows.size + hole, self.events + place))
                rows.size += cut.size
            for source in template.shown:
                shown[source, own[AT]] += 1
            self.events += len(template.topics)
        self.counts = _counts(account_id, shown)
        self._rows = {table: (rows.data(), rows.holes) for table, rows in tables.items()}

    def of(self, table: str, base: int) -> bytearray | None:
        """What COPY takes for a table, the first event at a position."""
        data, holes = self._rows.get(table, (None, ()))
        for hole, place in holes:
            LONG.pack_into(data, hole, base + place)  # type: ignore[arg-type]
        return data


def _counts(account_id: UUID, shown: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    """How many opt-outs are shown by day and source, as parameters."""
    days: Counter[tuple[int, str]] = Counter()
    for (source, at), count in shown.items():
        days[LONG.unpack(at)[0] // DAY, source.decode()] += count
    return [
        account_id.bytes,
        array("integer", [day for day, _ in days]),
        array("text", [source for _, source in days]),
        array("bigint", list(days.values())),
    ]


class _Rows:
    def __init__(self) -> None:
        self.lines = [HEADER]
        self.holes: list[tuple[int, int]] = []
        self.size = len(HEADER)

    def data(self) -> bytearray:
        self.lines.append(TRAILER)
        return bytearray().join(self.lines)


async def copy_new(
    conn: ServiceConnection, copies: Copies, base: int, projections: Sequence[Projection]
) -> None:
    """Writes new numbers, from this position on; UniqueViolation where one is not new."""
    tables = {
        "events": EVENTS,
        "numbers": NUMBERS,
        **{each.table: each.columns for each in projections},
        "opt_outs_shown": SHOWN,
    }
    await conn.run(FILLED, copies.counts)
    for table, columns in tables.items():
        data = copies.of(table, base)
        if data is not None:
            names = ", ".join(column.name for column in columns)
            statement = f"COPY {table} ({names}) FROM STDIN (FORMAT binary)"
            async with conn.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                await copy.write(data)
    # What else the transaction writes is for the triggers again.
    await conn.run(NOT_FILLED)
