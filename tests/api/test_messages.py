"""A text about to be sent: decided, kept, and answered the same again (contract section 5)."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead
from tests.api.conftest import Open

DECISION = {"may_text", "decision", "reason", "explanation", "lifted_by", "consent", "evidence"}
RECEIPT = {"number_id", "number_version", "position", "recorded"}


def test_each_decision_is_a_state(open_clinic: Open) -> None:
    """Allow, defer, confirm and deny are permitted, deferred, needs_confirmation and refused."""
    clinic = open_clinic("recalls")
    answer = clinic.sends(ANN, "recall").is_("permitted", "no_consent_needed")
    answer.is_allowed("no_consent_needed").recorded("MessagePermitted")
    assert answer.body.keys() >= DECISION | RECEIPT | {"state", "consent_request"}
    assert answer["consent_request"] is None
    answer = clinic.sends(ANN, "marketing").is_("deferred")
    answer.is_deferred("consent_required").recorded("MessageDeferred", "ConsentRequested")
    clinic.learns_preference(BEN, "unreadable")
    answer = clinic.sends(BEN, "recall", manual=True).is_("needs_confirmation")
    answer.needs_confirmation("preference_unreadable_notice").recorded("MessageNeedsConfirmation")
    clinic.hears(CARA, "STOP")
    answer = clinic.sends(CARA, "recall").is_("refused")
    answer.is_denied("opted_out_by_contact").recorded("MessageRefused")


def test_the_first_text_brings_a_request_for_consent_and_the_second_none(clinic: Clinic) -> None:
    """R-M1: the answer is as it was before the request; a second text waits without one."""
    answer = clinic.sends(ANN, message_id="out-1").is_("deferred", "consent_required")
    request = answer["consent_request"]
    assert request["to"] == ANN
    assert "Lakeside Clinic" in request["text"]
    assert answer["consent"] == "none"
    answer = clinic.sends(ANN, message_id="out-2").is_("deferred", "consent_pending")
    assert answer["consent_request"] is None
    clinic.reports(ANN, "30008", message_id=request["request_id"])
    event = clinic.history(ANN, type="DeliveryReported")[0]
    assert event["data"]["request"] == 2


def test_where_the_preset_denies_no_request_goes_by_itself(open_clinic: Open) -> None:
    """Section 7: under `authorization` a request is sent by hand."""
    clinic = open_clinic("authorization")
    answer = clinic.sends(ANN).is_("refused", "consent_required").recorded("MessageRefused")
    assert answer["consent_request"] is None


def test_the_same_id_again_gets_the_same_answer_whatever_happened(clinic: Clinic) -> None:
    """The answer is kept: a repeated question is not a new one."""
    first = clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "STOP")
    with clinic.unchanged():
        again = clinic.sends(ANN, message_id="out-1")
    assert again.body == {**first.body, "recorded": []}
    assert clinic.fate("out-1") == "cancelled"
    permitted = clinic.sends(BEN, "recall", "out-2")
    again = clinic.sends(BEN, "recall", "out-2", confirmed=True, manual=True)
    assert again.body == {**permitted.body, "recorded": []}


def test_a_confirmed_text_is_decided_anew(open_clinic: Open) -> None:
    """Section 5: `confirmed` on one in `needs_confirmation`, and that answer is kept then."""
    clinic = open_clinic("recalls")
    clinic.learns_preference(ANN, "not_consented")
    asked: dict[str, Any] = {"message_id": "out-1", "manual": True, "sent_by": "jo"}
    clinic.sends(ANN, "recall", **asked).is_("needs_confirmation")
    clinic.sends(ANN, "recall", **asked).is_("needs_confirmation").recorded()
    answer = clinic.sends(ANN, "recall", **asked, confirmed=True).is_("permitted")
    answer.is_allowed("no_consent_needed").recorded("MessagePermitted")
    clinic.sends(ANN, "recall", **asked, confirmed=True).is_("permitted").recorded()
    clinic.sends(ANN, "recall", **asked).is_("permitted").recorded()
    assert clinic.fate("out-1") == "permitted"


def test_a_confirmation_comes_too_late_after_a_stop(open_clinic: Open) -> None:
    """Decided anew means by what is true now."""
    clinic = open_clinic("recalls")
    clinic.learns_preference(ANN, "unreadable")
    clinic.sends(ANN, "recall", "out-1", manual=True).is_("needs_confirmation")
    clinic.hears(ANN, "STOP")
    answer = clinic.sends(ANN, "recall", "out-1", manual=True, confirmed=True).is_("refused")
    answer.is_denied("opted_out_by_contact")
    clinic.hears(ANN, "START")
    clinic.sends(ANN, "recall", "out-1", manual=True, confirmed=True).is_("refused").recorded()


def test_who_confirms_at_once_is_not_asked(open_clinic: Open) -> None:
    """Row 13: a manual send that is confirmed already."""
    clinic = open_clinic("recalls")
    clinic.learns_preference(ANN, "not_consented")
    clinic.sends(ANN, "recall", manual=True, confirmed=True).is_("permitted")
    clinic.sends(ANN, "recall").is_("permitted")


def test_a_manual_text_names_its_sender_where_users_are_named(open_clinic: Open) -> None:
    """Section 7: refused as a bad request, and nothing is recorded."""
    clinic = open_clinic("authorization")
    with clinic.unchanged():
        clinic.sends(ANN, manual=True).problem(422, "sent-by-required", "/sent_by")
    clinic.sends(ANN, manual=True, sent_by="jo").is_("refused", "sender_not_permitted")


def test_a_contacts_other_numbers_are_asked_about_again_at_release(clinic: Clinic) -> None:
    """R-M5: a STOP on one of them refuses the text, and holds back one that waits."""
    clinic.sends(ANN, message_id="out-1", contact_numbers=[BEN]).is_("deferred")
    clinic.hears(ANN, "CONSENT")
    clinic.hears(BEN, "STOP")
    assert clinic.releasable() == []
    found = clinic.releases("out-1").problem(409, "not-releasable")
    assert found["reason"] == "opted_out_on_other_number"
    clinic.sends(ANN, contact_numbers=[BEN]).is_("refused", "opted_out_on_other_number")
    clinic.hears(BEN, "START")
    assert clinic.releasable() == ["out-1"]


def test_a_text_expires_where_its_time_has_passed(clinic: Clinic) -> None:
    """R-M3: unless it carried an expiry that passed; one in the past is refused at once."""
    clinic.sends(ANN, expires_at=ago(minutes=1)).problem(422, "expires-at-in-past", "/expires_at")
    clinic.sends(ANN, message_id="out-1", expires_at=ahead(seconds=0.6)).is_("deferred")
    clinic.sends(ANN, message_id="out-2", expires_at=ahead(days=1)).is_("deferred")
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable() == ["out-1", "out-2"]
    while clinic.fate("out-1") == "releasable":
        pass
    assert clinic.fate("out-1") == "expired"
    assert clinic.releasable() == ["out-2"]
    assert clinic.releases("out-1").problem(409, "not-releasable")["state"] == "expired"
    assert clinic.facts(ANN)[-1] == "MessageExpired"


def test_what_is_told_of_one_message(clinic: Clinic) -> None:
    """Its fate, its purpose and when; never its number or its words."""
    clinic.sends(ANN, message_id="out-1")
    clinic.sends(BEN, "recall", "out-2")
    found = clinic.get("/v1/messages/out-1", "auditor")
    assert (found["message_id"], found["state"]) == ("out-1", "deferred")
    assert (found["purpose"], found["reason"]) == ("conversation", "consent_required")
    assert (found["claimed_by"], found["expires_at"]) == (None, None)
    assert found["asked_at"]
    found = clinic.get("/v1/messages/out-2", "auditor")
    assert (found["state"], found["reason"]) == ("permitted", "no_consent_needed")
    clinic.get("/v1/messages/out-3").problem(404, "not-found")
    for path in ("cancel", "release"):
        body = {"claimed_by": "worker-1"} if path == "release" else None
        answer = clinic.call("POST", f"/v1/messages/out-3/{path}", "sender", body)
        answer.problem(404, "not-found")


@pytest.mark.parametrize("name", ["order/17", "a b?c#d", "50%2F50", "é", "x/release", "release"])
def test_any_opaque_id_can_be_named_in_a_url(clinic: Clinic, name: str) -> None:
    """What was taken as an id can be asked about, released and taken back by it."""
    clinic.sends(ANN, message_id=name).is_("deferred")
    path = quote(name, safe="")
    assert clinic.fate(path) == "deferred"
    clinic.hears(ANN, "CONSENT")
    clinic.releases(path).is_("released")
    answer = clinic.call("POST", f"/v1/messages/{path}/cancel", "sender")
    answer.problem(409, "already-released")


def test_a_text_that_waits_for_its_hour_goes_by_itself(open_clinic: Open) -> None:
    """Row 14: deferred for quiet hours, with the time from which it may go, and no request."""
    clinic = open_clinic("opt-out")
    hour = int(clinic.asks(ANN)["answered_at"][11:13])
    hours = {"start": 0, "end": hour - 1} if hour >= 2 else {"start": hour + 2, "end": 24}
    zone = {"time_zone": "UTC"}
    clinic.adopts("opt-out", changes={"purposes": {"recall": {"hours": hours}}, **zone})
    answer = clinic.sends(ANN, "recall", "out-1").is_("deferred", "quiet_hours")
    assert answer["not_before"].endswith(":00:00Z")
    assert answer["consent_request"] is None
    assert clinic.releasable() == []
    assert clinic.releases("out-1").problem(409, "not-releasable")["reason"] == "quiet_hours"
    clinic.adopts(
        "opt-out", changes={"purposes": {"recall": {"hours": {"start": 0, "end": 24}}}, **zone}
    )
    assert clinic.releasable() == ["out-1"]


ODD_IDS = ("a/b", "a/release", "release-next", "x/cancel/release", "50%", "é ü", "?state=x")


def test_any_opaque_id_names_a_message_in_a_path(clinic: Clinic) -> None:
    """Percent-encoded, whatever it looks like: its fate, its release and its end."""
    for i, message_id in enumerate(ODD_IDS):
        number, place = f"+1415555020{i}", f"/v1/messages/{quote(message_id, safe='')}"
        clinic.sends(number, message_id=message_id).is_("deferred")
        assert clinic.get(place, "auditor")["message_id"] == message_id
        clinic.hears(number, "CONSENT")
        answer = clinic.call("POST", f"{place}/release", "sender", {"claimed_by": "worker-1"})
        assert (answer["message_id"], answer["number"]) == (message_id, number)
        clinic.call("POST", f"{place}/cancel", "sender").problem(409, "already-released")


def test_an_id_that_is_none_is_refused_in_a_path(clinic: Clinic) -> None:
    """As in a body: the place is named, and a number is not told again."""
    for message_id in (ANN, "x" * 201, "a\tb"):
        place = f"/v1/messages/{quote(message_id, safe='')}"
        body = {"claimed_by": "worker-1"}
        answers = [
            clinic.call("GET", place, "auditor"),
            clinic.call("POST", f"{place}/release", "sender", body),
            clinic.call("POST", f"{place}/cancel", "sender"),
        ]
        for answer in answers:
            answer.problem(422, "invalid-body", "/message_id")
            assert message_id not in answer.response.text


def test_a_path_with_an_id_has_its_methods(clinic: Clinic) -> None:
    """Another method is told which there are."""
    answer = clinic.call("DELETE", "/v1/messages/text-1/release", "sender")
    answer.problem(405, "method-not-allowed")
    assert answer.response.headers["allow"] == "GET, POST"
