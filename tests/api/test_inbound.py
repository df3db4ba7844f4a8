"""What a contact texts: how it is read, what it does, what is answered (sections 4 and K rules)."""

import pytest

from tests.api.clinic import ANN, BEN, DESK, Clinic, ago
from tests.api.conftest import Open

READINGS = [
    ("STOP", "stop", ["StopReceived", "ReplyIssued"]),
    ("Stop. Thank you", "stop", ["StopReceived", "ReplyIssued"]),
    ("please stop texting me", "stop", ["StopReceived", "ReplyIssued"]),
    ("OPT-OUT", "stop", ["StopReceived", "ReplyIssued"]),
    ("ARRÊT", "stop", ["StopReceived", "ReplyIssued"]),
    ("START", "start", ["StartReceived"]),
    ("Unstop!", "start", ["StartReceived"]),
    ("HELP", "help", ["HelpRequested", "ReplyIssued"]),
    ("info?", "help", ["HelpRequested", "ReplyIssued"]),
    ("I consent", "consent", ["ConsentGranted", "ReplyIssued"]),
    ("DECLINE", "decline", ["ConsentDeclined"]),
    ("Yes", "yes", ["AffirmativeReceived", "ReplyIssued"]),
    ("no", "no", ["NegativeReceived", "ReplyIssued"]),
    ("take me off your list", "suspected_revocation", ["RevocationSuspected"]),
    ("lose my number", "suspected_revocation", ["RevocationSuspected"]),
    ("We have got to STOP this terrible bill", "other", ["ReplyNotUnderstood", "ReplyIssued"]),
    ("I can't stop laughing", "other", ["ReplyNotUnderstood", "ReplyIssued"]),
    ("please cancel my order", "other", ["ReplyNotUnderstood", "ReplyIssued"]),
    ("", "other", ["ReplyNotUnderstood", "ReplyIssued"]),
]


@pytest.mark.parametrize(("text", "meaning", "facts"), READINGS, ids=[r[0] for r in READINGS])
def test_a_text_is_read_as_the_rulebook_says(
    clinic: Clinic, text: str, meaning: str, facts: list[str]
) -> None:
    """R-K1 to R-K4, R-M8: every `understood_as` and what it records of a number nobody knows."""
    answer = clinic.hears(ANN, text).understood_as(meaning).recorded(*facts)
    assert (answer["review_id"] is not None) == (meaning == "suspected_revocation")
    assert clinic.facts(ANN) == facts
    assert clinic.history(ANN)[0]["words"] == text


def test_every_kind_of_reply_comes_with_its_words_and_its_addressee(clinic: Clinic) -> None:
    """R-K6: the seven replies, each naming the account and the number to send it to."""
    said = {
        "please_call": clinic.hears(ANN, "who is this?"),
        "help": clinic.hears(ANN, "HELP"),
        "consent_confirmation": clinic.hears(ANN, "CONSENT"),
        "stop_confirmation": clinic.hears(ANN, "STOP"),
        "how_to_opt_in": clinic.hears(ANN, "CONSENT"),
        "start_confirmation": clinic.hears(ANN, "START"),
    }
    clinic.sends(BEN).is_("deferred", "consent_required")
    said["ask_again"] = clinic.hears(BEN, "what for?")
    for kind, answer in said.items():
        answer.replied(kind)
        assert answer["reply"]["to"] == (BEN if kind == "ask_again" else ANN)
        assert ("Lakeside Clinic" in answer["reply"]["text"]) == (kind != "please_call")


def test_a_reply_names_the_location_that_was_texted(clinic: Clinic) -> None:
    """R-K6: the contact knows the office, not the company."""
    clinic.opens_location("main")
    assert "The main office" in clinic.hears(ANN, "STOP")["reply"]["text"]


def test_stop_is_confirmed_once_and_only_while_fresh(clinic: Clinic) -> None:
    """R-F1, R-O5: one confirmation for a STOP that changes something, none after five minutes."""
    clinic.hears(ANN, "STOP").replied("stop_confirmation")
    clinic.hears(ANN, "STOP").replied(None).recorded("StopReceived")
    clinic.hears(BEN, "STOP", occurred_at=ago(minutes=6)).replied(None).recorded("StopReceived")
    clinic.asks(BEN, "recall").is_denied("opted_out_by_contact")


def test_yes_means_what_the_standing_makes_of_it(open_clinic: Open) -> None:
    """R-K2: consent while a request waits, START while an opt-out stands, else nothing."""
    clinic = open_clinic("consent-first")
    clinic.blocks(ANN, "recall", blocked=False)
    clinic.hears(ANN, "yes").recorded("AffirmativeReceived").replied(None)
    clinic.asks(ANN).is_deferred("consent_required")
    clinic.requests(ANN)
    clinic.hears(ANN, "yes").replied("consent_confirmation")
    clinic.asks(ANN).is_allowed("consented")
    clinic.hears(ANN, "STOP")
    clinic.hears(ANN, "yes").replied("start_confirmation")
    clinic.asks(ANN).is_allowed("consented")


def test_no_declines_while_a_request_waits(clinic: Clinic) -> None:
    """R-K2, R-M4: NO answers a request; staff may not text, reminders still go."""
    clinic.requests(ANN)
    clinic.hears(ANN, "no").recorded("NegativeReceived").replied(None)
    clinic.asks(ANN).is_denied("consent_declined")
    clinic.asks(ANN, "appointment_reminder").is_allowed("no_consent_needed")


def test_two_machines_do_not_talk_for_ever(clinic: Clinic) -> None:
    """R-K6: the eleventh automatic reply in a day is not asked for."""
    kinds = [clinic.hears(ANN, "HELP")["reply"] is not None for _ in range(12)]
    assert kinds == [True] * 10 + [False] * 2
    clinic.hears(ANN, "STOP").replied("stop_confirmation")


