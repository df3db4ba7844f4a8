"""An import gives way while the service is busy, and only then."""

import asyncio
import multiprocessing

import pytest

from api.importing import pace
from api.importing.orders import CALL, busy_line, busy_share
from api.importing.pace import (
    BUSY,
    FIELDS,
    FULL,
    LONGEST,
    REST,
    TOLD_SECONDS,
    Board,
    Look,
    Pace,
)


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
    paced.busy(1.0)
    assert worked(times, paced, 0.1) == [pytest.approx(REST * 0.1)]
    assert worked(times, paced, 0.05) == [pytest.approx(REST * 0.05)]
    times.now += TOLD_SECONDS
    assert worked(times, paced, 0.1) == []


@pytest.mark.parametrize(
    ("share", "rest"),
    [(0.0, 0.0), (BUSY, 0.0), ((BUSY + FULL) / 2, REST / 2), (FULL, REST), (1.0, REST)],
)
def test_it_rests_the_longer_the_busier_the_service_is(
    times: Times, share: float, rest: float
) -> None:
    """A list beside a service with little to do does not take several times as long."""
    paced = Pace(times.clock)
    paced.busy(share)
    assert sum(worked(times, paced, 0.1)) == pytest.approx(rest * 0.1)


def test_no_rest_is_long(times: Times) -> None:
    """One who waited for a list all day does not rest for it."""
    paced = Pace(times.clock)
    times.now += 3_600
    paced.busy(1.0)
    assert worked(times, paced, 0.1) == [pytest.approx(REST * LONGEST)]


def test_the_service_tells_its_share_of_a_processor(times: Times) -> None:
    """What it did before the last look no longer counts; of several processors, one is all."""
    look = Look(times.clock, lambda: times.used)
    for told, used in ((1.0, 1.7), (0.25, 0.25), (0.0, 0.0)):
        times.now += pace.LOOK_SECONDS
        times.used += used * pace.LOOK_SECONDS
        assert look.share() == pytest.approx(told)
        assert busy_share(busy_line(told)) == pytest.approx(told)
    assert busy_share(CALL) is None


def tell(board: Board) -> None:
    """Another process of the service is busy."""
    board.tell(0.25)


def test_the_processes_of_a_service_tell_theirs_together() -> None:
    """A list rests by what all of them do: which of them has it is chance."""
    spawning = multiprocessing.get_context("spawn")
    shares = spawning.RawArray("d", 3 * FIELDS)
    here, there, idle = (Board(shares, place) for place in range(3))
    here.tell(0.5)
    idle.tell(0.0)
    other = spawning.Process(target=tell, args=(there,))
    other.start()
    other.join()
    assert other.exitcode == 0
    assert here.share() == pytest.approx(0.75)
    here.tell(1.0)
    assert here.share() == 1.0


def test_a_process_that_ended_is_not_busy(times: Times) -> None:
    """Nor is one that has never said anything."""
    shares = [0.0] * 3 * FIELDS
    here, gone = (Board(shares, place, times.clock) for place in range(2))
    gone.tell(0.5)
    here.tell(0.25)
    assert here.share() == pytest.approx(0.75)
    times.now += TOLD_SECONDS
    here.tell(0.25)
    assert here.share() == pytest.approx(0.25)
