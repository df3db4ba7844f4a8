"""The preset `consent-first`, as a sender meets it over HTTP: rules R-M1 to R-M10.

R-M11, that staff learn of a reply, is the event feed's: tests/api/test_feed.py.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from consent_ledger.words import Purpose
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, DESK, Clinic, ago, ahead, fresh
from tests.api.conftest import Open

REMINDER: Final = "appointment_reminder"
SECOND_DESK: Final = "+14155550191"
PAIR: Final = ("conversation", REMINDER)
HOME, MOBILE = ANN, BEN


def serves(clinic: Clinic, number: str, *purposes: str, location: str = "main") -> Answer:
    """An admin says what a sending number serves."""
    return clinic.post("/v1/sending-numbers", number=number, location=location, purposes=purposes)


def place(clinic: Clinic, location: str, name: str) -> None:
    """An admin defines a location."""
    clinic.post("/v1/locations", id=location, name=name).recorded("LocationDefined")


# --- R-M1: the first text ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"manual": True},
        {"manual": True, "sent_by": "jo"},
        {"manual": True, "sent_by": "jo", "confirmed": True},
    ],
    ids=str,
)
def test_the_first_text_waits_and_the_number_is_asked(clinic: Clinic, how: dict[str, Any]) -> None:
    """R-M1: whoever sends it; the answer is the one from before the request, the next check not."""
    answer = clinic.sends(ANN, **how).is_("deferred").is_deferred("consent_required")
    answer.recorded("MessageDeferred", "ConsentRequested")
    assert answer["consent_request"]["to"] == ANN
    assert (answer["consent"], answer["status_label"]) == ("none", "Not Authorized")
    assert (answer["lifted_by"], answer["evidence"]) == ("consent_request", [])
    now = clinic.asks(ANN).is_deferred("consent_pending")
    assert (now["consent"], now["status_label"]) == ("requested", "Pending Authorization")
    assert now["lifted_by"] == "contact_reply"
    clinic.finds_evidence(now, ANN, "ConsentRequested")


def test_a_second_text_waits_without_a_second_request(clinic: Clinic) -> None:
    """R-M1: nobody is asked twice, however many people write and from wherever."""
    place(clinic, "main", "Main Street")
    serves(clinic, DESK, "conversation")
    clinic.sends(ANN)
    for more in ({}, {"manual": True, "sent_by": "jo"}, {"location": "main"}):
        answer = clinic.sends(ANN, **more).is_("deferred", "consent_pending")
        answer.recorded("MessageDeferred")
        assert answer["consent_request"] is None
    assert clinic.facts(ANN).count("ConsentRequested") == 1


def test_the_request_can_be_traced_to_the_text_that_brought_it(clinic: Clinic) -> None:
    """R-M1: it names the purpose and the cause, and its id finds it in the history."""
    answer = clinic.sends(ANN, message_id="first")
    deferred, asked = clinic.history(ANN)
    assert asked["event_id"] == answer["consent_request"]["request_id"]
    assert (asked["message_id"], asked["causation_id"]) == ("first", deferred["event_id"])
    assert asked["data"]["purposes"] == ["conversation"]
    assert asked["actor"]["kind"] == "ledger"


def test_the_request_names_the_location_and_both_answers(clinic: Clinic) -> None:
    """R-M1, R-K6: the contact knows the office that writes, and what to answer."""
    place(clinic, "main", "Main Street Clinic")
    serves(clinic, DESK, "conversation")
    text = clinic.sends(ANN, location="main")["consent_request"]["text"]
    assert "Main Street Clinic" in text
    assert "CONSENT" in text
    assert "DECLINE" in text


def test_a_question_alone_asks_nobody(clinic: Clinic) -> None:
    """R-M1: only a text that wants to go brings a request; a check records nothing."""
    with clinic.unchanged():
        for _ in range(2):
            clinic.asks(ANN).is_deferred("consent_required")
            clinic.asks(ANN, manual=True, sent_by="jo").is_deferred("consent_required")


def test_the_same_text_twice_is_one_text_and_one_request(clinic: Clinic) -> None:
    """R-M1, R-O1: by its message id, or by an Idempotency-Key; another body is an error."""
    first = clinic.sends(ANN, message_id="text-1")
    with clinic.unchanged():
        again = clinic.sends(ANN, message_id="text-1")
        clinic.sends(BEN, message_id="text-1").problem(422, "message-id-reused")
    assert again.body == {**first.body, "recorded": []}
    body = {"message_id": "text-2", "number": BEN, "purpose": "conversation"}
    sent: dict[str, Any] = {"Idempotency_Key": fresh()}
    first = clinic.call("POST", "/v1/messages", "sender", body, **sent)
    again = clinic.call("POST", "/v1/messages", "sender", body, **sent)
    assert again.body == {**first.body, "recorded": []}
    other = clinic.call("POST", "/v1/messages", "sender", {**body, "purpose": "recall"}, **sent)
    other.problem(422, "idempotency-key-reused")
    assert clinic.facts(BEN) == ["MessageDeferred", "ConsentRequested"]


@pytest.mark.parametrize(
    "form", ["(415) 555-0131", "415 555 0131", "1-415-555-0131", "+1 (415) 555 0131", "4155550131"]
)
def test_a_number_is_one_however_it_is_written(clinic: Clinic, form: str) -> None:
    """R-M1, R-M2: the text waits for the reply of the same phone in whatever form it comes."""
    answer = clinic.sends(form, message_id="text-1")
    assert answer["consent_request"]["to"] == ANN
    clinic.hears("415.555.0131", "CONSENT").replied("consent_confirmation")
    assert clinic.asks(form).is_allowed("consented")["number_id"] == answer["number_id"]
    assert clinic.takes_next() == ["text-1"]


def test_who_may_say_what(clinic: Clinic) -> None:
    """R-M1: agents send, auditors read, and only the sending system hears contacts."""
    body = {"message_id": "text-1", "number": ANN, "purpose": "conversation"}
    said = {"from": ANN, "to": DESK, "body": "CONSENT", "message_id": "in-1"}
    with clinic.unchanged():
        for role in ("auditor", "admin"):
            clinic.post("/v1/messages", role, **body).problem(403, "role-not-allowed")
        for role in ("agent", "admin", "auditor"):
            answer = clinic.call("POST", "/v1/inbound-messages", role, said)
            answer.problem(403, "role-not-allowed")
        clinic.call("POST", "/v1/messages", None, body).problem(401, "key-missing-or-unknown")
    clinic.post("/v1/messages", "agent", **body).is_("deferred", "consent_required")
    clinic.post("/v1/checks", "auditor", number=ANN, purpose="conversation").is_deferred(
        "consent_pending"
    )


def test_two_desks_at_the_same_moment_ask_once(clinic: Clinic) -> None:
    """R-M1: sixteen first texts together bring one request, and all of them wait for it."""
    with ThreadPoolExecutor(16) as desks:
        answers = list(desks.map(lambda i: clinic.sends(ANN, message_id=f"text-{i}"), range(16)))
    requests = [answer["consent_request"] for answer in answers]
    assert sum(request is not None for request in requests) == 1
    assert clinic.facts(ANN).count("ConsentRequested") == 1
    clinic.hears(ANN, "CONSENT")
    assert len(clinic.takes_next()) == 16


def test_while_one_request_waits_no_other_purpose_asks(clinic: Clinic) -> None:
    """R-M1: marketing waits for a request of its own, which goes when the first is answered."""
    clinic.sends(ANN)
    answer = clinic.sends(ANN, "marketing", "offer-1").is_("deferred", "consent_required")
    assert answer["consent_request"] is None
    clinic.hears(ANN, "CONSENT")
    clinic.asks(ANN).is_allowed("consented")
    assert clinic.fate("offer-1") == "deferred"
    answer = clinic.sends(ANN, "marketing", "offer-2").is_("deferred", "consent_required")
    assert "offers" in answer["consent_request"]["text"]
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable()[-2:] == ["offer-1", "offer-2"]


def test_a_request_that_never_arrived_may_be_sent_again_by_hand(clinic: Clinic) -> None:
    """R-M1, R-F9: its id is the message id of the carrier's report; a third one is too many."""
    request = clinic.sends(ANN)["consent_request"]
    clinic.requests(ANN).is_no_request("consent_pending")
    clinic.reports(ANN, "30008", message_id=request["request_id"])
    again = clinic.requests(ANN, sent_by="jo").recorded("ConsentRequested")
    assert again["request_id"] != request["request_id"]
    clinic.reports(ANN, "30008", message_id=again["request_id"])
    clinic.requests(ANN).is_no_request("request_limit_reached")
    clinic.hears(ANN, "CONSENT")
    clinic.requests(ANN).is_no_request("consented")


