"""Repeats, lateness and clocks: the order of arrival decides nothing (rulebook section 4)."""

from itertools import permutations

import pytest

from tests.api.clinic import ANN, BEN, Clinic, ago, ahead
from tests.api.conftest import Open


def test_a_redelivered_text_is_one_fact_and_gets_the_same_answer(clinic: Clinic) -> None:
    """R-O1: the same provider message id twice is one fact and the same reply."""
    first = clinic.hears(ANN, "STOP", message_id="in-1")
    with clinic.unchanged():
        again = clinic.hears(ANN, "STOP", message_id="in-1").recorded()
    assert again.body == {**first.body, "recorded": []}
    assert clinic.facts(ANN) == ["StopReceived", "ReplyIssued"]


def test_a_redelivery_after_more_has_happened_still_gets_the_first_answer(clinic: Clinic) -> None:
    """R-O1: neither the standing nor the body of now changes what was answered then."""
    first = clinic.hears(ANN, "take me off your list", message_id="in-1")
    clinic.hears(ANN, "START")
    again = clinic.hears(ANN, "START", message_id="in-1").recorded()
    assert again.body == {**first.body, "recorded": []}
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_one_message_id_from_two_numbers_is_two_facts(clinic: Clinic) -> None:
    """R-O1: nobody hides another's STOP by sending its id first."""
    clinic.hears(ANN, "hello", message_id="in-1")
    clinic.hears(BEN, "STOP", message_id="in-1").understood_as("stop")
    clinic.asks(BEN, "recall").is_denied("opted_out_by_contact")


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_texts_count_by_when_they_were_said(open_clinic: Open, order: tuple[int, ...]) -> None:
    """R-O2: webhooks arrive out of order, and the latest word wins."""
    clinic = open_clinic("opt-out")
    said = [("STOP", ago(hours=3)), ("START", ago(hours=2)), ("STOP", ago(hours=1))]
    for place in order:
        text, at = said[place]
        clinic.hears(ANN, text, received_at=at)
        clinic.hears(ANN, text, received_at=at)
    answer = clinic.asks(ANN).is_denied("opted_out_by_contact")
    assert answer["since"] == said[2][1].replace("+00:00", "Z")
    clinic.asks(ANN, as_of=ago(minutes=90)).is_allowed("no_consent_needed")


def test_a_late_yes_is_read_at_its_own_place_in_time(clinic: Clinic) -> None:
    """R-O2, R-K2: a YES that answered the request counts, though a NO came in before it."""
    clinic.requests(ANN, sent_by="jo", occurred_at=ago(hours=5))
    clinic.hears(ANN, "no", received_at=ago(hours=1))
    clinic.asks(ANN).is_denied("consent_declined")
    clinic.hears(ANN, "yes", received_at=ago(hours=3))
    clinic.asks(ANN).is_allowed("consented")


def test_a_fact_later_than_the_window_is_folded_from_the_whole_stream(clinic: Clinic) -> None:
    """R-O2: a STOP that is learnt after many other facts counts where it was said."""
    for hours in range(30, 5, -1):
        clinic.hears(ANN, f"text {hours}", received_at=ago(hours=hours))
    clinic.consents(ANN, occurred_at=ago(hours=40))
    clinic.asks(ANN).is_allowed("consented")
    clinic.hears(ANN, "STOP", received_at=ago(hours=35))
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.hears(ANN, "START", received_at=ago(hours=34))
    clinic.asks(ANN).is_allowed("consented")


