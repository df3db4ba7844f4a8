"""Carrier reports: R-F7."""

import pytest

from consent_ledger import facts as f
from consent_ledger.commands import AskMessage, ReleaseMessage, ReportDelivery
from consent_ledger.decision import Question
from consent_ledger.words import Method
from tests.story import HOUR, T0, at, given, staff, standing_of, texts

STOP, START = f.StopReceived(), f.StartReceived()
WEB = f.ConsentGranted(method=Method.WEB, purposes=("recall",))


def report(kind: str = "unreachable", about: int | None = None, limit: int = 3) -> f.Fact:
    """A carrier's report of this class, on a text of that time."""
    return f.DeliveryReported("twilio", "30003", kind, limit, about_at=about)


@pytest.mark.parametrize("kind", ["opted_out", "not_mobile", "deactivated"])
def test_some_classes_suppress_at_once(kind: str) -> None:
    """R-F7: what speaks of the phone itself."""
    assert standing_of(report(kind)).system is not None


@pytest.mark.parametrize("kind", ["delivered", "transient", "sender_fault", "ambiguous_block"])
def test_other_classes_never_suppress(kind: str) -> None:
    """R-F7: a fault of the sender's, or a doubt, is recorded and no more."""
    assert standing_of(*[report(kind, limit=1)] * 5).system is None


def test_the_providers_own_list_is_a_fact_of_its_own() -> None:
    """R-F7: `CarrierSuppressed` beside the report."""
    told = ReportDelivery(staff(), "twilio", "21610", "opted_out")
    given().when(told).then(f.DeliveryReported, f.CarrierSuppressed)


@pytest.mark.parametrize(
    ("row", "suppressed"),
    [
        ("uuu", True),
        ("uu", False),
        ("uudu", False),
        ("uutuu", False),
        ("uusuu", False),
        ("uuhuu", False),
        ("uuhuuu", True),
        ("duuu", True),
        ("uuwu", True),
    ],
)
def test_unreachable_suppresses_after_so_many_in_a_row(row: str, suppressed: bool) -> None:
    """R-F7: a delivery, another class or a text from the number ends the row, a form not."""
    facts = {
        "u": report(),
        "d": report("delivered"),
        "t": report("transient"),
        "s": STOP,
        "h": f.HelpRequested(),
        "w": WEB,
    }
    assert (standing_of(*(facts[each] for each in row)).system is not None) is suppressed


def test_the_limit_is_that_of_each_reports_own_policy() -> None:
    """R-F7, section 7: `opt-out` suppresses at the first, the others at the third."""
    told = ReportDelivery(staff(), "twilio", "30003", "unreachable")
    assert given(rules="opt-out").when(told).standing.system is not None
    assert given(rules="recalls").when(told, told).standing.system is None
    assert given(rules="recalls").when(told, told, told).standing.system is not None


def test_a_report_counts_from_the_time_of_its_text() -> None:
    """R-F7: a late one does not undo a START."""
    told = at(T0 + 2 * HOUR, report("opted_out", about=T0))
    assert standing_of(at(T0 + HOUR, START), told).system is None
    assert standing_of(told).system is not None
    unknown = at(T0 + 2 * HOUR, report("opted_out"))
    assert standing_of(at(T0 + HOUR, START), unknown).system is not None


def test_a_report_on_a_held_text_counts_from_its_release() -> None:
    """R-F7: that is when it went out; the START since it was asked does not undo the report."""
    ask = AskMessage(staff(), "m", Question("conversation"))
    story = given().when(ask, at=T0).given(at(T0 + HOUR, START))
    story.when(texts("consent"), ReleaseMessage(staff(), "m", "worker"))
    told = ReportDelivery(staff(), "twilio", "21610", "opted_out", "m", refers_to=1)
    assert story.when(told).standing.system is not None
