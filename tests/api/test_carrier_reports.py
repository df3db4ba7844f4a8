"""What the carrier says of a number, classified before it counts (R-F7)."""

import pytest

from tests.api.clinic import ANN, BEN, Clinic, ago
from tests.api.conftest import Open

CLASSES = [
    ("twilio", "21610", "opted_out", True),
    ("telnyx", "40300", "opted_out", True),
    ("aws-sns", "OptedOutException", "opted_out", True),
    ("twilio", "30006", "not_mobile", True),
    ("bandwidth", "4721", "deactivated", True),
    ("twilio", "30003", "unreachable", False),
    ("twilio", "30004", "ambiguous_block", False),
    ("twilio", "30008", "transient", False),
    ("twilio", "30007", "sender_fault", False),
    ("vonage", "0", "delivered", False),
    ("twilio", "delivered", "delivered", False),
    ("nobody", "E-17", "transient", False),
]


@pytest.mark.parametrize(("provider", "code", "kind", "suppresses"), CLASSES)
def test_a_report_counts_by_its_class(
    clinic: Clinic, provider: str, code: str, kind: str, suppresses: bool
) -> None:
    """Only what speaks of the phone itself suppresses; a fault of the sender's never does."""
    answer = clinic.reports(ANN, code, provider)
    assert answer["class"] == kind
    assert answer["known_code"] is (provider != "nobody")
    facts = ["DeliveryReported", "CarrierSuppressed"][: 1 + (kind == "opted_out")]
    answer.recorded(*facts)
    if suppresses:
        found = clinic.asks(ANN, "recall").is_denied("opted_out_by_system")
        assert (found["source"], found["lifted_by"]) == ("system", "contact_start")
    else:
        clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


@pytest.mark.parametrize(
    ("preset", "limit"), [("opt-out", 1), ("recalls", 3), ("consent-first", 3)]
)
def test_unreachable_suppresses_after_so_many_in_a_row(
    open_clinic: Open, preset: str, limit: int
) -> None:
    """Section 7: the limit is the policy's."""
    clinic = open_clinic(preset)
    for _ in range(limit - 1):
        clinic.reports(ANN, "30003")
        clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.reports(ANN, "30003")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_system")


@pytest.mark.parametrize("ending", ["delivery", "another class", "a text"])
def test_a_row_of_failures_ends(open_clinic: Open, ending: str) -> None:
    """A delivery, any other class and any text from the number begin a new row."""
    clinic = open_clinic("opt-out", unreachable_limit=2)
    clinic.reports(ANN, "30003")
    match ending:
        case "delivery":
            clinic.reports(ANN, "0")
        case "another class":
            clinic.reports(ANN, "30008")
        case _:
            clinic.hears(ANN, "hello")
    clinic.reports(ANN, "30003")
    clinic.asks(ANN).is_allowed("no_consent_needed")
    clinic.reports(ANN, "30003")
    clinic.asks(ANN).is_denied("opted_out_by_system")


def test_a_report_holds_to_the_limit_of_its_own_time(open_clinic: Open) -> None:
    """A stricter policy of today does not suppress for the failures of yesterday."""
    clinic = open_clinic("recalls")
    clinic.reports(ANN, "30003")
    clinic.adopts("recalls", changes={"unreachable_limit": 1})
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.reports(BEN, "30003")
    clinic.asks(BEN, "recall").is_denied("opted_out_by_system")


def test_a_start_lifts_it_and_a_late_report_does_not_undo_the_start(open_clinic: Open) -> None:
    """A report counts from the time of the text that it is about, not from its arrival."""
    clinic = open_clinic("opt-out")
    clinic.sends(ANN, message_id="out-1").is_("permitted")
    clinic.hears(ANN, "STOP")
    clinic.hears(ANN, "START")
    clinic.reports(ANN, "21610", message_id="out-1")
    clinic.asks(ANN).is_allowed("no_consent_needed")
    clinic.reports(ANN, "21610")
    clinic.asks(ANN).is_denied("opted_out_by_system")
    clinic.hears(ANN, "START")
    clinic.asks(ANN).is_allowed("no_consent_needed")


def test_a_report_may_tell_when_it_was_made(open_clinic: Open) -> None:
    """Before a START it does not bar what came after."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "START", received_at=ago(hours=1))
    clinic.reports(ANN, "30006", occurred_at=ago(hours=2))
    clinic.asks(ANN).is_allowed("no_consent_needed")
    clinic.asks(ANN, as_of=ago(minutes=90)).is_denied("opted_out_by_system")


def test_one_report_delivered_four_times_is_one_failure(open_clinic: Open) -> None:
    """R-O1: of a text that has an id; without one nobody can tell a repetition."""
    clinic = open_clinic("recalls")
    first = clinic.reports(ANN, "30003", message_id="out-9")
    for _ in range(3):
        again = clinic.reports(ANN, "30003", message_id="out-9").recorded()
        assert again.body == {**first.body, "recorded": []}
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.reports(ANN, "30003", message_id="out-10")
    clinic.reports(ANN, "30003", message_id="out-11")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_system")


@pytest.mark.parametrize("version", ["0", "-1", "2147483648", "9" * 30, "1.5", ""])
def test_a_message_id_that_looks_like_an_event_is_only_a_name(clinic: Clinic, version: str) -> None:
    """An id that names no event of the number refers to nothing, and fails nothing."""
    clinic.requests(ANN)
    number_id = clinic.number_id(ANN).hex
    clinic.reports(ANN, "30008", message_id=f"{number_id}-{version}").recorded("DeliveryReported")


def test_an_agents_opt_out_and_the_carriers_leave_held_texts_held(clinic: Clinic) -> None:
    """R-F5: not releasable and not cancelled, as a mistake may be corrected."""
    clinic.sends(ANN, message_id="out-1").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    clinic.reports(ANN, "21610")
    assert (clinic.releasable(), clinic.fate("out-1")) == ([], "deferred")
    clinic.hears(ANN, "START")
    clinic.opts_out(ANN)
    assert (clinic.releasable(), clinic.fate("out-1")) == ([], "deferred")
    clinic.opts_in(ANN)
    assert clinic.releasable() == ["out-1"]
