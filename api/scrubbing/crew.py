"""The processes that scrub: started when they are first needed, lent for a block at a time."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from itertools import count
from typing import Final

from api.frames import LENGTH, framed
from api.scrubbing.orders import Done, Scrub, Start, Work, done_of
from api.settings import Settings
from consent_ledger.ledger import UnavailableError

MOST_PROCESSES: Final = 2
"""Beside the service; each takes some 60 MB, and PostgreSQL needs processors too."""
BLOCK_SECONDS: Final = 30.0
"""A process that has not answered by then is stuck, and is ended."""
PIPE_LIMIT: Final = 1_048_576
"""Bytes of an answer that wait in memory."""


class Crew:
    """Lends processes; a list that is scrubbed slowly keeps none from the others."""

    def __init__(self, settings: Settings) -> None:
        self._start = framed(Start(settings.database_url, settings.key.get_secret_value()))
        self.size = min(MOST_PROCESSES, os.cpu_count() or 1)
        self._free: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(self.size):
            self._free.put_nowait(None)
        self._running: set[Process] = set()
        self._under_way: set[asyncio.Task[Done]] = set()
        self.next_scrub: Callable[[], int] = count(1).__next__

    async def answer(self, scrub: Scrub, block: bytes) -> bytes:
        """A block with its answers; UnavailableError where they cannot be found."""
        task = asyncio.create_task(self._lend(Work(scrub, block)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        # Whoever waits may go away; the process has to be read to the end of its answer.
        done = await asyncio.shield(task)
        if done.error is not None:
            raise UnavailableError(f"a block failed: {done.error}")
        return done.block

    async def _lend(self, work: Work) -> Done:
        process = await self._free.get()
        try:
            if process is None or process.returncode is not None:
                process = await self._new()
            async with asyncio.timeout(BLOCK_SECONDS):
                done = await _ask(process, work)
        except (OSError, EOFError, TimeoutError) as error:
            if process is not None:
                self._end(process)
            process = None
            return Done(error=type(error).__name__)
        finally:
            self._free.put_nowait(process)
        return done

    async def _new(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "api.scrubbing.worker",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=PIPE_LIMIT,
        )
        self._running.add(process)
        assert process.stdin is not None
        process.stdin.write(self._start)
        return process

    def _end(self, process: Process) -> None:
        self._running.discard(process)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    async def stop(self) -> None:
        """Ends every process, and waits until it has."""
        for task in self._under_way:
            task.cancel()
        running = list(self._running)
        for process in running:
            self._end(process)
        await asyncio.gather(*(process.wait() for process in running))


async def _ask(process: Process, work: Work) -> Done:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(framed(work))
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(LENGTH))
    return done_of(await process.stdout.readexactly(length))
