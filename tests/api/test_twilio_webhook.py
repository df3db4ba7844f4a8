"""Twilio's own requests, signed as its library signs them (contract section 4)."""

from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, DESK, Clinic, fresh
from tests.api.conftest import Open

TOKEN = "0123456789abcdef"


class Twilio:
    """Twilio, as it calls one endpoint of one account."""

    def __init__(self, clinic: Clinic, token: str = TOKEN) -> None:
        self.clinic = clinic
        self.name = fresh()
        answer = clinic.put(f"/v1/provider-endpoints/{self.name}", provider="twilio", secret=token)
        self.url = answer["url"]
        self.token = token

    def signed(self, query: str = "", **fields: str) -> str:
        """The signature that Twilio would send."""
        found = RequestValidator(self.token).compute_signature(self.url + query, fields)
        return str(found)

    def calls(self, signature: str | None = None, query: str = "", **fields: str) -> Answer:
        """One request, correctly signed unless told otherwise."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["X-Twilio-Signature"] = (
            signature if signature is not None else self.signed(query, **fields)
        )
        http = self.clinic.service.http
        return Answer(http.post(self.url + query, content=urlencode(fields), headers=headers))

    def texts(self, number: str, body: str, **more: str) -> str | None:
        """A contact's text arrives; the text of the reply, if there is one."""
        fields = {"MessageSid": f"SM{fresh()}", "From": number, "To": DESK, "Body": body}
        return reply_in(self.calls(**(fields | more)))

    def reports(self, number: str, status: str, **more: str) -> None:
        """The fate of a text arrives."""
        fields = {"MessageSid": f"SM{fresh()}", "From": DESK, "To": number}
        fields["MessageStatus"] = status
        assert reply_in(self.calls(**(fields | more))) is None


def reply_in(answer: Answer) -> str | None:
    """The text in a TwiML document."""
    assert answer.status == 200, answer.response.text
    assert answer.response.headers["content-type"].split(";")[0] in ("text/xml", "application/xml")
    document = ElementTree.fromstring(answer.response.content)
    assert document.tag == "Response"
    return document.findtext("Message")


@pytest.fixture
def twilio(open_clinic: Open) -> Twilio:
    """Twilio, calling an account that holds to `opt-out`."""
    return Twilio(open_clinic("opt-out"))


def test_a_stop_is_recorded_and_confirmed_in_twiml(twilio: Twilio) -> None:
    """The reply to send is the answer itself, once."""
    reply = twilio.texts(ANN, "STOP")
    assert reply is not None
    assert "START" in reply
    assert twilio.texts(ANN, "STOP") is None
    twilio.clinic.asks(ANN).is_denied("opted_out_by_contact")
    assert twilio.texts(ANN, "START") is not None
    twilio.clinic.asks(ANN).is_allowed("no_consent_needed")


def test_a_redelivered_webhook_is_one_fact(twilio: Twilio) -> None:
    """R-O1: the same MessageSid gets the same reply and records nothing."""
    first = twilio.texts(ANN, "STOP", MessageSid="SM1")
    with twilio.clinic.unchanged():
        assert twilio.texts(ANN, "STOP", MessageSid="SM1") == first
    assert twilio.clinic.facts(ANN) == ["StopReceived", "ReplyIssued"]


@pytest.mark.parametrize("kind", ["STOP", "START", "HELP"])
def test_where_twilio_answered_itself_no_second_reply_goes(twilio: Twilio, kind: str) -> None:
    """OptOutType says that Twilio acted on the word; the fact is recorded all the same."""
    assert twilio.texts(ANN, kind, OptOutType=kind) is None
    assert len(twilio.clinic.facts(ANN)) == 1


def test_media_and_whatsapp_senders_are_read(twilio: Twilio) -> None:
    """R-K7: pictures are counted; a scheme before the number is no part of it."""
    twilio.texts(f"whatsapp:{ANN}", "stop", NumMedia="2", MediaUrl0="https://example.com/a.jpg")
    assert twilio.clinic.history(ANN)[0]["data"]["media_count"] == 2
    twilio.clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_a_stop_from_a_possible_number_counts(twilio: Twilio) -> None:
    """Whether or not anybody can have it today: numbering plans grow."""
    assert twilio.texts("+15550001111", "STOP") is not None
    twilio.clinic.asks("+15550001111", "recall").is_denied("opted_out_by_contact")


@pytest.mark.parametrize("sender", ["ALERTS", "12345"])
def test_words_of_a_sender_that_is_no_number_are_kept(twilio: Twilio, sender: str) -> None:
    """Section 9: never refused, once however often they come, and a person can read them."""
    for _ in range(2):
        assert twilio.texts(sender, "STOP", MessageSid="SM1") is None
    kept = "SELECT sender, body FROM unparsed_words WHERE account_id = %s"
    assert twilio.clinic.service.rows(kept, twilio.clinic.account_id) == [(sender, "STOP")]


