"""A number: where it stands, what happened to it, and its erasure (contract section 6)."""

import pytest

from consent_ledger.lexicon import DEFAULT_LEXICON
from tests.api.clinic import ANN, BEN, DESK, Clinic, ago
from tests.api.conftest import Open
from tests.api.routes import NO_NUMBER


def test_a_look_up_tells_where_a_number_stands(open_clinic: Open) -> None:
    """Its opaque id and all that stands, by source and purpose."""
    clinic = open_clinic("recalls")
    found = clinic.post("/v1/numbers/lookup", "auditor", number="(415) 555-0131")
    assert (found["known"], found["number_version"]) == (False, 0)
    clinic.hears(ANN, "STOP")
    clinic.opts_out(ANN)
    clinic.blocks(ANN, "recall")
    clinic.learns_preference(ANN, "unreadable")
    found = clinic.post("/v1/numbers/lookup", "auditor", number=ANN)
    assert (found["known"], found["number_version"]) == (True, 5)
    assert (found["opted_out"], found["opt_out_source"]) == (True, "contact")
    assert found["do_not_text"] is True
    assert (found["consent"], found["consents"]["recall"]) == ("revoked", "revoked")
    assert [each["source"] for each in found["opt_outs"]] == ["contact", "agent"]
    assert found["blocked_purposes"] == ["recall"]
    assert found["preferences"] == {"practice": "unreadable"}
    assert str(clinic.number_id(ANN)) == found["number_id"]


def test_a_look_up_leaves_no_trace(clinic: Clinic) -> None:
    """Who asks about a number does not make it known."""
    with clinic.unchanged():
        clinic.post("/v1/numbers/lookup", number=ANN)
    clinic.get(f"/v1/numbers/{clinic.number_id(ANN)}/history").problem(404, "not-found")


def test_a_history_tells_every_event_with_its_envelope(clinic: Clinic) -> None:
    """Section 2 of the rulebook: when, by whose clock, by whom, through what, under which rules."""
    said_at = ago(days=2)
    clinic.hears(ANN, "Stop. Thank you", message_id="in-7", received_at=said_at)
    (event,) = clinic.history(ANN)
    assert (event["type"], event["number_version"]) == ("StopReceived", 1)
    assert event["event_id"] == f"{clinic.number_id(ANN).hex}-1"
    assert event["occurred_at"] == said_at.replace("+00:00", "Z")
    assert event["occurred_at_basis"] == "provider"
    assert event["recorded_at"] > event["occurred_at"]
    assert event["actor"]["kind"] == "contact"
    assert (event["channel"], event["policy_version"]) == ("sms", 1)
    assert event["lexicon_version"] == str(DEFAULT_LEXICON.version)
    assert event["evidence"]["provider_message_id"] == "in-7"
    assert event["data"]["matched"] == "stop"
    assert event["words"] == "Stop. Thank you"


def test_a_history_is_searched_by_kind_time_and_word(clinic: Clinic) -> None:
    """R-L6: by type, by time, by what was said, in any case of letters."""
    clinic.hears(ANN, "What is my Appointment?")
    clinic.opts_out(ANN, reason="cancelled all appointments")
    clinic.hears(ANN, "STOP")
    third = clinic.history(ANN, type="StopReceived")
    assert [event["number_version"] for event in third] == [4]
    both = clinic.history(ANN, type="StopReceived,OptedOut")
    assert [event["type"] for event in both] == ["OptedOut", "StopReceived"]
    found = clinic.history(ANN, q="APPOINTMENT")
    assert [event["type"] for event in found] == ["ReplyNotUnderstood", "OptedOut"]
    assert clinic.history(ANN, q="100%") == []
    at = third[0]["recorded_at"]
    later = clinic.history(ANN, **{"from": at})
    assert later[0]["type"] == "StopReceived"
    earlier = clinic.history(ANN, to=at)
    assert [event["type"] for event in earlier] == ["ReplyNotUnderstood", "ReplyIssued", "OptedOut"]
    path = f"/v1/numbers/{clinic.number_id(ANN)}/history"
    clinic.get(f"{path}?type=NoSuchThing").problem(422, "unknown-type", "/type")
    clinic.get(f"{path}?from=yesterday").problem(422, "invalid-body", "/from")


