"""What single providers send, beyond what all of them do."""

import time
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest

from api.providers import aws_sns, bandwidth, sinch, telnyx, twilio, vonage
from api.providers.base import Malformed, Report, Request, Text
from api.providers.reading import instant, international
from tests.api.clinic import ANN, BEN, CARA, DESK, fresh
from tests.api.conftest import Open
from tests.providers.imitations import (
    AwsSns,
    Bandwidth,
    Imitation,
    Plivo,
    PlivoV2,
    Sinch,
    Standard,
    Telnyx,
    Twilio,
    VonageSms,
    without,
)
from tests.providers.wire import Wire

HANDLED: list[tuple[type[Imitation], dict[str, str]]] = [
    (Twilio, {"OptOutType": "STOP"}),
    (Plivo, {"MessageIntent": "optout"}),
    (PlivoV2, {"MessageIntent": "optout"}),
    (Telnyx, {"autoresponse_type": "STOP"}),
]


def with_mark(wire: Wire, mark: dict[str, str], body: str, message_id: str) -> Any:
    """A text that the provider says it has acted on."""
    payload = wire.provider.text(ANN, body, message_id)
    if isinstance(wire.provider, Telnyx):
        payload["data"]["payload"] |= mark
        return payload
    return payload | mark


@pytest.mark.parametrize(("kind", "mark"), HANDLED)
def test_where_the_provider_answered_no_second_reply_goes(
    open_clinic: Open, kind: type[Imitation], mark: dict[str, str]
) -> None:
    """The word is recorded all the same; once, however often it is delivered."""
    wire = Wire(open_clinic("opt-out"), kind())
    for _ in range(2):
        assert wire.reply_in(wire.sends(with_mark(wire, mark, "STOP", "in-1"))) is None
    assert wire.clinic.facts(ANN) == ["StopReceived"]


@pytest.mark.parametrize(("kind", "mark"), HANDLED)
def test_a_word_that_only_the_provider_takes_for_stop_bars_too(
    open_clinic: Open, kind: type[Imitation], mark: dict[str, str]
) -> None:
    """R-F7: the number is on the provider's list, so the answer must not be yes; START lifts it."""
    wire = Wire(open_clinic("opt-out"), kind())
    for _ in range(2):
        assert wire.reply_in(wire.sends(with_mark(wire, mark, "genug", "in-1"))) is None
    wire.clinic.asks(ANN).is_denied("opted_out_by_system")
    assert wire.clinic.facts(ANN).count("CarrierSuppressed") == 1
    wire.texts(ANN, "START")
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")


@pytest.mark.parametrize(("kind", "mark"), HANDLED)
def test_a_review_does_not_take_the_number_off_the_providers_list(
    open_clinic: Open, kind: type[Imitation], mark: dict[str, str]
) -> None:
    """R-F7: the words may be no STOP, and yet the provider sends nothing until START."""
    wire = Wire(open_clinic("opt-out"), kind())
    wire.sends(with_mark(wire, mark, "take me off", "in-1"))
    (review,) = wire.clinic.get("/v1/reviews")["items"]
    verdict = {"verdict": "dismissed", "by": "admin-1"}
    wire.clinic.post(f"/v1/reviews/{review['review_id']}", **verdict)
    wire.clinic.asks(ANN).is_denied("opted_out_by_system")
    wire.texts(ANN, "START")
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")


@pytest.mark.parametrize("kind", [Telnyx, Bandwidth, Sinch])
def test_a_text_that_was_cut_in_the_middle_of_a_sign_is_read(
    open_clinic: Open, kind: type[Imitation]
) -> None:
    """Half an emoji is no reason to lose the STOP before it."""
    wire = Wire(open_clinic("opt-out"), kind())
    wire.texts(ANN, "STOP \ud83d")
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")


