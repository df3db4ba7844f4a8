"""May I text this number? Every form of the question (contract section 3)."""

import re

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead
from tests.api.conftest import Open

SHAPE = {
    "may_text",
    "decision",
    "reason",
    "explanation",
    "lifted_by",
    "source",
    "since",
    "not_before",
    "consent",
    "opted_out",
    "opt_out_source",
    "do_not_text",
    "status_label",
    "purpose",
    "number_id",
    "number_version",
    "policy_version",
    "position",
    "evidence",
    "answered_at",
}
FORMS = [
    "+14155550131",
    "+1 (415) 555-0131",
    "(415) 555-0131",
    "415-555-0131",
    "415.555.0131",
    "4155550131",
    "14155550131",
    "tel:+1-415-555-0131",
    "＋１４１５５５５０１３１",
]


def test_a_deny_says_all_that_the_contract_shows(clinic: Clinic) -> None:
    """The example of section 3: 200 for a deny too, with its source, time and evidence."""
    said_at = "2026-03-04T10:00:00Z"
    stop = clinic.hears(ANN, "STOP", occurred_at=said_at)
    answer = clinic.asks(ANN).is_denied("opted_out_by_contact")
    assert answer.status == 200
    assert answer.body.keys() == SHAPE
    evidence = {
        "event_id": f"{stop['number_id'].replace('-', '')}-1",
        "type": "StopReceived",
        "occurred_at": said_at,
    }
    assert answer["evidence"] == [evidence]
    assert (answer["source"], answer["since"]) == ("contact", said_at)
    assert (answer["consent"], answer["status_label"]) == ("revoked", "Revoked")
    assert (answer["opted_out"], answer["opt_out_source"]) == (True, "contact")
    assert (answer["lifted_by"], answer["do_not_text"]) == ("contact_start", True)
    assert answer["number_id"] == stop["number_id"]
    assert answer["number_version"] == stop["number_version"]
    assert answer["position"] >= stop["position"]
    assert answer["policy_version"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", answer["answered_at"])


def test_a_number_that_nobody_spoke_of_has_an_answer(clinic: Clinic) -> None:
    """R-V1: no history is no error, and asking leaves no trace."""
    with clinic.unchanged():
        answer = clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
        assert answer["lifted_by"] is None
        assert (answer["number_version"], answer["evidence"]) == (0, [])
        answer = clinic.asks(ANN).is_deferred("consent_required")
        assert answer["lifted_by"] == "consent_request"
        assert (answer["consent"], answer["status_label"]) == ("none", "Not Authorized")


@pytest.mark.parametrize("written", FORMS)
def test_a_number_is_one_number_however_it_is_written(clinic: Clinic, written: str) -> None:
    """E.164, or national form with the account's default region: one person, one id."""
    clinic.hears(ANN, "STOP")
    clinic.asks(written).is_denied("opted_out_by_contact")


def test_without_a_default_region_a_national_number_is_none(open_clinic: Open) -> None:
    """An account of many countries has to write numbers in full."""
    clinic = open_clinic(region=None)
    clinic.asks("(415) 555-0131").problem(422, "number-unparseable", "/number")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_who_sends_decides_where_users_are_named(open_clinic: Open) -> None:
    """Section 7: automated needs no user, manual needs one where unnamed users may not text."""
    clinic = open_clinic("authorization")
    clinic.consents(ANN)
    clinic.asks(ANN).is_allowed("consented")
    clinic.asks(ANN, sent_by="jo").is_denied("sender_not_permitted")
    clinic.permits("jo", "allow")
    clinic.asks(ANN, sent_by="jo", manual=True).is_allowed("consented")
    clinic.asks(ANN, manual=True).problem(422, "sent-by-required", "/sent_by")
    clinic.asks(ANN, manual=True, as_of=ago(days=1)).problem(422, "sent-by-required", "/sent_by")


def test_a_stop_on_a_contacts_other_number_denies_under_consent_first(open_clinic: Open) -> None:
    """R-M5, row 4: the evidence is the other number's; other presets ask about one number."""
    for preset, reason in (("consent-first", "opted_out_on_other_number"), ("recalls", None)):
        clinic = open_clinic(preset)
        stop = clinic.hears(BEN, "STOP")
        answer = clinic.asks(ANN, "recall", contact_numbers=[CARA, BEN])
        if reason is None:
            answer.is_allowed("no_consent_needed")
        else:
            event_id = f"{stop['number_id'].replace('-', '')}-1"
            assert answer.is_denied(reason)["evidence"][0]["event_id"] == event_id
            assert (answer["opted_out"], answer["source"]) == (False, "contact")
        clinic.asks(ANN, "recall", contact_numbers=[CARA]).is_allowed("no_consent_needed")


def test_a_place_that_does_not_serve_the_purpose_denies(clinic: Clinic) -> None:
    """R-M10: an unknown location or sending number, or one for another purpose, is refused."""
    clinic.consents(ANN)
    clinic.opens_location("main", "conversation")
    clinic.asks(ANN, location="main").is_allowed("consented")
    clinic.asks(ANN, sending_number="+14155550190").is_allowed("consented")
    for place in (
        {"location": "gone"},
        {"sending_number": "+14155550191"},
        {"location": "gone", "sending_number": "+14155550190"},
    ):
        clinic.asks(ANN, **place).is_denied("sending_number_not_allowed")
    clinic.asks(ANN, "recall", location="main").is_denied("sending_number_not_allowed")
    clinic.call("DELETE", "/v1/locations/main")
    clinic.asks(ANN, location="main").is_denied("sending_number_not_allowed")


def test_quiet_hours_say_when_they_end(open_clinic: Open) -> None:
    """Row 14: outside the permitted hours a text waits until they open, Sundays later."""
    hours = {"start": 9, "end": 20, "sunday_start": 12}
    clinic = open_clinic(
        "opt-out", purposes={"recall": {"hours": hours}}, time_zone="America/Chicago"
    )
    for asked, opens in {
        "2026-03-02T14:59:00Z": "2026-03-02T15:00:00Z",
        "2026-03-03T02:00:00Z": "2026-03-03T15:00:00Z",
        "2026-03-01T15:00:00Z": "2026-03-01T18:00:00Z",
        "2026-03-08T15:00:00Z": "2026-03-08T17:00:00Z",
    }.items():
        answer = clinic.asks(ANN, "recall", as_of=asked).is_deferred("quiet_hours")
        assert (answer["not_before"], answer["lifted_by"]) == (opens, "time")
    for asked in ("2026-03-02T15:00:00Z", "2026-03-03T01:59:59Z", "2026-03-08T17:00:00Z"):
        clinic.asks(ANN, "recall", as_of=asked).is_allowed("no_consent_needed")
    clinic.asks(ANN, "marketing", as_of="2026-03-03T02:00:00Z").is_allowed("presumed_by_policy")


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"]
)
def test_no_time_is_too_far_away_for_an_answer(open_clinic: Open, when: str) -> None:
    """The ends of the calendar are answered or refused, in any time zone."""
    clinic = open_clinic("opt-out", purposes={"recall": {"hours": {}}}, time_zone="America/Chicago")
    assert clinic.asks(ANN, "recall", as_of=when).status in (200, 422)
    assert clinic.asks(ANN, "recall", known_at=when).status in (200, 422)
    assert clinic.opts_out(ANN, occurred_at=when).status in (200, 422)
    assert clinic.sends(BEN, "recall", expires_at=when).status in (200, 422)