# --- R-M2: two phones --------------------------------------------------------------------------


def test_consent_on_one_phone_opens_no_other(clinic: Clinic) -> None:
    """R-M2: though the sender names both as one contact's, each number is asked for itself."""
    clinic.consents(HOME)
    clinic.asks(HOME, contact_numbers=[MOBILE]).is_allowed("consented")
    answer = clinic.sends(MOBILE, contact_numbers=[HOME]).is_("deferred", "consent_required")
    assert answer["consent_request"]["to"] == MOBILE
    clinic.hears(MOBILE, "DECLINE")
    clinic.asks(MOBILE, contact_numbers=[HOME]).is_denied("consent_declined")
    clinic.asks(HOME, contact_numbers=[MOBILE]).is_allowed("consented")


# --- R-M3: CONSENT -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["CONSENT", "Consent.", "consent!!", "ｃｏｎｓｅｎｔ", "I agree", "Yes"]
)
def test_consent_lets_every_text_go_in_the_order_they_were_written(
    clinic: Clinic, word: str
) -> None:
    """R-M3: all of that number's at once, and no other's."""
    for name, number in (("a", ANN), ("b", BEN), ("c", ANN), ("d", ANN)):
        clinic.sends(number, message_id=name).is_("deferred")
    assert clinic.releasable() == []
    clinic.hears(ANN, word).replied("consent_confirmation")
    assert clinic.releasable() == ["a", "c", "d"]
    assert clinic.fate("b") == "deferred"
    assert clinic.takes_next(limit=2) == ["a", "c"]
    assert clinic.takes_next() == ["d"]
    assert clinic.takes_next() == []
    answer = clinic.asks(ANN).is_allowed("consented")
    assert (answer["consent"], answer["status_label"]) == ("granted", "Authorized")


