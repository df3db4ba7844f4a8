"""Whatever was told in whatever order, the report is that of a small model of the rules (R-V3).

`REPORT_MODEL_EXAMPLES` sets the number of histories.
"""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.answer import Json
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.reporting import CSV, as_text, csv_rows, rows, summary, whole
from tests.service import Running

LONDON: Final = "+447700900123"
DIALLED: Final = {
    ANN: ("4155550131", "14155550131"),
    BEN: ("4155550132", "14155550132"),
    LONDON: ("7700900123", "07700900123"),
}
"""Each number's national digits, alone and with what is dialled before them."""
PREFIXES: Final = ["415", "1415", "+1415", "0770", "770", "+447", "4155550132", "999", ANN]

NOON: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
HALF_DAYS: Final = 12
"""A history's facts lie half a day apart, so that it spans several days."""

EXAMPLES: Final = int(os.environ.get("REPORT_MODEL_EXAMPLES", "15"))
"""Of each part: the second tells the same histories backwards."""

SOURCE: Final = {
    "stop": "contact",
    "asked": "contact",
    "listed": "system",
    "unreachable": "system",
    "barred": "agent",
}


class Fact(NamedTuple):
    """What happened to a number: `at` is its place in time, its place in a list when it is told."""

    number: str
    kind: str
    at: int
    by: str
    reason: str | None


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Facts of different times, told in any order."""
    kinds = [*SOURCE, *SOURCE, "start", "yes", "opt-in", "hello", "erase"]
    times = draw(st.lists(st.integers(0, HALF_DAYS), unique=True, max_size=10))
    return [
        Fact(
            number=draw(st.sampled_from(list(DIALLED))),
            kind=draw(st.sampled_from(kinds)),
            at=at,
            by=draw(st.sampled_from(["agent-1", "agent-2"])),
            reason=draw(st.sampled_from([None, "rude", "=1+1"])),
        )
        for at in times
    ]


class Told(NamedTuple):
    """A fact that was taken, with what a row shows of it; `words` are None once erased."""

    fact: Fact
    event_id: str
    words: str | None


def standing(told: list[Told]) -> dict[str, Told]:
    """The model: what stands on a number, by source, after its facts in order of time."""
    stand: dict[str, Told] = {}
    for each in sorted(told, key=lambda each: each.fact.at):
        kind, barred = each.fact.kind, stand.keys() & {"contact", "system"}
        if kind in SOURCE:
            stand.setdefault(SOURCE[kind], each)
        elif kind == "start" or (kind == "yes" and barred):
            stand.clear()
        elif kind == "opt-in" and not barred:
            stand.pop("agent", None)
    return {source: stand[source] for source in ("contact", "system", "agent") if source in stand}


def instant(at: int) -> str:
    """A fact's time, as it is told and shown."""
    return (NOON + timedelta(hours=12 * at)).isoformat().replace("+00:00", "Z")