@pytest.mark.parametrize(
    ("basis", "minutes", "lifts"),
    [
        ("received_at", 1, True),
        ("occurred_at", 4, False),
        ("occurred_at", 6, True),
    ],
)
def test_a_start_by_another_clock_needs_five_minutes(
    open_clinic: Open, basis: str, minutes: int, lifts: bool
) -> None:
    """R-O2: `received_at` is the provider's clock and `occurred_at` the sender's."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP", received_at=ago(minutes=60))
    clinic.hears(ANN, "START", **{basis: ago(minutes=60 - minutes)})
    answer = clinic.asks(ANN)
    if lifts:
        answer.is_allowed("no_consent_needed")
    else:
        answer.is_denied("opted_out_by_contact")


def test_received_at_is_believed_before_occurred_at(clinic: Clinic) -> None:
    """R-O0: where both are given the provider's clock tells the time."""
    said_at = "2026-03-04T10:00:00Z"
    clinic.hears(ANN, "STOP", received_at=said_at, occurred_at=ago(days=1))
    event = clinic.history(ANN)[0]
    assert (event["occurred_at"], event["occurred_at_basis"]) == (said_at, "provider")


def test_without_a_time_the_ledgers_clock_tells_it(clinic: Clinic) -> None:
    """R-O0: one clock for all processes, the database's."""
    clinic.hears(ANN, "STOP")
    event = clinic.history(ANN)[0]
    assert event["occurred_at_basis"] == "ledger"
    assert event["occurred_at"] == event["recorded_at"]


@pytest.mark.parametrize("field", ["occurred_at", "received_at"])
def test_words_from_the_future_close_and_never_open(open_clinic: Open, field: str) -> None:
    """R-O3: kept under the ledger's own time, with the claimed one beside it."""
    clinic = open_clinic("opt-out")
    tomorrow = ahead(days=1)
    clinic.hears(ANN, "STOP", **{field: tomorrow}).replied("stop_confirmation")
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    event = clinic.history(ANN)[0]
    assert event["claimed_occurred_at"] == tomorrow.replace("+00:00", "Z")
    assert event["occurred_at"] == event["recorded_at"]
    for word in ("START", "YES", "CONSENT"):
        clinic.hears(ANN, word, **{field: tomorrow}).replied(
            "how_to_opt_in" if word == "CONSENT" else None
        )
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.hears(ANN, "START").replied("start_confirmation")
    clinic.asks(ANN).is_allowed("no_consent_needed")


@pytest.mark.parametrize("zero", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"])
def test_a_stop_by_a_clock_that_was_never_set_counts_from_now_on(
    open_clinic: Open, zero: str
) -> None:
    """R-O3: whatever the contact said before, this was said since."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP", received_at=ago(days=2))
    clinic.hears(ANN, "START", received_at=ago(days=1))
    clinic.hears(ANN, "STOP", received_at=zero).replied("stop_confirmation")
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    event = clinic.history(ANN)[-2]
    assert event["claimed_occurred_at"] == zero.replace("+00:00", "Z")
    clinic.hears(ANN, "START", received_at=zero).replied(None)
    clinic.asks(ANN).is_denied("opted_out_by_contact")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T18:59:60.5-05:00", "2017-01-01T00:00:00.500000Z"),
        ("2016-12-31t23:59:59z", "2016-12-31T23:59:59Z"),
    ],
)
def test_any_time_of_rfc_3339_is_one(clinic: Clinic, said: str, kept: str) -> None:
    """R-O3: no STOP is refused for a leap second, or for small letters."""
    clinic.hears(ANN, "STOP", received_at=said).understood_as("stop")
    assert clinic.history(ANN)[0]["occurred_at"] == kept


def test_a_decline_from_the_future_declines(clinic: Clinic) -> None:
    """R-O3: what closes is believed."""
    clinic.requests(ANN)
    clinic.hears(ANN, "DECLINE", received_at=ahead(days=400))
    clinic.asks(ANN).is_denied("consent_declined")


def test_a_stop_and_a_start_of_one_instant_are_a_stop(open_clinic: Open) -> None:
    """R-O2: of one instant, closings come after openings, whatever came in first."""
    clinic = open_clinic("opt-out")
    for number, words in ((ANN, ("STOP", "START")), (BEN, ("START", "STOP"))):
        for word in words:
            clinic.hears(number, word, received_at="2026-03-04T10:00:00Z")
        clinic.asks(number).is_denied("opted_out_by_contact")