def test_consent_weeks_later_is_as_good(clinic: Clinic) -> None:
    """R-M3: the request went out three weeks ago; the texts of the time since then go in order."""
    asked = clinic.requests(ANN, purposes=["conversation"], occurred_at=ago(days=21))
    assert asked["request_id"]
    for name in ("a", "b", "c"):
        assert clinic.sends(ANN, message_id=name)["consent_request"] is None
    assert clinic.asks(ANN).is_deferred("consent_pending")["since"] < ago(days=20)
    clinic.hears(ANN, "CONSENT")
    assert clinic.takes_next() == ["a", "b", "c"]


def test_a_consent_that_arrives_late_counts_from_when_it_was_said(clinic: Clinic) -> None:
    """R-M3, R-O2: the provider's clock may even put it before our request."""
    clinic.sends(ANN, message_id="a")
    clinic.hears(ANN, "CONSENT", received_at=ago(minutes=2))
    assert clinic.releasable() == ["a"]
    clinic.hears(ANN, "STOP", received_at=ago(minutes=1))
    assert clinic.releasable() == []
    clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_a_consent_from_the_future_opens_nothing_and_a_stop_counts(clinic: Clinic) -> None:
    """R-M3, R-O3: a clock that is wrong must not let a text out."""
    clinic.sends(ANN, message_id="a")
    clinic.hears(ANN, "CONSENT", occurred_at=ahead(hours=1))
    clinic.asks(ANN).is_deferred("consent_pending")
    assert clinic.releasable() == []
    clinic.hears(ANN, "STOP", occurred_at=ahead(hours=1))
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    assert clinic.fate("a") == "cancelled"


def test_consent_delivered_twice_is_said_once(clinic: Clinic) -> None:
    """R-M3, R-O1: the same message id, the same reply, and no text handed out again."""
    clinic.sends(ANN, message_id="a")
    first = clinic.hears(ANN, "CONSENT", message_id="in-1")
    assert clinic.takes_next() == ["a"]
    with clinic.unchanged():
        again = clinic.hears(ANN, "CONSENT", message_id="in-1")
    assert again.body == {**first.body, "recorded": []}
    assert clinic.takes_next() == []
    clinic.releases("a", "worker-2").problem(409, "already-released")


def test_a_text_whose_time_has_passed_stays_behind(clinic: Clinic) -> None:
    """R-M3: the sender said until when it makes sense."""
    clinic.sends(ANN, message_id="a", expires_at=ahead(seconds=0.3))
    clinic.sends(ANN, message_id="b", expires_at=ahead(days=60))
    while clinic.fate("a") == "deferred":
        pass
    clinic.hears(ANN, "CONSENT")
    assert clinic.takes_next() == ["b"]
    assert clinic.fate("a") == "expired"


