"""The worker as the service sees it: a process that is told things, and says what it is at."""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final
from uuid import UUID

import msgspec

from api.importing.orders import Orders, list_told

WISHED: Final = frozenset({0, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})
"""How a process ends that came to its end, or was asked to."""


class Clerk:
    """A worker that was started."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._at: UUID | None = None
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def start(cls, orders: Orders) -> "Clerk":
        """Starts one; OSError where there is no room for it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.importing.worker", stdin=PIPE, stdout=PIPE
        )
        found = cls(process)
        await found.tell(msgspec.json.encode(orders) + b"\n")
        return found

    @property
    def works(self) -> bool:
        """Whether its process runs."""
        return self._process.returncode is None

    async def tell(self, line: bytes) -> bool:
        """Whether it may have heard; a process that has just ended did not."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError):
            # The second is uvloop's, of a pipe whose other end it has already seen to be gone.
            return False
        return True

    async def ended(self) -> tuple[UUID | None, bool]:
        """Waits for its end: the list that it was at, and whether somebody wished that it ends."""
        status = await self._process.wait()
        await self._hearing
        return self._at, status in WISHED

    async def end(self, patience: float) -> UUID | None:
        """Ends it, which has so many seconds to do so itself; the list that it was at."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        at, _ = await self.ended()
        return at

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._at = list_told(line)