def test_a_wrong_signature_is_403_and_nothing_is_recorded(twilio: Twilio) -> None:
    """No signature, another token's, one for other fields or another URL."""
    fields = {"MessageSid": "SM1", "From": ANN, "To": DESK, "Body": "START"}
    twilio.texts(ANN, "STOP")
    stranger = Twilio(twilio.clinic, "another-token")
    with twilio.clinic.unchanged():
        for signature in (
            "",
            "nonsense",
            stranger.signed(**fields),
            twilio.signed(**{**fields, "Body": "STOP"}),
            twilio.signed(query="?x=1", **fields),
        ):
            twilio.calls(signature, **fields).problem(403, "signature-mismatch")
    twilio.clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_the_query_is_signed_too(twilio: Twilio) -> None:
    """Twilio signs the URL that it called, parameters included."""
    fields = {"MessageSid": "SM1", "From": ANN, "To": DESK, "Body": "STOP"}
    assert reply_in(twilio.calls(query="?source=a&b=c%20d", **fields)) is not None


def test_an_endpoint_that_is_not_there_is_404(twilio: Twilio) -> None:
    """Whatever it is signed with; and an endpoint answers to its own provider alone."""
    twilio.url = twilio.url.replace(twilio.name, fresh())
    fields = {"MessageSid": "SM1", "From": ANN, "To": DESK, "Body": "STOP"}
    twilio.calls(**fields).problem(404, "not-found")


def test_a_new_secret_takes_the_old_ones_place(twilio: Twilio) -> None:
    """A token that leaked is replaced at once."""
    path = f"/v1/provider-endpoints/{twilio.name}"
    twilio.clinic.put(path, provider="twilio", secret="rotated")
    fields = {"MessageSid": "SM1", "From": ANN, "To": DESK, "Body": "STOP"}
    twilio.calls(**fields).problem(403, "signature-mismatch")
    twilio.token = "rotated"
    assert reply_in(twilio.calls(**fields)) is not None


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To", "Body"])
def test_a_field_that_is_missing_is_named(twilio: Twilio, missing: str) -> None:
    """A signed request that is no message is a problem, and nothing is recorded."""
    fields = {"MessageSid": "SM1", "From": ANN, "To": DESK, "Body": "STOP"}
    del fields[missing]
    with twilio.clinic.unchanged():
        found = twilio.calls(**fields)
        assert found.status == 422
        assert found.response.json()["code"] == "webhook-malformed"
        assert missing in found.response.json()["detail"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=%ff", b"&".join([b"a=1"] * 300)])
def test_a_body_that_is_no_form_is_400(twilio: Twilio, body: bytes) -> None:
    """Bytes that are no form cannot be signed either."""
    http = twilio.clinic.service.http
    response = http.post(twilio.url, content=body, headers={"X-Twilio-Signature": "x"})
    assert response.status_code in (400, 403)


def test_a_failed_delivery_is_reported(twilio: Twilio) -> None:
    """R-F7: the code decides; this preset suppresses at the first unreachable."""
    twilio.reports(ANN, "queued")
    twilio.reports(ANN, "sent")
    twilio.clinic.asks(ANN).is_allowed("no_consent_needed")
    twilio.reports(ANN, "undelivered", ErrorCode="30003")
    answer = twilio.clinic.asks(ANN).is_denied("opted_out_by_system")
    assert answer["source"] == "system"
    twilio.reports(BEN, "failed", ErrorCode="21610")
    assert twilio.clinic.facts(BEN) == ["DeliveryReported", "CarrierSuppressed"]


def test_a_delivery_ends_a_row_of_failures(open_clinic: Open) -> None:
    """R-F7: three unreachable in a row, and a delivery between them begins a new row."""
    twilio = Twilio(open_clinic("recalls"))
    for status in ("undelivered", "undelivered", "delivered", "undelivered", "undelivered"):
        twilio.reports(ANN, status, ErrorCode="30003" if status == "undelivered" else "")
    twilio.clinic.asks(ANN).is_allowed("no_consent_needed")
    twilio.reports(ANN, "undelivered", ErrorCode="30003")
    twilio.clinic.asks(ANN).is_denied("opted_out_by_system")


def test_a_failure_that_is_told_four_times_is_one_failure(twilio: Twilio) -> None:
    """R-O1: a status callback that is redelivered is one report."""
    twilio.clinic.adopts("recalls")
    for _ in range(4):
        twilio.reports(ANN, "undelivered", ErrorCode="30003", MessageSid="SM7")
    assert twilio.clinic.facts(ANN) == ["DeliveryReported"]
    twilio.clinic.asks(ANN).is_allowed("no_consent_needed")