def test_a_stop_while_waiting_ends_the_texts_for_good(clinic: Clinic) -> None:
    """R-M3, R-F1: neither CONSENT nor START weeks later lets them out."""
    clinic.sends(ANN, message_id="a")
    clinic.hears(ANN, "STOP").replied("stop_confirmation")
    clinic.hears(ANN, "CONSENT").replied("how_to_opt_in")
    clinic.hears(ANN, "START").replied("start_confirmation")
    clinic.asks(ANN).is_deferred("consent_required")
    clinic.consents(ANN)
    clinic.asks(ANN).is_allowed("consented")
    assert clinic.fate("a") == "cancelled"
    assert clinic.releasable() == []


# --- R-M4: DECLINE -----------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["DECLINE", "decline.", "No"])
def test_who_declines_is_reminded_and_not_talked_to(clinic: Clinic, word: str) -> None:
    """R-M4: staff may not text, by hand or not; the reminders of appointments still go."""
    clinic.sends(ANN, message_id="a")
    clinic.hears(ANN, word).replied(None)
    assert clinic.fate("a") == "cancelled"
    for how in ({}, {"manual": True, "sent_by": "jo", "confirmed": True}):
        answer = clinic.sends(ANN, **how).is_("refused").is_denied("consent_declined")
        assert answer["consent_request"] is None
        assert (answer["source"], answer["lifted_by"]) == ("contact", "contact_reply")
        assert (answer["consent"], answer["status_label"]) == ("declined", "Not Authorized")
        assert (answer["opted_out"], answer["do_not_text"]) == (False, False)
    clinic.sends(ANN, REMINDER).is_("permitted", "no_consent_needed")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_the_contact_may_think_again(clinic: Clinic) -> None:
    """R-M4: a CONSENT after the DECLINE opens the conversation, and not what was declined."""
    clinic.sends(ANN, message_id="a")
    clinic.hears(ANN, "DECLINE", received_at=ahead(minutes=1))
    clinic.hears(ANN, "CONSENT", received_at=ahead(minutes=2)).replied("consent_confirmation")
    clinic.asks(ANN).is_allowed("consented")
    assert clinic.releasable() == []


def test_who_declines_unasked_declines_everything_that_needs_consent(clinic: Clinic) -> None:
    """R-M4, R-F3: and what needs none goes on."""
    clinic.hears(ANN, "DECLINE").replied(None)
    for purpose in ("conversation", "marketing"):
        clinic.asks(ANN, purpose).is_denied("consent_declined")
    for purpose in (REMINDER, "recall"):
        clinic.asks(ANN, purpose).is_allowed("no_consent_needed")


def test_who_agreed_may_decline_later(clinic: Clinic) -> None:
    """R-M4: the latest word on the request counts, though it was answered before."""
    clinic.sends(ANN)
    clinic.hears(ANN, "CONSENT", received_at=ahead(minutes=1))
    clinic.sends(ANN, message_id="b").is_("permitted", "consented")
    clinic.hears(ANN, "DECLINE", received_at=ahead(minutes=2))
    clinic.asks(ANN).is_denied("consent_declined")
    clinic.hears(ANN, "CONSENT", received_at=ahead(minutes=1.5))
    clinic.asks(ANN).is_denied("consent_declined")


def test_texts_that_an_agents_opt_out_holds_wait_for_an_admin(clinic: Clinic) -> None:
    """R-M3, R-F5: a mistake is corrected, and nothing was lost by it."""
    clinic.sends(ANN, message_id="a")
    clinic.opts_out(ANN)
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable() == []
    assert clinic.releases("a").problem(409, "not-releasable")["reason"] == "opted_out_by_agent"
    clinic.opts_in(ANN)
    assert clinic.takes_next() == ["a"]


