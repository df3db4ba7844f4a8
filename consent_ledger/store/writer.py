"""Group commit: commands are queued, and the writer of a process takes them a batch at a time.

Several batches may be under way, each in a lane of its own: where the database waits for its disk,
it waits for several at once. A number is in one of them at the most, and its commands are taken in
the order in which they came.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from math import ceil
from typing import Final
from uuid import UUID

from consent_ledger.commands import AskMessage, ReleaseMessage
from consent_ledger.ledger import Receipt, Submission, UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.connection import Connect
from consent_ledger.store.lane import Lane, Waiting
from consent_ledger.store.projection import Projection
from consent_ledger.store.statement import WriteStatement

BATCH: Final = 256
"""Commands in one transaction: past this a batch only adds waiting, as measured on a prototype."""
LANES: Final = 8
"""Batches under way at once: as many reads of a slow disk, each on a connection of its own."""
SHARE: Final = 8
"""Commands that are worth a batch beside another one. With more, fewer lanes are used where callers
are few and the disk is slow; with less, batches cost more than they win."""
PATIENCE: Final = 0.01
"""Seconds that fewer wait for company while another batch is under way."""
TURNS: Final = 2
"""Turns of the event loop in which commands that are already here can join a batch: first their
bytes are read, then their tasks run. An idle loop has nothing to do in them."""
QUEUE: Final = 20_000
"""Commands that may wait; more is answered 503 at once rather than after the caller's time-out."""
ASKED: Final = 15_000
"""Of these, as many may be before a question whether a text may go: a 503 to it keeps a text back,
where one to a STOP may lose it."""


class Writer:
    """The one writer of a process; `record` from any task, `run` in one."""

    def __init__(
        self,
        connect: Connect,
        accounts: AccountCache,
        projections: Sequence[Projection],
        newest_generation: int = 1,
    ) -> None:
        statement = WriteStatement(projections)
        self._idle = [
            Lane(connect, accounts, projections, statement, newest_generation) for _ in range(LANES)
        ]
        self._lanes = tuple(self._idle)
        self._waiting: deque[Waiting] = deque()
        self._stirred = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], list[Waiting]] = {}
        self._numbers: set[UUID] = set()
        self._began = 0.0
        self._patience: asyncio.TimerHandle | None = None
        self.on_batch: Callable[[int], None] = lambda size: None

    async def record(self, submission: Submission) -> Receipt:
        """Records a submission: returns after its commit (see Ledger)."""
        asks = isinstance(submission.command, AskMessage | ReleaseMessage)
        if len(self._waiting) >= (ASKED if asks else QUEUE):
            raise UnavailableError("too many commands wait")
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(submission, future))
        self._stirred.set()
        return await future

    async def run(self) -> None:
        """Takes batches until cancelled; what waits then is answered as unavailable."""
        try:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                self._begin_batches()
        finally:
            await self._stop()

    def _begin_batches(self) -> None:
        while self._waiting and self._idle and self._is_time():
            batch = self._next_batch()
            if not batch:
                return
            self._begin(batch)

    def _begin(self, batch: list[Waiting]) -> None:
        self._began = asyncio.get_running_loop().time()
        self.on_batch(len(batch))
        numbers = {i for waiting in batch for i in waiting.submission.candidates}
        self._numbers |= numbers
        task = asyncio.create_task(self._take(self._idle.pop(), batch, numbers))
        self._under_way[task] = batch
        task.add_done_callback(self._under_way.pop)

    def _is_time(self) -> bool:
        """Whether to begin a batch now; a small one waits a while for those under way to end."""
        if len(self._idle) == LANES or len(self._waiting) >= SHARE:
            return True
        loop = asyncio.get_running_loop()
        since = loop.time() - self._began
        if since >= PATIENCE:
            return True
        if self._patience is None:
            self._patience = loop.call_later(PATIENCE - since, self._lose_patience)
        return False

    def _lose_patience(self) -> None:
        self._patience = None
        self._stirred.set()

    def _next_batch(self) -> list[Waiting]:
        """The share of a lane, without the numbers that are under way; those keep their places."""
        share = min(BATCH, max(SHARE, ceil(len(self._waiting) / len(self._idle))))
        batch: list[Waiting] = []
        passed: list[Waiting] = []
        while self._waiting and len(batch) < share and len(passed) < BATCH:
            waiting = self._waiting.popleft()
            free = self._numbers.isdisjoint(waiting.submission.candidates)
            (batch if free else passed).append(waiting)
        self._waiting.extendleft(reversed(passed))
        return batch

    async def _take(self, lane: Lane, batch: list[Waiting], numbers: set[UUID]) -> None:
        try:
            await lane.take(batch)
        finally:
            self._numbers -= numbers
            self._idle.append(lane)
            self._stirred.set()

    async def _stop(self) -> None:
        under_way = dict(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        # One that was cancelled before its first step has told nobody.
        for waiting in (*chain(*under_way.values()), *self._waiting):
            waiting.settle(UnavailableError("the ledger is stopping"))
        self._waiting.clear()
        for lane in self._lanes:
            await lane.close()
