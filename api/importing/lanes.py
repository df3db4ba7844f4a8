"""One import, unit by unit: the next is written while the one before commits.

A commit waits for the disk and needs no processor, so units take turns on two connections. A unit
notes how far the import is only when the one before has committed: what is committed is always a
beginning of the file.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from itertools import cycle
from typing import Any, Final
from uuid import UUID

from api.importing import book
from api.importing.ahead import Ahead, Group
from api.importing.pace import Pace
from consent_ledger.importing.rows import Row
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.importing import ATTEMPTS, RACES, ImportWriter, Plan, look
from consent_ledger.store.units import Cell

COPIES: Final = 2
"""Tries of a unit in which numbers that seem to be new are copied."""
UNDER_WAY: Final = 2
"""Groups that may not have committed yet while rows are looked up for the one after them."""

WOULD: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS would_change (
    number_id uuid, kind text, PRIMARY KEY (number_id, kind))"""
WOULD_TOO: Final = """
INSERT INTO would_change SELECT DISTINCT * FROM unnest(%b::uuid[], %b::text[])
ON CONFLICT DO NOTHING RETURNING number_id, kind"""
TOLD: Final = """
UPDATE imports SET
    would_opt_out = (SELECT count(*) FROM would_change WHERE kind = 'OptedOut'),
    would_opt_in = (SELECT count(*) FROM would_change AS yes WHERE kind = 'ConsentGranted'
        AND NOT EXISTS (SELECT FROM would_change AS no
            WHERE no.number_id = yes.number_id AND no.kind <> 'ConsentGranted'))
WHERE import_id = %s"""
ANEW: Final = """
UPDATE imports SET line = 0, rows = 0, accepted = 0, unchanged = 0, rejected = 0,
    partly_rejected = 0 WHERE import_id = %s"""

Connection = ServiceConnection


class Turn:
    """A group that is being written; `copied` is set when all that is left is to commit."""

    def __init__(self, before: "Turn | None") -> None:
        self.copied = asyncio.Event()
        self._before = before
        self._task: asyncio.Task[None] | None = None

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Does its work until it is copied; raises what that fails by."""
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(lambda _: self.copied.set())
        await self.copied.wait()
        if self._task.done():
            await self._task

    async def ended(self) -> None:
        """Waits for its commit; raises what it failed by."""
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task.result()

    async def called(self) -> None:
        """Waits for the commit of the one before."""
        if self._before is not None:
            await self._before.ended()
            self._before = None

    async def cancel(self) -> None:
        """Ends it, wherever it is; what is not committed is not there."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])


class Lanes:
    """Writes one import, by turns over the connections that it is given."""

    def __init__(
        self,
        connections: Sequence[Connection],
        writer: ImportWriter,
        found: book.Import,
        pace: Pace,
    ) -> None:
        self._connections = connections
        self._writer = writer
        self._found = found
        self._pace = pace

    async def run(self, groups: Iterator[Group]) -> None:
        """Writes every group, and returns when the last has committed."""
        ahead = asyncio.ensure_future(asyncio.to_thread(next, groups, None))
        written: deque[frozenset[bytes]] = deque(maxlen=UNDER_WAY)
        turns = deque([Turn(None)], maxlen=UNDER_WAY)
        lanes = cycle(self._connections)
        try:
            while (group := await ahead) is not None:
                # The next rows are read, and made ready, while these are written.
                ahead = asyncio.ensure_future(asyncio.to_thread(next, groups, None))
                # What was looked up while its number was being written may be out of date.
                fresh = all(group.ids.isdisjoint(ids) for ids in written)
                written.append(group.ids)
                if len(self._connections) == 1:
                    await turns[-1].ended()
                turn = Turn(turns[-1])
                turns.append(turn)
                await turn.begin(self._group(next(lanes), turn, group, fresh))
                await self._pace.rest()
            await turns[-1].ended()
        finally:
            for turn in reversed(turns):
                await turn.cancel()
            await asyncio.wait([ahead])

    async def _group(self, conn: Connection, turn: Turn, group: Group, fresh: bool) -> None:
        rows, cells = group.rows, group.cells
        ahead = group.ahead if fresh else None
        while rows:
            rows = await self._unit(conn, turn, rows, cells, ahead)
            cells, ahead = self._writer.cells(self._found.account_id, rows), None

    async def _unit(
        self,
        conn: Connection,
        turn: Turn,
        rows: list[Row],
        cells: Sequence[Cell],
        ahead: Ahead | None,
    ) -> list[Row]:
        """Writes the first rows, and returns those left."""
        for attempt in range(ATTEMPTS):
            if ahead is None or attempt > 0:
                await turn.called()
                known = await look(conn, cells)
                # A number that was thought new and is not, twice, goes the careful way.
                copies = attempt < COPIES
                plan = self._writer.plan(self._found.job, rows, cells, known, copies=copies)
                ahead = Ahead(plan, None, None)
            try:
                await self._write(conn, turn, ahead)
                return ahead.plan.later
            except RACES:
                if attempt == ATTEMPTS - 1 or turn.copied.is_set():
                    raise
                await asyncio.sleep(0.002 * attempt)
        return rows

    async def _write(self, conn: Connection, turn: Turn, ahead: Ahead) -> None:
        plan, ready, page = ahead
        if self._found.dry_run:
            return await self._dry_run(conn, plan)
        async with conn.transaction():
            as_it_was = await self._writer.write(conn, self._found.job, plan, ready)
            if page is None or not as_it_was:
                page = book.page(plan.unit.verdicts())
            await turn.called()
            await book.keep_unit(conn, self._found.import_id, page)
            if not plan.later:
                turn.copied.set()
        return None

    async def _dry_run(self, conn: Connection, plan: Plan) -> None:
        """Notes what a unit would record, and not what earlier rows of the file would have."""
        await self._writer.write(conn, self._found.job, plan, dry=True)
        noted = plan.unit.noted()
        ids, kinds = [each[0] for each in noted], [each[1] for each in noted]
        async with conn.transaction():
            fresh = await (await conn.execute(WOULD_TOO, (ids, kinds))).fetchall()
            plan.unit.keep_only(set(fresh))
            await book.keep_unit(conn, self._found.import_id, book.page(plan.unit.verdicts()))


async def begin_dry_run(conn: Connection, import_id: UUID) -> None:
    """Forgets an earlier attempt: what it would change is kept for the connection alone."""
    await conn.execute(WOULD)
    await conn.execute("TRUNCATE would_change")
    async with conn.transaction():
        await conn.execute("DELETE FROM import_units WHERE import_id = %s", (import_id,))
        await conn.execute(ANEW, (import_id,))


async def end_dry_run(conn: Connection, import_id: UUID) -> None:
    """Tells what the whole file would change."""
    await conn.execute(TOLD, (import_id,))
