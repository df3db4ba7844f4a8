"""An import gives way while the service is busy, and only then."""

import asyncio

import pytest

from api.importing import pace
from api.importing.pace import BUSY, BUSY_SECONDS, LONGEST, REST, Look, Pace


class Times:
    """Clocks that go when told, and what was slept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.used = 7.0
        self.slept: list[float] = []
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        """What time it is."""
        return self.now


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    """Clocks."""
    return Times(monkeypatch)


def worked(times: Times, paced: Pace, seconds: float) -> list[float]:
    """What it rests for after it has worked."""
    times.slept.clear()
    times.now += seconds
    asyncio.run(paced.rest())
    return times.slept


def test_it_rests_for_its_work_while_the_service_is_busy(times: Times) -> None:
    """Without a word from the service it never does; the rest itself is no work."""
    paced = Pace(times.clock)
    assert worked(times, paced, 0.1) == []
    paced.busy()
    assert worked(times, paced, 0.1) == [pytest.approx(REST * 0.1)]
    assert worked(times, paced, 0.05) == [pytest.approx(REST * 0.05)]
    times.now += BUSY_SECONDS
    assert worked(times, paced, 0.1) == []


def test_no_rest_is_long(times: Times) -> None:
    """One who waited for a list all day does not rest for it."""
    paced = Pace(times.clock)
    times.now += 3_600
    paced.busy()
    assert worked(times, paced, 0.1) == [pytest.approx(REST * LONGEST)]


@pytest.mark.parametrize(("share", "busy"), [(0.0, False), (BUSY / 2, False), (BUSY * 2, True)])
def test_the_service_is_busy_from_a_share_of_a_processor(
    times: Times, share: float, busy: bool
) -> None:
    """What it did before the last look no longer counts."""
    look = Look(times.clock, lambda: times.used)
    for expected, used in ((True, 1.0), (busy, share), (False, 0.0)):
        times.now += pace.LOOK_SECONDS
        times.used += used * pace.LOOK_SECONDS
        assert look.busy() is expected
