"""One import, unit by unit: two are written at a time, and commit in the order of the file.

One alone keeps neither the database busy nor the worker. A unit notes how far the import is only
when the one before has committed: what is committed is always a beginning of the file.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from itertools import cycle
from typing import Any, Final

from api.importing import book
from api.importing.ahead import Ahead, Group
from api.importing.pace import Pace
from api.importing.trial import Trial
from consent_ledger.importing.rows import Row
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.importing import ImportWriter
from consent_ledger.store.plans import LOCKED, look, make_plan
from consent_ledger.store.races import ATTEMPTS, RACES
from consent_ledger.store.units import Cell

COPIES: Final = 2
"""Tries of a unit in which numbers that seem to be new are copied."""
PART: Final = 2 * LOCKED
"""Rows that are looked up again after a cut: what is left of them is looked up a third time."""
LANES: Final = 2
"""Units that are written at a time: with the reading of the next, two cores have enough to do."""
UNDER_WAY: Final = LANES + 1
"""Groups that may not have committed yet while rows are looked up for the one after them."""
PATIENCE: Final = 0.5
"""Seconds that a unit waits for the one before with its numbers locked. A command may hold what the
one before waits for, and wait for one of them: no database sees that circle. A unit takes 0.1 s."""

Connection = ServiceConnection


class KeptWaitingError(Exception):
    """The unit before did not commit in time; it is undone, and waits without holding anything."""


class Turn:
    """A group that is being written; `last` is set when it comes to its last unit."""

    def __init__(self, before: "Turn | None") -> None:
        self.last = asyncio.Event()
        self._before = before
        self._task: asyncio.Task[None] | None = None

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Does its work up to its last unit, which goes on by itself."""
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._over)
        await self.last.wait()

    def _over(self, task: asyncio.Task[None]) -> None:
        self.last.set()
        _hear(task)

    async def ended(self) -> None:
        """Waits for its commit; raises what it failed by."""
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task.result()

    async def called(self, patience: float | None = None) -> None:
        """Waits for the commit of the one before, for so many seconds or without end."""
        if self._before is not None:
            try:
                async with asyncio.timeout(patience):
                    await self._before.ended()
            except TimeoutError:
                raise KeptWaitingError from None
            self._before = None

    async def cancel(self) -> None:
        """Ends it, wherever it is; what is not committed is not there."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])


class Lanes:
    """Writes one import, by turns over the connections that it is given; or tries it out."""

    def __init__(
        self,
        connections: Sequence[Connection],
        writer: ImportWriter,
        found: book.Import,
        pace: Pace,
        trial: Trial | None = None,
    ) -> None:
        self._connections = connections
        self._writer = writer
        self._found = found
        self._pace = pace
        self._trial = trial

    async def run(self, groups: Iterator[Group]) -> None:
        """Writes every group, and returns when the last has committed."""
        ahead = asyncio.ensure_future(asyncio.to_thread(next, groups, None))
        written: deque[frozenset[bytes]] = deque(maxlen=UNDER_WAY)
        turns = deque([Turn(None)], maxlen=len(self._connections))
        lanes = cycle(self._connections)
        try:
            while (group := await ahead) is not None:
                # The next rows are read, and made ready, while these are written.
                ahead = asyncio.ensure_future(asyncio.to_thread(next, groups, None))
                # What was looked up while its number was being written may be out of date.
                fresh = all(group.ids.isdisjoint(ids) for ids in written)
                written.append(group.ids)
                # The one that had this lane before.
                await turns[0].ended()
                turn = Turn(turns[-1])
                turns.append(turn)
                await turn.begin(self._group(next(lanes), turn, group, fresh))
                await self._pace.rest()
            await turns[-1].ended()
        finally:
            for turn in reversed(turns):
                await turn.cancel()
            await asyncio.wait([ahead])
            _hear(ahead)

    async def _group(self, conn: Connection, turn: Turn, group: Group, fresh: bool) -> None:
        rows, cells, rest = group.rows, group.cells, list[Row]()
        ahead = group.ahead if fresh else None
        while rows:
            left = await self._unit(conn, turn, rows, cells, ahead, bool(rest))
            left += rest
            rows, rest = left[:PART], left[PART:]
            cells, ahead = self._writer.cells(self._found.account_id, rows), None

    async def _unit(
        self,
        conn: Connection,
        turn: Turn,
        rows: list[Row],
        cells: Sequence[Cell],
        ahead: Ahead | None,
        more: bool,
    ) -> list[Row]:
        """Writes the first rows, and returns those left; `more` come after them in their turn."""
        if self._trial is not None:
            return await self._trial.unit(rows, cells)
        for attempt in range(ATTEMPTS):
            if ahead is None or attempt > 0:
                await turn.called()
                known = await look(conn, self._found.account_id, cells)
                # A number that was thought new and is not, twice, goes the careful way.
                copies = attempt < COPIES
                locked = LOCKED >> attempt
                plan = make_plan(self._found.job, rows, cells, known, copies=copies, locked=locked)
                ahead = Ahead(plan, None, None)
            try:
                await self._write(conn, turn, ahead, more)
                return ahead.plan.later
            except (*RACES, KeptWaitingError):
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.002 * attempt)
        return rows

    async def _write(self, conn: Connection, turn: Turn, ahead: Ahead, more: bool) -> None:
        plan, ready, page = ahead
        if not plan.later and not more:
            turn.last.set()
        async with conn.transaction():
            as_it_was = await self._writer.write(conn, self._found.job, plan, ready)
            if page is None or not as_it_was:
                page = book.page(plan.unit.verdicts())
            await turn.called(PATIENCE)
            await book.keep_unit(conn, self._found.import_id, page)


def _hear(ended: "asyncio.Future[Any]") -> None:
    """Takes note of what something failed by. Of several failures one is raised; the others would
    be logged with their texts, and a database's may hold the row that it refused."""
    if not ended.cancelled():
        ended.exception()
