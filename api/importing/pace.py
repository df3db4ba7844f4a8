"""How much of the time lists are worked on: all of it, or less while the service is busy.

Priorities do not do it: a worker's priority is lower, and that of the database's processes behind
it is the same as of those behind a check.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.5
"""How often the service looks at how busy it is."""
BUSY: Final = 0.2
"""The share of a processor from which the service is busy: those who follow an import stay below,
and a load that an import would slow is above, however slow it already is."""
BUSY_SECONDS: Final = 1.5
"""How long the worker takes the service for busy after it said so: a few of its looks."""
REST: Final = 3.0
"""Seconds of rest for each second of work: with two, commands kept just half of their rate."""
LONGEST: Final = 0.5
"""Seconds of work that are rested for at once, so that progress is seen."""

Clock = Callable[[], float]


class Look:
    """How busy this process is."""

    def __init__(self, clock: Clock = time.monotonic, used: Clock = time.process_time) -> None:
        self._clock = clock
        self._used = used
        self._at = clock(), used()

    def busy(self) -> bool:
        """Whether it was, since the last look."""
        (at, used), now = self._at, (self._clock(), self._used())
        self._at = now
        return now[1] - used > BUSY * (now[0] - at)


class Pace:
    """The worker's pace."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._busy_until = self._rested = clock()

    def busy(self) -> None:
        """The service said that it is."""
        self._busy_until = self._clock() + BUSY_SECONDS

    async def rest(self) -> None:
        """Rests for the work since the last rest, if the service is busy."""
        now = self._clock()
        if now < self._busy_until:
            await asyncio.sleep(REST * min(now - self._rested, LONGEST))
        self._rested = self._clock()