def test_a_history_comes_in_pages(clinic: Clinic) -> None:
    """Each event once and in order."""
    for place in range(6):
        clinic.opts_out(ANN, by=f"agent-{place}")
    path = f"/v1/numbers/{clinic.number_id(ANN)}/history"
    versions: list[int] = []
    cursor = ""
    for _ in range(9):
        page = clinic.get(f"{path}?limit=4{cursor}")
        versions += [event["number_version"] for event in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert versions == [1, 2, 3, 4, 5, 6]


def test_a_number_that_was_erased_is_gone_and_still_suppressed(clinic: Clinic) -> None:
    """Section 9: vault and words are deleted, the facts stay, and its STOP outlives it."""
    clinic.hears(ANN, "please stop texting me")
    number_id = clinic.number_id(ANN)
    clinic.post(f"/v1/numbers/{number_id}/erase").recorded("PersonalDataErased")
    for table in ("numbers", "words"):
        query = f"SELECT * FROM {table} WHERE number_id = %s"
        assert clinic.service.rows(query, number_id) == []
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    history = clinic.get(f"/v1/numbers/{number_id}/history")["items"]
    assert [event["type"] for event in history] == [
        "StopReceived",
        "ReplyIssued",
        "PersonalDataErased",
    ]
    assert all(event["words"] is None for event in history)
    clinic.hears(ANN, "hello?").replied(None)
    assert clinic.number_id(ANN) == number_id
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")


def test_an_erased_numbers_held_text_is_handed_to_nobody(clinic: Clinic) -> None:
    """There is no number to send it to."""
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "CONSENT")
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase")
    body = {"claimed_by": "worker-1", "limit": 5}
    assert clinic.post("/v1/messages/release-next", "sender", **body)["items"] == []
    with clinic.unchanged():
        assert clinic.releases("out-1").status in (404, 409)


def test_an_erasure_of_nobody_is_404(clinic: Clinic) -> None:
    """Nor is an account's own id a number."""
    for number_id in (NO_NUMBER, clinic.account_id):
        clinic.post(f"/v1/numbers/{number_id}/erase").problem(404, "not-found")
        clinic.get(f"/v1/numbers/{number_id}/history").problem(404, "not-found")
    clinic.get("/v1/numbers/not-an-id/history").problem(422, "invalid-body", "/number_id")


def test_the_clinics_own_number_is_kept_when_a_contact_of_it_is_erased(clinic: Clinic) -> None:
    """A sending number is the account's, and still listed."""
    clinic.opens_location("main")
    clinic.hears(BEN, "STOP")
    clinic.post(f"/v1/numbers/{clinic.number_id(BEN)}/erase")
    (item,) = clinic.get("/v1/sending-numbers")["items"]
    assert item["number"] == DESK


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+525512345678", "+5215512345678"),
        ("+541123456789", "+5491123456789"),
        ("+551187654321", "+5511987654321"),
    ],
)
def test_one_person_has_one_id(clinic: Clinic, one: str, other: str) -> None:
    """Section 9: Mexico's 1, Argentina's 9 and Brazil's ninth digit."""
    clinic.hears(one, "STOP")
    clinic.asks(other, "recall").is_denied("opted_out_by_contact")
    assert clinic.number_id(one) == clinic.number_id(other)


def test_a_state_of_the_past_is_told_like_a_check_of_the_past(open_clinic: Open) -> None:
    """`as_of` with all that is known now, `known_at` with what was recorded by then."""
    clinic = open_clinic("opt-out")
    clinic.consents(ANN, "recall", occurred_at=ago(days=9))
    known = clinic.asks(ANN)["answered_at"]
    clinic.hears(ANN, "STOP", received_at=ago(days=5))
    path = f"/v1/numbers/{clinic.number_id(ANN)}/state"
    found = clinic.get(path, "auditor")
    assert (found["opted_out"], found["consents"]["recall"]) == (True, "revoked")
    assert found["number_version"] == 2
    found = clinic.get(f"{path}?as_of=2026-01-01T00:00:00Z")
    assert (found["opted_out"], found["consents"]["recall"]) == (False, "none")
    found = clinic.get(f"{path}?known_at={known}")
    assert (found["opted_out"], found["consents"]["recall"]) == (False, "granted")
    assert found["number_version"] == 1
    clinic.get(f"{path}?as_of=2999-01-01T00:00:00Z").problem(422, "time-in-future", "/as_of")
    clinic.get(f"/v1/numbers/{NO_NUMBER}/state").problem(404, "not-found")


def test_a_number_the_clinic_sends_from_stays_when_its_contact_is_erased(clinic: Clinic) -> None:
    """Whoever holds it may be forgotten as a contact; the clinic's own set-up is not theirs."""
    clinic.post("/v1/locations", id="main", name="Main")
    clinic.post("/v1/sending-numbers", number=ANN, location="main", purposes=["recall"])
    clinic.hears(ANN, "stop")
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase").recorded("PersonalDataErased")
    (own,) = clinic.get("/v1/sending-numbers")["items"]
    assert own["number"] == ANN