def test_an_opted_out_number_gets_no_reply_but_help_and_one_hint(clinic: Clinic) -> None:
    """R-K6: the text that tells how to opt in goes once per STOP."""
    clinic.hears(ANN, "STOP")
    clinic.hears(ANN, "why do you text me?").replied(None)
    clinic.hears(ANN, "HELP").replied("help")
    clinic.hears(ANN, "CONSENT").replied("how_to_opt_in")
    clinic.hears(ANN, "CONSENT").replied(None)
    clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_media_are_counted_and_the_text_beside_them_is_read(clinic: Clinic) -> None:
    """R-K7, R-M9: no media is kept, and a STOP on a picture is a STOP."""
    clinic.hears(ANN, "stop", media_count=3).understood_as("stop")
    assert clinic.history(ANN)[0]["data"]["media_count"] == 3


def test_words_from_a_sender_that_is_no_number_are_kept_not_refused(clinic: Clinic) -> None:
    """Section 9: a short code or a name cannot be a number, and its words are kept once."""
    for _ in range(2):
        answer = clinic.hears("REWARDS", "STOP", message_id="in-9").understood_as("stop")
        assert (answer["number_id"], answer["reply"], answer["recorded"]) == (None, None, [])
    kept = clinic.service.rows(
        "SELECT sender, body FROM unparsed_words WHERE account_id = %s", clinic.account_id
    )
    assert kept == [("REWARDS", "STOP")]


@pytest.mark.parametrize("number", ["+15550001111", "+14150000000", "+99912345678", "+1911555013"])
def test_a_stop_from_a_possible_but_invalid_number_is_never_refused(
    clinic: Clinic, number: str
) -> None:
    """Section 2: what no phone book lists may still be a phone that said STOP."""
    answer = clinic.hears(number, "STOP").understood_as("stop")
    assert answer.status == 200
    if answer["number_id"] is not None:
        clinic.asks(number, "recall").is_denied("opted_out_by_contact")


def test_where_a_text_went_to_is_no_reason_to_refuse_it(clinic: Clinic) -> None:
    """A short code or nonsense in `to` is a place that is not known."""
    for to in ("12345", "front desk", ""):
        clinic.hears(ANN, "STOP", to=to).understood_as("stop")
    assert clinic.history(ANN)[0]["sending_number_id"] is None
    clinic.hears(ANN, "STOP", to=DESK)
    assert clinic.history(ANN)[-1]["sending_number_id"] is not None


def test_a_huge_stop_is_a_stop_and_a_huge_yes_is_none(clinic: Clinic) -> None:
    """What is cut short may close and never opens; beyond the limit it is refused whole."""
    clinic.requests(ANN)
    clinic.hears(ANN, "yes " * 2_000).understood_as("other")
    clinic.hears(ANN, "stop " * 2_000).understood_as("stop")
    clinic.hears(ANN, "x" * 10_001).problem(422, "invalid-body", "/body")


def test_a_stop_in_national_form_is_the_account_regions_number(clinic: Clinic) -> None:
    """Section 9: 475 is Connecticut before it is Norway's 47, or the STOP would be another's."""
    clinic.hears("4755550142", "STOP").understood_as("stop")
    clinic.asks("+14755550142", "recall").is_denied("opted_out_by_contact")


def test_the_honour_clock_runs_from_the_receipt_of_a_stop(clinic: Clinic) -> None:
    """Rulebook section 8: until the first check that refuses; a repetition is no STOP more."""
    before = honoured(clinic)
    for _ in range(2):
        clinic.hears(ANN, "STOP", message_id="late", received_at=ago(hours=2))
    clinic.hears(BEN, "hello")
    count, seconds = honoured(clinic)
    assert count == before[0] + 1
    assert 7_200 <= seconds - before[1] < 7_260


def honoured(clinic: Clinic) -> tuple[float, float]:
    """How many STOPs were honoured, and how long that took in all."""
    said = clinic.service.http.get("/metrics").text
    name = "consent_ledger_stop_honoured_seconds"
    found = dict(line.split() for line in said.splitlines() if line.startswith(name + "_"))
    return float(found[name + "_count"]), float(found[name + "_sum"])


@pytest.mark.parametrize(
    "message_id", [ANN, "+1 (415) 555-0131", "whatsapp:" + ANN, "a\nb", "é" * 1_000, f"{ANN}-1"]
)
def test_no_id_is_a_reason_to_refuse_what_a_contact_says(clinic: Clinic, message_id: str) -> None:
    """R-O1, section 9: one that is a number, or no opaque id, is known by a digest. It is told by
    the sender, and a STOP must not be lost for it."""
    text = {"from": ANN, "to": DESK, "body": "STOP", "message_id": message_id}
    said = clinic.post("/v1/inbound-messages", "sender", **text, correlation_id=message_id)
    said.understood_as("stop")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    with clinic.unchanged():
        again = clinic.post("/v1/inbound-messages", "sender", **text)
    assert (again["recorded"], again["reply"]) == ([], said["reply"])


def test_an_id_of_a_number_and_a_count_is_an_id(clinic: Clinic) -> None:
    """More digits than its country's numbers have: whoever makes such ids is not turned away."""
    clinic.sends(ANN, message_id=f"{ANN}-1").is_("deferred", "consent_required")
    for message_id in ("+1 415 555 0131", "+1415:5550131", "tel:+14155550131", ANN):
        body = {"message_id": message_id, "number": ANN, "purpose": "recall"}
        clinic.post("/v1/messages", "sender", **body).problem(422, "invalid-body", "/message_id")