# --- R-M5: STOP --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["STOP", "UNSUBSCRIBE", "Unsubscribe, please", "stop. thanks"])
def test_stop_ends_everything_reminders_too(clinic: Clinic, word: str) -> None:
    """R-M5: nothing goes, for no purpose, and only the contact can change that."""
    clinic.consents(ANN)
    clinic.hears(ANN, word).understood_as("stop").replied("stop_confirmation")
    for purpose in Purpose:
        answer = clinic.sends(ANN, purpose).is_("refused").is_denied("opted_out_by_contact")
        assert (answer["source"], answer["lifted_by"]) == ("contact", "contact_start")
        assert (answer["do_not_text"], answer["opt_out_source"]) == (True, "contact")
        clinic.finds_evidence(answer, ANN, "StopReceived")
    answer = clinic.asks(ANN, manual=True, sent_by="jo").is_denied("opted_out_by_contact")
    assert (answer["consent"], answer["status_label"]) == ("revoked", "Revoked")


def test_after_stop_nobody_at_the_account_gets_around_it(clinic: Clinic) -> None:
    """R-M5: no opt-in, no request for consent, no form that was signed meanwhile."""
    clinic.hears(ANN, "STOP")
    with clinic.unchanged():
        assert clinic.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "contact"
        for asked in ({}, {"sent_by": "jo"}):
            found = clinic.requests(ANN, **asked).problem(409, "consent-request-refused")
            assert found["reason"] == "opted_out_by_contact"
    clinic.consents(ANN)
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.asks(ANN, REMINDER).is_denied("opted_out_by_contact")


def test_a_stop_on_one_phone_stops_the_contact_where_both_are_named(clinic: Clinic) -> None:
    """R-M5: the answer rests on the other number's STOP, until a START from there."""
    clinic.consents(HOME)
    clinic.hears(MOBILE, "STOP")
    for purpose in ("conversation", REMINDER):
        assert clinic.asks(HOME, purpose)["may_text"] is True
        answer = clinic.asks(HOME, purpose, contact_numbers=[CARA, MOBILE])
        answer.is_denied("opted_out_on_other_number")
        assert (answer["source"], answer["lifted_by"]) == ("contact", "contact_start")
        assert answer["opted_out"] is False
        clinic.finds_evidence(answer, MOBILE, "StopReceived")
    refused = clinic.sends(CARA, contact_numbers=[MOBILE]).is_("refused")
    assert refused.is_denied("opted_out_on_other_number")["consent_request"] is None
    clinic.hears(MOBILE, "START")
    clinic.asks(HOME, contact_numbers=[CARA, MOBILE]).is_allowed("consented")


def test_only_a_stop_on_the_other_phone_counts(clinic: Clinic) -> None:
    """R-M5: not an agent's opt-out there, a DECLINE or what the carrier says of it."""
    clinic.consents(ANN)
    clinic.opts_out(BEN)
    clinic.requests(CARA)
    clinic.hears(CARA, "DECLINE")
    clinic.reports(SECOND_DESK, "21610")
    clinic.asks(ANN, contact_numbers=[BEN, CARA, SECOND_DESK]).is_allowed("consented")
    clinic.opts_out(BEN, requested_by="contact", means="phone")
    clinic.asks(ANN, contact_numbers=[BEN]).is_denied("opted_out_on_other_number")


def test_a_contacts_number_that_cannot_be_read_is_named_by_its_place(clinic: Clinic) -> None:
    """R-M5: a number that nobody could look up must not pass as one without a STOP."""
    with clinic.unchanged():
        answer = clinic.asks(ANN, contact_numbers=["(415) 555-0132", "nobody"])
        answer.problem(422, "number-unparseable", "/contact_numbers/1")
        answer = clinic.sends(ANN, contact_numbers=["nobody"])
        answer.problem(422, "number-unparseable", "/contact_numbers/0")
    clinic.hears(BEN, "STOP")
    answer = clinic.asks(ANN, contact_numbers=["(415) 555-0132"])
    answer.is_denied("opted_out_on_other_number")


@pytest.mark.parametrize(
    ("said", "stopped"),
    [
        ([("START", 10), ("STOP", 20)], False),
        ([("STOP", 20), ("START", 10)], False),
        ([("STOP", 10), ("START", 20)], True),
        ([("START", 20), ("STOP", 10)], True),
    ],
)
def test_the_contacts_latest_word_counts_whichever_came_first(
    clinic: Clinic, said: list[tuple[str, int]], stopped: bool
) -> None:
    """R-M5, R-O2: minutes ago, by the provider's clock, in any order of arrival."""
    clinic.consents(ANN, occurred_at=ago(days=1))
    for word, minutes in said:
        clinic.hears(ANN, word, received_at=ago(minutes=minutes))
    answer = clinic.asks(ANN)
    if stopped:
        answer.is_denied("opted_out_by_contact")
    else:
        answer.is_allowed("consented")


