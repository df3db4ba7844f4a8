"""The report by the first digits of a number (R-V3)."""

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.reporting import numbers, report, summary, whole

LONDON = "+447700900123"
BERLIN = "+4915112345678"
MEXICO = "+524155501234"


@pytest.fixture
def abroad(clinic: Clinic) -> Clinic:
    """Opted-out numbers of four countries."""
    for number in (LONDON, ANN, MEXICO, BERLIN, BEN):
        clinic.opts_out(number)
    clinic.hears(CARA, "hello")
    return clinic


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("415", [ANN, BEN, MEXICO]),
        ("1415", [ANN, BEN]),
        ("+1415", [ANN, BEN]),
        ("+1 (415) 555-0131", [ANN]),
        ("4155550132", [BEN]),
        ("0770", [LONDON]),
        ("077", [LONDON]),
        ("07700 900-123", [LONDON]),
        ("+44 7700", [LONDON]),
        ("+447", [LONDON]),
        ("00447700", [LONDON]),
        ("00 44 7700", [LONDON]),
        ("011 44 7700", [LONDON]),
        ("447700", [LONDON]),
        ("49151", [BERLIN]),
        ("4477", []),
        ("0151", [BERLIN]),
        ("151", [BERLIN]),
        ("999", []),
        (CARA, []),
        ("9" * 60, []),
    ],
)
def test_by_three_digits_or_more(abroad: Clinic, typed: str, found: list[str]) -> None:
    """R-V3: E.164 with its plus, or the national digits of any country, in the order of numbers.

    An access prefix counts as a plus, and a calling code is found without one.
    """
    assert numbers(abroad, number_prefix=typed) == found
    assert numbers(abroad, number_prefix=typed, limit=1) == found
    totals = [item["numbers"] for item in summary(abroad, number_prefix=typed)["items"]]
    assert sum(totals) == len(found)


@pytest.mark.parametrize("typed", ["41", "+44", "+1-4", "0 7", "", "+", "0044"])
def test_fewer_are_a_clear_error(abroad: Clinic, typed: str) -> None:
    """R-V3: it says that three are needed, and repeats nothing."""
    for kind in ("application/json", "text/csv"):
        answer = whole(abroad, kind, number_prefix=typed)
        found = answer.problem(422, "prefix-too-short", "/number_prefix")
        assert "3 digits" in found["detail"]
    summary(abroad, number_prefix=typed).problem(422, "prefix-too-short", "/number_prefix")


@pytest.mark.parametrize("typed", ["4155x", "ann", "4+155", "415%", "415\x00"])
def test_anything_but_digits_is_an_error(abroad: Clinic, typed: str) -> None:
    """No wildcard, no letter."""
    report(abroad, number_prefix=typed).problem(422, "prefix-unreadable", "/number_prefix")
    summary(abroad, number_prefix=typed).problem(422, "prefix-unreadable", "/number_prefix")


def test_the_other_filters_apply_as_well(abroad: Clinic) -> None:
    """Each narrows what the others leave."""
    abroad.hears(BEN, "STOP")
    assert numbers(abroad, number_prefix="1415", source="agent") == [ANN]
    assert numbers(abroad, number_prefix="1415", source="contact") == [BEN]
    assert numbers(abroad, number_prefix="1415", to="2020-01-01T00:00:00Z") == []
