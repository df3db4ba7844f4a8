"""A dry run: the whole effect of a list, told without recording any of it.

Each unit is tried out upon what is on record and what the units before it would have recorded: what
rows said is kept for the connection alone, and said again before the next row about the number.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from api.importing import book
from consent_ledger.importing.rows import Row
from consent_ledger.importing.wishes import Wish
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.importing import ImportWriter
from consent_ledger.store.plans import Plan, look, make_plan
from consent_ledger.store.rows_of_number import Earlier, Outcome
from consent_ledger.store.units import Cell

TABLES: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS would_say"
    " (number_id uuid, unit bigint, line bigint, wish bytea, at bigint)",
    "CREATE INDEX IF NOT EXISTS would_say_of ON would_say (number_id)",
    "CREATE TEMPORARY TABLE IF NOT EXISTS would_be"
    " (number_id uuid PRIMARY KEY, opts_out boolean, opts_in boolean)",
    "TRUNCATE would_say, would_be",
)
ANEW: Final = """
UPDATE imports SET line = 0, rows = 0, accepted = 0, unchanged = 0, rejected = 0,
    partly_rejected = 0 WHERE import_id = %s"""
SAID: Final = """
SELECT uuid_send(number_id), unit, line, wish, at FROM would_say WHERE number_id = ANY(%b::uuid[])
"""
SAY: Final = """
INSERT INTO would_say
SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bigint[])"""
BE: Final = """
INSERT INTO would_be SELECT * FROM unnest(%b::uuid[], %b::boolean[], %b::boolean[])
ON CONFLICT (number_id) DO UPDATE
SET opts_out = excluded.opts_out, opts_in = excluded.opts_in"""
TOLD: Final = """
UPDATE imports SET
    would_opt_out = (SELECT count(*) FROM would_be WHERE opts_out),
    would_opt_in = (SELECT count(*) FROM would_be WHERE opts_in)
WHERE import_id = %s"""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Wish).decode


class Trial:
    """The dry run of one import."""

    def __init__(self, conn: ServiceConnection, writer: ImportWriter, found: book.Import) -> None:
        self._conn = conn
        self._writer = writer
        self._found = found

    async def begin(self) -> None:
        """Forgets an earlier attempt."""
        for statement in TABLES:
            await self._conn.execute(statement.encode())
        async with self._conn.transaction():
            params = (self._found.import_id,)
            await self._conn.execute("DELETE FROM import_units WHERE import_id = %s", params)
            await self._conn.execute(ANEW, params)

    async def unit(self, rows: list[Row], cells: Sequence[Cell]) -> list[Row]:
        """Tries out the first rows, and returns those left."""
        conn, job = self._conn, self._found.job
        earlier = await self._said(cells)
        known = await look(conn, job.account_id, cells)
        known |= await self._writer.foresee(conn, job, earlier)
        plan = make_plan(job, rows, cells, known)
        outcomes = await self._writer.try_out(conn, job, plan, earlier)
        async with conn.transaction():
            await self._keep(plan, outcomes)
            await book.keep_unit(conn, self._found.import_id, book.page(plan.unit.verdicts()))
        return plan.later

    async def end(self) -> None:
        """Tells what the whole file would change."""
        await self._conn.execute(TOLD, (self._found.import_id,))

    async def _said(self, cells: Iterable[Cell]) -> Earlier:
        """What rows of units before said of numbers, in the order in which they were heard."""
        ids = [UUID(bytes=each) for cell in cells for each in cell.ids]
        cursor = await self._conn.execute(SAID, (ids,), prepare=True, binary=True)
        found: dict[bytes, list[tuple[int, Row]]] = {}
        for number_id, unit, line, wish, at in await cursor.fetchall():
            row = Row(line, None, (), _decode(wish), at, ())
            found.setdefault(bytes(number_id), []).append((unit, row))
        return {number_id: _in_order(its) for number_id, its in found.items()}

    async def _keep(self, plan: Plan, outcomes: Mapping[bytes, Outcome]) -> None:
        rows, unit = plan.unit.rows, plan.unit.rows[0].line
        said = [(cell.ids[0], row) for cell, row in plan.new]
        said += [(i.bytes, rows[cell.place]) for i, its in plan.changing.items() for cell in its]
        ids = [UUID(bytes=number_id) for number_id, _ in said]
        lines, ats = [row.line for _, row in said], [row.at for _, row in said]
        wishes = [_encode(row.wish) for _, row in said]
        await self._conn.execute(SAY, (ids, [unit] * len(ids), lines, wishes, ats), prepare=True)
        become = list(outcomes.values())
        params = (
            [UUID(bytes=number_id) for number_id in outcomes],
            [each.opts_out for each in become],
            [each.opts_in for each in become],
        )
        await self._conn.execute(BE, params, prepare=True)


def _in_order(its: list[tuple[int, Row]]) -> list[Row]:
    """Unit by unit, of each the strictest first, as `ImportWriter` hears them."""
    return [row for _, row in sorted(its, key=_heard)]


def _heard(said: tuple[int, Row]) -> tuple[int, int, int]:
    unit, row = said
    return unit, row.wish.strictness, row.line