def test_after_start_what_was_agreed_to_counts_again_and_no_more(clinic: Clinic) -> None:
    """R-M5, R-F2: who never consented is asked first, as if new."""
    clinic.consents(ANN)
    for number in (ANN, BEN):
        clinic.hears(number, "STOP")
        clinic.hears(number, "START").replied("start_confirmation")
        clinic.asks(number, REMINDER).is_allowed("no_consent_needed")
    clinic.asks(ANN).is_allowed("consented")
    clinic.sends(BEN).is_("deferred", "consent_required")


# --- R-M6: everywhere --------------------------------------------------------------------------


def test_consent_given_to_one_office_is_given_to_all(clinic: Clinic) -> None:
    """R-M6: from any location, any sending number, or none named."""
    place(clinic, "main", "Main Street")
    place(clinic, "north", "North")
    serves(clinic, DESK, "conversation")
    serves(clinic, SECOND_DESK, "conversation", location="north")
    clinic.sends(ANN, location="main", sending_number=DESK).is_("deferred")
    clinic.sends(ANN, message_id="from-north", location="north").is_("deferred", "consent_pending")
    clinic.hears(ANN, "CONSENT", to=DESK)
    clinic.asks(ANN, location="north", sending_number=SECOND_DESK).is_allowed("consented")
    clinic.asks(ANN, sending_number=SECOND_DESK).is_allowed("consented")
    clinic.asks(ANN).is_allowed("consented")
    assert "from-north" in clinic.takes_next()
    clinic.hears(ANN, "STOP", to=SECOND_DESK)
    clinic.asks(ANN, location="main").is_denied("opted_out_by_contact")


# --- R-M7 and R-M8: other words ----------------------------------------------------------------


def test_other_words_while_waiting_are_answered_with_the_question(clinic: Clinic) -> None:
    """R-M7: they change nothing, and the CONSENT that follows counts."""
    clinic.sends(ANN, message_id="a")
    for text in ("What is this about?", "ok", ""):
        answer = clinic.hears(ANN, text).understood_as("other").replied("ask_again")
        assert {"CONSENT", "DECLINE"} <= set(answer["reply"]["text"].rstrip(".").split())
        answer.recorded("ReplyNotUnderstood", "ReplyIssued")
        clinic.asks(ANN).is_deferred("consent_pending")
    assert clinic.fate("a") == "deferred"
    clinic.hears(ANN, "CONSENT").replied("consent_confirmation")
    clinic.hears(ANN, "What is this about?").understood_as("other").replied(None)
    assert clinic.releasable() == ["a"]


def test_asking_again_comes_to_an_end(clinic: Clinic) -> None:
    """R-M7, R-K6: against an auto-responder; what it says at last still counts."""
    clinic.sends(ANN)
    kinds = [clinic.hears(ANN, "I am on holiday")["reply"] for _ in range(15)]
    assert kinds[0] is not None
    assert kinds[-1] is None
    clinic.hears(ANN, "CONSENT")
    clinic.asks(ANN).is_allowed("consented")


def test_a_stranger_is_asked_to_call(clinic: Clinic) -> None:
    """R-M8: again when they write again, as their own words make nobody known."""
    for _ in range(2):
        answer = clinic.hears(ANN, "It's me, on a friend's phone").understood_as("other")
        answer.replied("please_call")
        assert answer["reply"]["to"] == ANN
    for word, kind in (("HELP", "help"), ("yes", "please_call"), ("STOP", "stop_confirmation")):
        clinic.hears(ANN, word).replied(kind)
    clinic.hears(ANN, "hello?").replied(None)


@pytest.mark.parametrize(
    "known_by", ["a reminder", "a form", "a preference", "a block", "a carrier's report"]
)
def test_whoever_the_account_has_a_fact_on_is_no_stranger(clinic: Clinic, known_by: str) -> None:
    """R-M8: one fact of the account's own is enough, and a conversation may begin."""
    match known_by:
        case "a reminder":
            clinic.sends(ANN, REMINDER).is_("permitted")
        case "a form":
            clinic.consents(ANN)
        case "a preference":
            clinic.learns_preference(ANN, "consented")
        case "a block":
            clinic.blocks(ANN)
        case _:
            clinic.reports(ANN, "0")
    clinic.hears(ANN, "hello").understood_as("other").replied(None)


# --- R-M9: no media ----------------------------------------------------------------------------