class Story:
    """An account, and beside it what the model holds of it."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.told: dict[str, list[Told]] = {}
        self.forgotten: set[str] = set()

    def tell(self, fact: Fact) -> None:
        """Tells a fact; the model knows whether it is refused."""
        before = self.told.setdefault(fact.number, [])
        if fact.kind == "erase":
            self._erase(fact.number)
            return
        answer = self._said(fact)
        if fact.kind == "opt-in" and standing(before).keys() & {"contact", "system"}:
            answer.problem(409, "opt-in-forbidden")
            return
        first = answer["number_version"] - len(answer["recorded"]) + 1
        version = first + (fact.kind == "listed")
        event_id = f"{answer['number_id'].replace('-', '')}-{version}"
        before.append(Told(fact, event_id, self._words(fact)))
        self.forgotten.discard(fact.number)

    def _said(self, fact: Fact) -> Any:
        clinic, number, at = self.clinic, fact.number, {"occurred_at": instant(fact.at)}
        reason = {} if fact.reason is None else {"reason": fact.reason}
        match fact.kind:
            case "barred":
                return clinic.opts_out(number, fact.by, **at, **reason)
            case "asked":
                return clinic.opts_out(number, fact.by, requested_by="contact", **at, **reason)
            case "listed":
                return clinic.reports(number, "21610", **at)
            case "unreachable":
                return clinic.reports(number, "30003", **at)
            case "opt-in":
                return clinic.opts_in(number, **at)
            case word:
                return clinic.hears(number, word, **at)

    def _words(self, fact: Fact) -> str | None:
        return {"stop": "stop", "barred": fact.reason, "asked": fact.reason}.get(fact.kind)

    def _erase(self, number: str) -> None:
        if self.told[number]:
            number_id = self.clinic.number_id(number)
            self.clinic.post(f"/v1/numbers/{number_id}/erase", by="admin-1")
            self.told[number] = [each._replace(words=None) for each in self.told[number]]
            self.forgotten.add(number)

    def expected(
        self, source: str | None, since: int | None, before: int | None, prefix: str | None
    ) -> list[Json]:
        """The rows of a report, in its order."""
        found = [
            (number, stand)
            for number, told in self.told.items()
            for stand in [list(standing(told).items())]
            if stand and self._fits(number, stand[0], source, since, before, prefix)
        ]
        made = [self._row(number, stand) for number, stand in found]
        if prefix is not None:
            return sorted(made, key=lambda row: row["number"])
        by_id = sorted(made, key=lambda row: row["number_id"])
        return sorted(by_id, key=lambda row: row["since"], reverse=True)

    def _fits(
        self,
        number: str,
        shown: tuple[str, Told],
        source: str | None,
        since: int | None,
        before: int | None,
        prefix: str | None,
    ) -> bool:
        at = shown[1].fact.at
        if prefix is not None:
            if number in self.forgotten:
                return False
            forms = (number,) if prefix.startswith("+") else DIALLED[number]
            if not any(form.startswith(prefix) for form in forms):
                return False
        return (
            source in (None, shown[0])
            and (since is None or at >= since)
            and (before is None or at < before)
        )

    def _row(self, number: str, stand: list[tuple[str, Told]]) -> Json:
        opt_outs = [
            {
                "source": source,
                "since": instant(each.fact.at),
                "by": each.fact.by if each.fact.kind in ("barred", "asked") else None,
                "reason": each.words,
                "channel": "sms" if each.fact.kind == "stop" else "api",
                "purposes": None,
                "event_id": each.event_id,
            }
            for source, each in stand
        ]
        return {
            "number": None if number in self.forgotten else number,
            "number_id": str(self.clinic.service.keyring.number_id(self.clinic.account_id, number)),
            **opt_outs[0],
            "opt_in_allowed": stand[0][0] == "agent",
            "opt_outs": opt_outs,
        }


EVERYTHING: Final = (None, None, None, None)
TIMES: Final = st.none() | st.integers(0, HALF_DAYS)
FILTERS: Final = st.tuples(
    st.none() | st.sampled_from(["contact", "system", "agent"]),
    TIMES,
    TIMES,
    st.none() | st.sampled_from(PREFIXES),
)


def check(story: Story, filters: tuple[Any, ...], limit: int, as_file: bool) -> None:
    """Pages, sum and file of one report are the model's."""
    source, since, before, prefix = filters
    asked = {
        "source": source,
        "since": None if since is None else instant(since),
        "to": None if before is None else instant(before),
        "number_prefix": prefix,
    }
    expected = story.expected(*filters)
    assert rows(story.clinic, limit, **asked) == expected
    # A process is started for each file; where nothing stands, none has a row to get wrong.
    if as_file and story.expected(*EVERYTHING):
        assert csv_rows(whole(story.clinic, CSV, **asked)) == list(map(as_text, expected))
    totals = Counter((row["since"][:10], row["source"]) for row in expected)
    items = summary(story.clinic, **asked)["items"]
    assert {(item["day"], item["source"]): item["numbers"] for item in items} == totals
    assert [item["day"] for item in items] == sorted((i["day"] for i in items), reverse=True)


@pytest.mark.parametrize("part", range(2))
def test_the_report_is_the_models(service: Running, part: int) -> None:
    """R-V3, R-V4, R-F2, R-F6, R-O2: random histories, late facts and erasures among them."""
    shown: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(histories(), st.lists(FILTERS, min_size=1, max_size=3), st.integers(1, 3))
    def holds(history: list[Fact], filters: list[tuple[Any, ...]], limit: int) -> None:
        story = Story(Clinic(service, "opt-out", {}))
        for fact in history[:: 1 if part else -1]:
            story.tell(fact)
        check(story, EVERYTHING, limit, as_file=True)
        for each in filters:
            # Which rows a file leaves out does not hang on the order in which they were told.
            check(story, each, limit, as_file=part == 0)
        shown.update(row["source"] for row in story.expected(*EVERYTHING))

    holds()
    assert shown.keys() == {"contact", "system", "agent"}