@pytest.mark.parametrize("count", ["zz", "-1", "5000"])
def test_a_wrong_count_of_pictures_loses_no_stop(open_clinic: Open, count: str) -> None:
    """What cannot be read beside the words is left out."""
    wire = Wire(open_clinic("opt-out"), Twilio())
    wire.sends(wire.provider.text(ANN, "STOP", fresh()) | {"NumMedia": count})
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_a_list_is_recorded_whole_and_in_its_order(open_clinic: Open) -> None:
    """Bandwidth sends several events at once; one that tells nothing is no harm among them."""
    wire, now = Wire(open_clinic("opt-out"), Bandwidth()), time.time()
    said = [(ANN, "STOP", now - 9), (BEN, "STOP", now - 8), (ANN, "START", now - 7)]
    texts = [wire.provider.text(who, what, fresh(), at=at)[0] for who, what, at in said]
    reports = wire.provider.report(CARA, "4775", fresh()) + wire.provider.on_the_way(CARA)
    answer = wire.sends(texts + reports)
    kinds = [reply["kind"] for reply in answer["replies"]]
    assert kinds == ["stop_confirmation", "stop_confirmation", "start_confirmation"]
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")
    wire.clinic.asks(BEN).is_denied("opted_out_by_contact")
    wire.clinic.asks(CARA).is_denied("opted_out_by_system")
    with wire.clinic.unchanged():
        assert wire.sends(texts + reports)["replies"] == answer["replies"]


def test_a_list_with_a_field_missing_records_nothing(open_clinic: Open) -> None:
    """It is read whole before anything is recorded."""
    wire = Wire(open_clinic("opt-out"), Bandwidth())
    good, bad = wire.provider.text(ANN, "STOP", fresh()), wire.provider.text(BEN, "STOP", fresh())
    with wire.clinic.unchanged():
        for payload in (good + without(bad, "0/message/id"), good * 1_001, {"type": "x"}, [1]):
            assert wire.sends(payload).status == 422


def test_a_report_for_many_recipients_is_one_for_each(open_clinic: Open) -> None:
    """Sinch's report of a batch."""
    wire = Wire(open_clinic("opt-out"), Sinch())
    statuses = [
        {"code": 257, "status": "Failed", "count": 2, "recipients": [ANN[1:], BEN[1:]]},
        {"code": 0, "status": "Delivered", "count": 1, "recipients": [CARA[1:]]},
        {"code": 401, "status": "Dispatched", "count": 9},
    ]
    payload = {"type": "delivery_report_sms", "batch_id": "b-1", "statuses": statuses}
    assert wire.sends(payload)["replies"] == []
    for number in (ANN, BEN):
        wire.clinic.asks(number).is_denied("opted_out_by_system")
    assert wire.clinic.facts(CARA) == ["DeliveryReported"]


def test_a_nonce_of_the_older_signature_stands_on_one_body(open_clinic: Open) -> None:
    """Plivo's V2 signs no body: whoever saw a request must not send another with its signature."""
    wire = Wire(open_clinic("opt-out"), PlivoV2())
    call = wire.text(ANN, "STOP")
    wire.delivers(call)
    other = wire.provider.encode(wire.provider.text(ANN, "START", fresh()))
    with wire.clinic.unchanged():
        wire.delivers(replace(call, body=other)).problem(403, "signature-mismatch")
        failed = wire.provider.encode(wire.provider.report(BEN, "200", fresh()))
        wire.delivers(replace(call, body=failed)).problem(403, "signature-mismatch")
        assert wire.delivers(call).status == 200
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")
    again = wire.provider.call(wire.url, dict(parse_qsl(call.body.decode())))
    wire.delivers(again)
    wire.delivers(replace(again, body=other)).problem(403, "signature-mismatch")


def test_the_newer_signature_counts_wherever_there_is_one(open_clinic: Open) -> None:
    """A good older one does not save a request whose newer one is wrong."""
    provider = Plivo()
    wire = Wire(open_clinic("opt-out"), provider)
    older = PlivoV2(provider.secret)
    call = wire.text(ANN, "STOP")
    both = call.headers | older.sign(call.url, call.body, 0)
    wrong = both | {"x-plivo-signature-v3": both["x-plivo-signature-v3"].swapcase()}
    wire.delivers(replace(call, headers=wrong)).problem(403, "signature-mismatch")
    assert wire.reply_in(wire.delivers(replace(call, headers=both))) is not None


