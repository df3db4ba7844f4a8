"""Texts that will never go: taken back, or ended by what the contact said (R-F1, R-F4, R-F8)."""

from datetime import datetime, timedelta

import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, Clinic, ago, ahead
from tests.api.conftest import Open


def cancels(clinic: Clinic, message_id: str) -> Answer:
    """The sender takes a text back."""
    return clinic.call("POST", f"/v1/messages/{message_id}/cancel", "sender")


def test_a_sender_takes_a_held_text_back(clinic: Clinic) -> None:
    """Again is no error; it never goes, whatever the contact says later."""
    clinic.sends(ANN, message_id="out-1")
    cancels(clinic, "out-1").is_("cancelled").recorded("MessageCancelled")
    cancels(clinic, "out-1").is_("cancelled").recorded()
    clinic.hears(ANN, "CONSENT")
    assert (clinic.fate("out-1"), clinic.releasable()) == ("cancelled", [])
    assert clinic.releases("out-1").problem(409, "not-releasable")["state"] == "cancelled"


def test_a_text_that_waits_for_a_person_is_taken_back_too(open_clinic: Open) -> None:
    """And a confirmation that comes later changes nothing."""
    clinic = open_clinic("recalls")
    clinic.learns_preference(ANN, "unreadable")
    clinic.sends(ANN, "recall", "out-1", manual=True).is_("needs_confirmation")
    cancels(clinic, "out-1").is_("cancelled")
    clinic.sends(ANN, "recall", "out-1", manual=True, confirmed=True).is_("cancelled")
    assert clinic.fate("out-1") == "cancelled"


def test_what_was_decided_or_handed_out_cannot_be_taken_back(clinic: Clinic) -> None:
    """409: it may have gone already."""
    clinic.sends(ANN, "recall", "out-1").is_("permitted")
    cancels(clinic, "out-1").problem(409, "not-releasable")
    clinic.sends(ANN, message_id="out-2")
    clinic.hears(ANN, "CONSENT")
    clinic.releases("out-2")
    cancels(clinic, "out-2").problem(409, "already-released")
    assert clinic.fate("out-2") == "released"


def test_a_stop_cancels_every_held_text_for_good(clinic: Clinic) -> None:
    """R-F1: a START weeks later must not let them out."""
    for message_id in ("out-1", "out-2"):
        clinic.sends(ANN, message_id=message_id)
    answer = clinic.hears(ANN, "STOP")
    assert answer["recorded"].count("MessageCancelled") == 2
    clinic.hears(ANN, "START")
    clinic.hears(ANN, "CONSENT")
    assert (clinic.fate("out-1"), clinic.fate("out-2")) == ("cancelled", "cancelled")
    assert clinic.releasable() == []
    clinic.sends(ANN).is_("permitted", "consented")


@pytest.mark.parametrize("means", ["opt-out", "review"])
def test_a_revocation_by_other_means_cancels_too(clinic: Clinic, means: str) -> None:
    """R-F6, R-F10: asked for by phone, or confirmed by a person who read the words."""
    clinic.sends(ANN, message_id="out-1")
    if means == "opt-out":
        clinic.opts_out(ANN, requested_by="contact", means="phone")
    else:
        review = clinic.hears(ANN, "lose my number")["review_id"]
        assert clinic.fate("out-1") == "deferred"
        clinic.post(f"/v1/reviews/{review}", verdict="revoked", by="admin-1")
    assert clinic.fate("out-1") == "cancelled"


def test_a_stop_that_is_learnt_late_cancels_what_was_held_then(open_clinic: Open) -> None:
    """R-F1: at any instant since it was asked; a START between does not undo it."""
    clinic = open_clinic("consent-first")
    clinic.sends(ANN, message_id="out-1")
    asked_at = datetime.fromisoformat(clinic.get("/v1/messages/out-1")["asked_at"])
    clinic.hears(ANN, "START", received_at=ahead(minutes=1))
    clinic.hears(ANN, "CONSENT", received_at=ahead(minutes=2))
    assert clinic.releasable() == ["out-1"]
    clinic.hears(ANN, "STOP", received_at=(asked_at + timedelta(milliseconds=1)).isoformat())
    clinic.asks(ANN).is_allowed("consented")
    assert clinic.fate("out-1") == "cancelled"
    assert clinic.releases("out-1").problem(409, "not-releasable")["state"] == "cancelled"


def test_a_stop_from_before_the_question_that_was_lifted_cancels_nothing(clinic: Clinic) -> None:
    """R-F1: only a STOP that stood since the text was asked about."""
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "CONSENT")
    clinic.hears(ANN, "START", received_at=ago(minutes=1))
    clinic.hears(ANN, "STOP", received_at=ago(minutes=10))
    assert clinic.fate("out-1") == "releasable"


def test_a_cancellation_is_never_undone(clinic: Clinic) -> None:
    """R-F1: nor by a START that turns out to have come before the STOP did its work."""
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "STOP", received_at=ago(minutes=30))
    assert clinic.fate("out-1") == "cancelled"
    clinic.hears(ANN, "START", received_at=ago(minutes=20))
    clinic.hears(ANN, "CONSENT")
    assert clinic.fate("out-1") == "cancelled"


def test_a_decline_cancels_what_needs_consent(clinic: Clinic) -> None:
    """R-F4: and a later CONSENT does not let it out."""
    clinic.sends(ANN, message_id="out-1")
    answer = clinic.hears(ANN, "DECLINE").recorded("ConsentDeclined", "MessageCancelled")
    assert answer["reply"] is None
    clinic.hears(ANN, "CONSENT")
    assert clinic.fate("out-1") == "cancelled"
    clinic.sends(ANN).is_("permitted", "consented")


def test_a_late_start_of_another_clock_leaves_a_released_text_released(clinic: Clinic) -> None:
    """A text that was handed out stays so: the ledger cannot call it back."""
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "CONSENT")
    clinic.releases("out-1")
    clinic.hears(ANN, "STOP").recorded("StopReceived", "ReplyIssued")
    assert clinic.fate("out-1") == "released"
