"""A body between who sends it and who works on it, in bounded memory.

Many clients send all of a list before they read the first row of the answer. What the answer is
behind with goes to a temporary file that has no name, and is gone when the list is done.
"""

import asyncio
from tempfile import TemporaryFile
from typing import IO, Final

SEGMENT: Final = 1_048_576
"""Bytes in memory; past this they go to the file."""
SPOOL_LIMIT: Final = 2 * 1024**3
"""Bytes of the file: a client that is further ahead waits, and a disk is not filled."""
STALL_SECONDS: Final = 60
"""A client who sends nothing for so long is gone; the database would keep old rows for them."""


class SenderGoneError(Exception):
    """The client went away, or stalled."""


class Spool:
    """One end puts, the other takes."""

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._read = self._written = 0
        self._changed = asyncio.Condition()
        self._ended = False
        self._gone = False

    async def put(self, data: bytes) -> None:
        """Takes a part; waits where too much lies here already."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._written < SPOOL_LIMIT)
            self._tail.append(data)
            self._size += len(data)
            if self._size >= SEGMENT:
                await asyncio.to_thread(self._write, self._take_tail())
            self._changed.notify_all()

    async def end(self, gone: bool = False) -> None:
        """Nothing more comes; `gone` where that is not the whole."""
        async with self._changed:
            self._ended, self._gone = True, gone
            self._changed.notify_all()

    async def take(self) -> bytes:
        """The next part; nothing at the end. SenderGoneError where the end will never come."""
        async with self._changed:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await self._changed.wait_for(self._has_some)
            except TimeoutError:
                raise SenderGoneError from None
            if self._gone:
                raise SenderGoneError
            in_file = self._written > self._read
            data = await asyncio.to_thread(self._read_on) if in_file else self._take_tail()
            self._changed.notify_all()
            return data

    def close(self) -> None:
        """Lets the file go."""
        if self._file is not None:
            self._file.close()

    def _has_some(self) -> bool:
        return self._written > self._read or bool(self._tail) or self._ended

    def _take_tail(self) -> bytes:
        whole = b"".join(self._tail)
        self._tail, self._size = [], 0
        return whole

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = TemporaryFile(prefix="consent-ledger-scrub-")  # noqa: SIM115
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)

    def _read_on(self) -> bytes:
        assert self._file is not None
        self._file.seek(self._read)
        data = self._file.read(SEGMENT)
        self._read += len(data)
        if self._read == self._written:
            self._file.truncate(0)
            self._read = self._written = 0
        return data