@pytest.mark.parametrize("kind", [Twilio])
def test_a_reference_in_the_callbacks_url_names_the_text(
    open_clinic: Open, kind: type[Imitation]
) -> None:
    """R-F7: where the URL is signed, the sender may write its own id into it."""
    wire = Wire(open_clinic("opt-out"), kind())
    wire.clinic.sends(ANN, message_id="out-1").is_("permitted")
    wire.clinic.hears(ANN, "STOP")
    wire.clinic.hears(ANN, "START")
    place = f"{wire.url}?message_id=out-1"
    payload = wire.provider.report(ANN, wire.provider.suppressing, fresh())
    assert wire.delivers(wire.provider.call(place, payload)).status == 200
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")


def test_two_attempts_at_one_text_are_two_reports(open_clinic: Open) -> None:
    """The provider's own id tells them apart, whatever the sender calls them."""
    wire = Wire(open_clinic("opt-out", unreachable_limit=2), Telnyx())
    wire.clinic.sends(ANN, message_id="out-1").is_("permitted")
    for message_id in ("m-1", "m-2", "m-1"):
        wire.reports(ANN, "40005", message_id, "out-1")
    assert wire.clinic.facts(ANN).count("DeliveryReported") == 2
    wire.clinic.asks(ANN).is_denied("opted_out_by_system")


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_report_of_no_time_that_can_be_counts_from_now(open_clinic: Open, time: str) -> None:
    """A clock that is wrong is no reason to make the provider repeat itself for a day."""
    wire = Wire(open_clinic("opt-out"), Bandwidth())
    wire.clinic.hears(ANN, "START", received_at="2026-03-04T10:00:00Z")
    (event,) = wire.provider.report(ANN, "4775", fresh())
    assert wire.sends([event | {"time": time}]).status == 200
    wire.clinic.asks(ANN).is_denied("opted_out_by_system")


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_the_calendar_hides_no_history(open_clinic: Open, time: str) -> None:
    """The text counts from now on, and the history and the feed can tell of it."""
    wire = Wire(open_clinic("opt-out"), Standard())
    payload = wire.provider.text(ANN, "STOP", fresh())
    payload["data"]["received_at"] = time
    assert wire.sends(payload).status == 200
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")
    assert wire.clinic.facts(ANN) == ["StopReceived", "ReplyIssued"]


def test_nothing_that_looks_like_a_number_enters_an_event(open_clinic: Open) -> None:
    """Section 9: an id or a code of a provider is only kept where it is one."""
    wire = Wire(open_clinic("opt-out"), Bandwidth())
    wire.texts(ANN, "hello", ANN)
    wire.texts(ANN, "hello", ANN)
    wire.texts(ANN, "hello", f"sms:{ANN}")
    (event,) = wire.provider.report(ANN, "1", BEN, "x" * 500)
    assert wire.sends([event | {"errorCode": f"no route to {ANN}"}]).status == 200
    facts = wire.clinic.facts(ANN)
    assert (facts.count("ReplyNotUnderstood"), facts.count("DeliveryReported")) == (2, 1)
    events = wire.clinic.service.rows(
        "SELECT state FROM events WHERE account_id = %s", wire.clinic.account_id
    )
    assert not [1 for (state,) in events if ANN[1:].encode() in state or BEN[1:].encode() in state]


def test_a_recipient_that_is_no_number_is_acknowledged(open_clinic: Open) -> None:
    """A short code or a name has no row; the provider need not send it again."""
    wire = Wire(open_clinic("opt-out"), Bandwidth())
    with wire.clinic.unchanged():
        for recipient in ("12345", "ALERTS", "+"):
            wire.reports(recipient, "4775")


def test_a_long_text_is_cut_and_taken(open_clinic: Open) -> None:
    """A contact's words are never refused, and never kept without end."""
    wire = Wire(open_clinic("opt-out"), Standard())
    wire.texts(ANN, "x" * 20_000)
    (words,) = wire.clinic.service.rows(
        "SELECT body FROM words WHERE account_id = %s", wire.clinic.account_id
    )
    assert words == ("x" * 10_000,)


class VonageForm(VonageSms):
    """The SMS API where the account chose POST without JSON."""

    kind: ClassVar[str] = "application/x-www-form-urlencoded"
    encode = Twilio.encode


def test_vonages_sms_api_may_send_a_form(open_clinic: Open) -> None:
    """The `sig` is the same."""
    wire = Wire(open_clinic("opt-out"), VonageForm())
    assert wire.texts(ANN, "STOP") is not None
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")


