"""How much of the time lists are worked on: all of it, or less while the service is busy.

Priorities do not do it: a worker's priority is lower, and that of the database's processes behind
it is the same as of those behind a check.
"""

import asyncio
import ctypes
import time
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.5
"""How often the service looks at how busy it is."""
BUSY: Final = 0.1
"""The share of a processor from which the service is busy: who follows an import stays below."""
FULL: Final = 0.6
"""The share from which lists rest the most: a load that they slow is above, however slow it is."""
TOLD_SECONDS: Final = 1.5
"""How long the worker takes the service for as busy as it said: a few of its looks."""
REST: Final = 6.0
"""Seconds of rest for each second of work at the most: with two, commands kept half their rate, and
with four, checks kept 0.44 to 0.65 of theirs, with six 0.59 and 0.65."""
LONGEST: Final = 0.5
"""Seconds of work that are rested for at once, so that progress is seen."""

FIELDS: Final = 2
"""What a process writes on the board: its share, and when that was."""

Clock = Callable[[], float]
Shares = list[float] | ctypes.Array[ctypes.c_double]


class Look:
    """How busy this process is."""

    def __init__(self, clock: Clock = time.monotonic, used: Clock = time.process_time) -> None:
        self._clock = clock
        self._used = used
        self._at = clock(), used()

    def share(self) -> float:
        """The share of a processor that it took since the last look, between 0 and 1."""
        (at, used), now = self._at, (self._clock(), self._used())
        self._at = now
        return min(1.0, (now[1] - used) / max(now[0] - at, 0.001))


class Board:
    """How busy the processes of one service are: each writes its own share, and reads all.

    In memory that they share: what they say to each other twice a second is no matter for the
    database. Processes of other machines are not seen, nor is what they take of a processor.
    """

    def __init__(self, shares: Shares, place: int, clock: Clock = time.monotonic) -> None:
        self._shares = shares
        self._at = FIELDS * place
        self._clock = clock

    def tell(self, share: float) -> None:
        """Writes the share of this process."""
        self._shares[self._at : self._at + FIELDS] = [share, self._clock()]

    def share(self) -> float:
        """What all of them take together; of one that has not said it lately, nothing."""
        since, shares = self._clock() - TOLD_SECONDS, list(self._shares)
        told = zip(shares[::FIELDS], shares[1::FIELDS], strict=True)
        taken: float = sum(share for share, at in told if at > since)
        return min(1.0, taken)


class Pace:
    """The worker's pace."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._told = self._rested = clock()
        self._share = 0.0

    def busy(self, share: float) -> None:
        """The service said how busy it is."""
        self._told, self._share = self._clock(), share

    async def rest(self) -> None:
        """Rests for the work since the last rest: the longer, the busier the service is."""
        now = self._clock()
        if now < self._told + TOLD_SECONDS and self._share > BUSY:
            busy = min(1.0, (self._share - BUSY) / (FULL - BUSY))
            await asyncio.sleep(REST * busy * min(now - self._rested, LONGEST))
        self._rested = self._clock()