@pytest.mark.parametrize("media", [{"media_count": 1}, {"media_urls": ["https://x.test/1.png"]}])
def test_a_text_with_media_cannot_go_out(clinic: Clinic, media: dict[str, Any]) -> None:
    """R-M9: there is no way to ask for one, and who tries is told which field."""
    (field,) = media
    with clinic.unchanged():
        clinic.sends(ANN, REMINDER, **media).problem(422, "invalid-body", f"/{field}")


def test_a_picture_is_counted_and_the_words_beside_it_are_read(clinic: Clinic) -> None:
    """R-M9, R-K7: a picture alone says nothing; CONSENT under a picture is CONSENT."""
    clinic.sends(ANN, message_id="a")
    clinic.hears(ANN, "", media_count=2).understood_as("other").replied("ask_again")
    clinic.hears(ANN, "Consent", media_count=1).understood_as("consent")
    assert clinic.releasable() == ["a"]
    counts = [event["data"].get("media_count") for event in clinic.history(ANN)]
    assert [count for count in counts if count] == [2, 1]
    answer = clinic.hears(ANN, "look", media_urls=["https://x.test/1.png"])
    answer.problem(422, "invalid-body", "/media_urls")


# --- R-M10: places and numbers -----------------------------------------------------------------


@pytest.mark.parametrize("purposes", [PAIR, PAIR[::-1], (*PAIR, "recall")])
def test_a_number_serves_conversations_or_reminders(
    clinic: Clinic, purposes: tuple[str, ...]
) -> None:
    """R-M10: both at once is an error that names the field and defines nothing."""
    place(clinic, "main", "Main Street")
    serves(clinic, DESK, *purposes).problem(422, "set-up-refused", "/purposes")
    assert clinic.get("/v1/sending-numbers")["items"] == []


@pytest.mark.parametrize(("first", "second"), [PAIR, PAIR[::-1]])
def test_a_number_serves_one_of_the_two_in_whichever_order_they_are_defined(
    clinic: Clinic, first: str, second: str
) -> None:
    """R-M10: the second definition is an error, also from another place; the first one stands."""
    place(clinic, "main", "Main Street")
    place(clinic, "north", "North")
    serves(clinic, DESK, first).recorded("SendingNumberDefined")
    for location in ("main", "north"):
        answer = serves(clinic, DESK, second, location=location)
        answer.problem(422, "set-up-refused", "/purposes")
    serves(clinic, DESK, first, "recall", location="north").recorded("SendingNumberDefined")
    (item,) = clinic.get("/v1/sending-numbers")["items"]
    assert (item["purposes"], item["location"]) == ([first, "recall"], "north")
    clinic.call("DELETE", f"/v1/sending-numbers/{item['sending_number_id']}")
    serves(clinic, DESK, second).recorded("SendingNumberDefined")


def test_two_numbers_serve_both_from_one_place(clinic: Clinic) -> None:
    """R-M10: a location needs two numbers for it, and each serves its own."""
    place(clinic, "main", "Main Street")
    serves(clinic, DESK, "conversation")
    answer = clinic.asks(ANN, REMINDER, location="main").is_denied("sending_number_not_allowed")
    assert "Main Street" in answer["explanation"]
    assert answer["lifted_by"] == "admin"
    serves(clinic, SECOND_DESK, REMINDER)
    clinic.asks(ANN, REMINDER, location="main").is_allowed("no_consent_needed")
    clinic.asks(ANN, REMINDER, sending_number=SECOND_DESK).is_allowed("no_consent_needed")
    clinic.asks(ANN, REMINDER, sending_number=DESK).is_denied("sending_number_not_allowed")
    clinic.asks(ANN, sending_number=SECOND_DESK).is_denied("sending_number_not_allowed")