class SinchPassword(Sinch):
    """The SMS API where the account has callbacks with credentials."""

    new_secret = Bandwidth.new_secret
    sign = Bandwidth.sign


def test_sinchs_sms_api_may_send_credentials(open_clinic: Open) -> None:
    """As its documentation offers."""
    wire = Wire(open_clinic("opt-out"), SinchPassword())
    assert wire.texts(ANN, "STOP") is not None
    stranger = SinchPassword()
    call = stranger.call(wire.url, stranger.text(ANN, "START", fresh()))
    wire.delivers(call).problem(403, "signature-mismatch")


def read(module: Any, body: bytes, **headers: str) -> Any:
    """What a provider's file makes of a body."""
    return module.read(Request("https://example.com/x", headers, body, 0))


DLR = (
    b'{"msisdn": "447700900000", "to": "AcmeInc", "network-code": "12345",'
    b'"messageId": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "price": "0.00000000",'
    b'"status": "failed", "scts": "2001011400", "err-code": "9", "api-key": "abcd1234",'
    b'"message-timestamp": "2020-01-01 12:00:00"}'
)
TELNYX = (
    b'{"data": {"event_type": "message.received", "id": "f5d7", "payload": {"id": "f5d7",'
    b'"direction": "inbound", "type": "SMS", "from": {"phone_number": "+12125551234"},'
    b'"to": [{"phone_number": "+13105559876"}], "text": "Hello, I need help", "media": [],'
    b'"received_at": "2026-07-15T14:30:00.000Z"}, "record_type": "event"}}'
)


def test_documented_examples_are_read() -> None:
    """As the providers' pages show them."""
    assert read(vonage, DLR, **{"content-type": "application/json"}) == [
        Report(
            "+447700900000",
            "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
            "9",
            1_577_880_000_000_000,
        )
    ]
    assert read(telnyx, TELNYX) == [
        Text(
            "+12125551234",
            "+13105559876",
            "Hello, I need help",
            "f5d7",
            at=1_784_125_800_000_000,
        )
    ]
    event = AwsSns().report("+14255550156", None, "862a")
    event["Message"]["eventType"] = "TEXT_SUCCESSFUL"
    body = AwsSns().call("", event).body
    (report,) = read(aws_sns, body)
    assert (report.recipient, report.message_id, report.code) == (
        "+14255550156",
        "862a",
        "delivered",
    )


@pytest.mark.parametrize(
    ("module", "body"),
    [
        (telnyx, b"[]"),
        (telnyx, b'{"data": "4155550131"}'),
        (telnyx, b'{"data": {"event_type": "message.received", "payload": []}}'),
        (bandwidth, b"{}"),
        (bandwidth, b'[{"type": true}]'),
        (sinch, b"[" * 100_000),
        (sinch, b'{"type": "mo_text", "from": ["4155550131"]}'),
        (vonage, b"\xff"),
        (aws_sns, b'{"Type": "Notification", "Message": "no json"}'),
        (twilio, b"a=%ff"),
    ],
)
def test_what_cannot_be_read_is_malformed_and_no_error(module: Any, body: bytes) -> None:
    """Whatever a signed body holds."""
    with pytest.raises(Malformed) as refusal:
        read(module, body)
    assert "415555" not in str(refusal.value)


def test_numbers_without_a_plus_are_international() -> None:
    """A country's own form cannot be taken for one, nor a name for a number."""
    assert international("447700900000") == "+447700900000"
    assert international("whatsapp:447700900000") == "whatsapp:+447700900000"
    for other in ("0821234567", "12345", "ALERTS", "+14155550100", ""):
        assert international(other) == other


def test_times_are_read_as_providers_write_them() -> None:
    """With nanoseconds, with a zone, without one; anything else is no time."""
    assert instant("2022-02-07T20:01:09.892757478Z") == 1_644_264_069_892_757
    assert instant("2020-01-01 12:00:00") == instant("2020-01-01T13:00:00+01:00")
    for other in ("", "yesterday", "0001-01-01T00:00:00+23:59", "2001011400x"):
        assert instant(other) is None
    assert DESK not in repr(Text(DESK, DESK, "hello", "m"))
    assert DESK not in repr(Report(DESK, "m", "1"))
    assert DESK not in repr(Request("", {}, DESK.encode(), 0))
