"""What is set beside what, and how much of it is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.bench.spreads import spread


class Pair(NamedTuple):
    """One path beside another; the bars are for the ratios of their rates and of their p99."""

    one: str
    other: str
    at_least: float | None = None
    p99_at_most: float | None = None

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.one} / {self.other}"


PAIRS: Final = (
    Pair("check", "constant", at_least=0.90, p99_at_most=2.0),
    Pair("check", "empty", at_least=0.70, p99_at_most=2.5),
    Pair("check", "plain select"),
    Pair("check", "table check"),
    Pair("command", "pgbench same rows", at_least=0.50),
    Pair("command", "pgbench insert"),
    Pair("command", "table insert"),
    Pair("command", "app.save"),
    Pair("release", "command"),
    Pair("release next", "release"),
    Pair("release next", "table release next"),
    Pair("batch", "check"),
    Pair("scrub", "batch"),
    Pair("log", "copy out"),
    Pair("command, many messages", "command, few messages", at_least=0.77),
    Pair("check, many messages", "check, few messages", at_least=0.77),
)
"""What is measured in every run; the peers are in `peers.py` and `library.py`. With many messages a
number may cost 1.3 times what one with few costs: 0.77 of its rate."""

MEMORY_MB: Final = 300
"""What the service's processes may hold at the most, each path by itself."""


def judged(
    pair: Pair, rates: Mapping[str, Sequence[float]], p99: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """The ratios of each round, and whether their median reaches the bar."""
    found: dict[str, Any] = {
        "rate": spread(_ratios(rates[pair.one], rates[pair.other])),
        "p99": spread(_ratios(p99[pair.one], p99[pair.other])),
    }
    if pair.at_least is not None:
        found["bar"] = bar(found["rate"]["median"], at_least=pair.at_least)
    if pair.p99_at_most is not None:
        found["p99_bar"] = bar(found["p99"]["median"], at_most=pair.p99_at_most)
    return found


def bar(
    value: float, *, at_least: float | None = None, at_most: float | None = None
) -> dict[str, Any]:
    """A bar and whether a value is on the right side of it."""
    if at_least is not None:
        return {"at_least": at_least, "met": value >= at_least}
    assert at_most is not None
    return {"at_most": at_most, "met": value <= at_most}


def _ratios(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [a / b if b else 0.0 for a, b in zip(one, other, strict=True)]