def test_a_number_defined_for_both_before_the_policy_serves_conversations(
    open_clinic: Open,
) -> None:
    """R-M10: the policy that is switched to decides, from its first instant, and back."""
    clinic = open_clinic("opt-out")
    place(clinic, "main", "Main Street")
    serves(clinic, DESK, *PAIR).recorded("SendingNumberDefined")
    clinic.consents(ANN)
    wheres: tuple[dict[str, str], ...] = ({"sending_number": DESK}, {"location": "main"})
    for where in wheres:
        clinic.asks(ANN, REMINDER, **where).is_allowed("no_consent_needed")
    clinic.adopts("consent-first")
    for where in wheres:
        clinic.asks(ANN, REMINDER, **where).is_denied("sending_number_not_allowed")
        clinic.sends(ANN, REMINDER, **where).is_("refused", "sending_number_not_allowed")
        clinic.asks(ANN, **where).is_allowed("consented")
    serves(clinic, SECOND_DESK, REMINDER)
    clinic.asks(ANN, REMINDER, location="main").is_allowed("no_consent_needed")
    serves(clinic, DESK, REMINDER).recorded("SendingNumberDefined")
    clinic.asks(ANN, REMINDER, sending_number=DESK).is_allowed("no_consent_needed")
    clinic.adopts("recalls")
    serves(clinic, DESK, *PAIR).recorded("SendingNumberDefined")


@pytest.mark.parametrize("preset", ["consent-first", "opt-out", "recalls", "authorization"])
def test_a_location_that_is_gone_is_refused_by_its_name(open_clinic: Open, preset: str) -> None:
    """R-M10: under every preset; so are texts held there, until the number has a new place."""
    clinic = open_clinic(preset)
    place(clinic, "emr-17", "Main Street")
    serves(clinic, DESK, "conversation", location="emr-17")
    clinic.consents(ANN)
    assert clinic.asks(ANN, location="emr-17")["may_text"] is True
    clinic.call("DELETE", "/v1/locations/emr-17").recorded("LocationRemoved")
    for where in ({"location": "emr-17"}, {"sending_number": DESK}):
        answer = clinic.asks(ANN, **where).is_denied("sending_number_not_allowed")
        assert "Main Street is gone" in answer["explanation"]
        assert answer["lifted_by"] == "admin"
    place(clinic, "emr-18", "Main Street")
    clinic.asks(ANN, location="emr-18").is_denied("sending_number_not_allowed")
    serves(clinic, DESK, "conversation", location="emr-18")
    assert clinic.asks(ANN, location="emr-18")["may_text"] is True
    assert clinic.asks(ANN, sending_number=DESK)["may_text"] is True
    clinic.asks(ANN, location="emr-17").is_denied("sending_number_not_allowed")


def test_a_text_held_at_a_location_that_goes_does_not_go(clinic: Clinic) -> None:
    """R-M10, R-M3: decided again at its release; with the location back it may."""
    place(clinic, "main", "Main Street")
    serves(clinic, DESK, "conversation")
    clinic.sends(ANN, message_id="a", location="main")
    clinic.call("DELETE", "/v1/locations/main")
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable() == []
    found = clinic.releases("a").problem(409, "not-releasable")
    assert found["reason"] == "sending_number_not_allowed"
    assert "Main Street" in found["explanation"]
    place(clinic, "main", "Main Street")
    assert clinic.takes_next() == ["a"]


def test_a_place_that_never_was_and_a_number_of_another_place(clinic: Clinic) -> None:
    """R-M10: each refusal says what is wrong, and no number; nobody is asked for consent."""
    place(clinic, "main", "Main Street")
    place(clinic, "north", "North")
    serves(clinic, DESK, "conversation")
    said = {
        "unknown": {"location": "nowhere"},
        "The sending number is unknown": {"sending_number": SECOND_DESK},
        "belongs to Main Street": {"location": "north", "sending_number": DESK},
        "North serves this purpose": {"location": "north"},
    }
    for words, where in said.items():
        answer = clinic.sends(ANN, **where).is_("refused", "sending_number_not_allowed")
        assert words in answer["explanation"]
        assert "+1" not in answer["explanation"]
        assert answer["consent_request"] is None


# --- the whole life of a number ----------------------------------------------------------------


def test_the_status_follows_the_contact(clinic: Clinic) -> None:
    """R-M1, R-M3, R-M4, R-M5: asked, declined, agreed, stopped and back."""
    life = [
        (None, "Not Authorized", "none"),
        ("ask", "Pending Authorization", "requested"),
        ("DECLINE", "Not Authorized", "declined"),
        ("CONSENT", "Authorized", "granted"),
        ("STOP", "Revoked", "revoked"),
        ("START", "Authorized", "granted"),
    ]
    for word, label, consent in life:
        if word == "ask":
            clinic.sends(ANN)
        elif word is not None:
            clinic.hears(ANN, word)
        answer = clinic.asks(ANN)
        assert (answer["status_label"], answer["consent"]) == (label, consent)
        assert answer["policy_version"] == 1