def test_a_question_about_the_future_is_refused(clinic: Clinic) -> None:
    """Nobody knows what will have been said by then."""
    for field in ("as_of", "known_at"):
        clinic.asks(ANN, **{field: ahead(minutes=1)}).problem(422, "time-in-future", f"/{field}")


def test_a_contact_is_opted_out_if_any_of_the_numbers_is(open_clinic: Open) -> None:
    """R-V2: a lead's read-only flag, over all numbers of the lead."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP")
    clinic.opts_out(BEN)
    answer = clinic.post("/v1/contacts/check", "sender", numbers=["(415) 555-0131", BEN, CARA])
    assert answer["opted_out"] is True
    rows = [
        {"number": ANN, "opted_out": True, "opt_out_source": "contact", "consent": "revoked"},
        {"number": BEN, "opted_out": True, "opt_out_source": "agent", "consent": "none"},
        {"number": CARA, "opted_out": False, "opt_out_source": None, "consent": "none"},
    ]
    rows[0]["number"] = "(415) 555-0131"
    assert answer["numbers"] == rows
    assert clinic.post("/v1/contacts/check", "sender", numbers=[CARA])["opted_out"] is False
    clinic.post("/v1/contacts/check", "sender", numbers=[]).problem(422, "invalid-body", "/numbers")
    clinic.post("/v1/contacts/check", "sender", numbers=[CARA] * 21).problem(422, "invalid-body")


def test_a_repeated_question_is_answered_anew(clinic: Clinic) -> None:
    """R-O4: an Idempotency-Key never brings back a yes from before a STOP."""
    body = {"number": ANN, "purpose": "recall"}
    key = {"Idempotency_Key": "same"}
    clinic.call("POST", "/v1/checks", "sender", body, **key).is_allowed("no_consent_needed")
    clinic.hears(ANN, "STOP")
    clinic.call("POST", "/v1/checks", "sender", body, **key).is_denied("opted_out_by_contact")
