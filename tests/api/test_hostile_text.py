"""No text that anybody can send makes the service fail: NULs, surrogates, huge strings, odd forms.

A text that is refused changes nothing and is not repeated; one that is taken is taken whole.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, DESK, Clinic
from tests.api.routes import ROUTES, TELL, WITH_BODY, Route, named, texts_in, with_value

HOSTILE = {
    "nul": "a\x00b",
    "only-nul": "\x00",
    "lone-surrogate": "a\ud800b",
    "reversed-pair": "\udc00\ud800",
    "empty": "",
    "spaces": "   ",
    "huge": "x" * 200_000,
    "huge-digits": "9" * 200_000,
    "emoji": "🛑" * 50,
    "right-to-left": "\u202e\u2066stop",
    "noncharacter": "\uffff\U0010ffff",
    "controls": "\x01\x1b[31m\r\nx: y",
    "superscript-digits": "+1415555⁰¹³¹",
    "sql": "'; DROP TABLE events; --",
    "template": "{name} %s {0.__class__}",
}
FIELDS = [(route, pointer) for route in WITH_BODY for pointer in texts_in(route.body)]
PATHS = ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 5_000, "..", "%2e%2e", "%27--", "🛑", "²"]


def as_json(body: object) -> bytes:
    """A body as bytes; json writes lone surrogates as escapes, as a careless sender would."""
    return json.dumps(body).encode()


def told(clinic: Clinic, route: Route, bodies: Iterable[dict[str, Any]]) -> Iterator[Answer]:
    """What the service makes of them: never a failure of its own, and nothing half done.

    That none of them left a stack trace in the log is seen when the test ends.
    """
    before = clinic.everything()
    for body in bodies:
        answer = clinic.call(route.method, route.url(), min(route.roles), as_json(body))
        assert answer.status < 500, (answer.status, answer.response.text, body)
        after = clinic.everything()
        if answer.status >= 400:
            answer.problem(answer.status, answer.response.json()["code"])
            assert after == before
        before = after
        yield answer


@pytest.mark.parametrize(
    ("route", "pointer"), FIELDS, ids=[f"{named(route)}{pointer}" for route, pointer in FIELDS]
)
def test_hostile_text_in_any_field_never_fails(clinic: Clinic, route: Route, pointer: str) -> None:
    """Each text field of each route with each hostile value."""
    clinic.post("/v1/locations", id="main", name="Main Street")
    bodies = [with_value(route.body, pointer, text) for text in HOSTILE.values()]
    for name, body in zip(HOSTILE, bodies, strict=True):
        if "message_id" in body and pointer != "/message_id":
            body["message_id"] = f"m-{name}"
    for text, answer in zip(HOSTILE.values(), told(clinic, route, bodies), strict=True):
        if answer.status >= 400 and len(text) > 20:
            assert text[:20] not in answer.response.text


OPTIONAL: dict[str, dict[str, object]] = {
    "/v1/checks": {"location": "x", "sent_by": "x", "as_of": "x", "known_at": "x"},
    "/v1/checks/batch": {"location": "x", "sent_by": "x", "sending_number": "x"},
    "/v1/inbound-messages": {"received_at": "x", "by": "x", "correlation_id": "x"},
    "/v1/consents": {"evidence": {"form_id": "x"}, "correlation_id": "x", "occurred_at": "x"},
    "/v1/consent-requests": {"location": "x", "sent_by": "x", "purposes": ["x"]},
    "/v1/opt-outs": {"means": "x", "requested_by": "x", "correlation_id": "x"},
    "/v1/messages": {"location": "x", "sent_by": "x", "contact_numbers": ["x"], "expires_at": "x"},
    "/v1/policy": {"changes": {"time_zone": "x"}},
}
OPTIONS = [
    (route, name, value)
    for route in WITH_BODY
    for name, value in OPTIONAL.get(route.path, {}).items()
]


@pytest.mark.parametrize(
    ("route", "name", "value"), OPTIONS, ids=[f"{named(each[0])}-{each[1]}" for each in OPTIONS]
)
def test_hostile_text_in_any_optional_field_never_fails(
    clinic: Clinic, route: Route, name: str, value: object
) -> None:
    """Fields that a body may leave out are read as carefully as the others."""
    pointer = next(iter(texts_in(value)))
    given = route.body or {}
    bodies = [{**given, name: with_value(value, pointer, text)} for text in HOSTILE.values()]
    assert len(list(told(clinic, route, bodies))) == len(HOSTILE)


@pytest.mark.parametrize("path", PATHS)
def test_hostile_ids_in_a_url_never_fail(clinic: Clinic, path: str) -> None:
    """An id in a URL that nobody could have been given is an error of the caller's."""
    for route in ROUTES:
        if "{" in route.path:
            head, _, rest = route.path.partition("{")
            url = f"{head}{path}{rest.partition('}')[2]}"
            answer = clinic.call(route.method, url, min(route.roles), route.body)
            assert answer.status < 500, (route, answer.response.text)
    answer = clinic.call("POST", f"/v1/webhooks/twilio/{path}", None, b"")
    assert 400 <= answer.status < 500


@pytest.mark.parametrize("text", ["%00", "%ed%a0%80", "²", "9" * 400, "-1", "x" * 900, "%27"])
def test_hostile_queries_never_fail(clinic: Clinic, text: str) -> None:
    """Cursors, limits, times and searches are the caller's to get wrong."""
    clinic.hears(ANN, "hello")
    history = f"/v1/numbers/{clinic.number_id(ANN)}/history"
    for path, names in {
        "/v1/messages": ["state", "limit", "cursor"],
        "/v1/reviews": ["limit", "cursor"],
        "/v1/reviews/unreadable-senders": ["limit", "cursor"],
        history: ["type", "from", "to", "q", "limit", "cursor"],
    }.items():
        for name in names:
            answer = clinic.get(f"{path}?{name}={text}")
            assert answer.status < 500, (path, name, answer.response.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency_Key": "x" * 256},
        {"Idempotency_Key": ""},
        {"Authorization": "Bearer clk_sender_²"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/json; charset=utf-16"},
    ],
    ids=str,
)
def test_hostile_headers_never_fail(clinic: Clinic, headers: dict[str, Any]) -> None:
    """A header that cannot be used is an error of the caller's, not the service's."""
    encoded = {name: value.encode() for name, value in headers.items()}
    for route in TELL:
        answer = clinic.call(
            route.method, route.url(), min(route.roles), as_json(route.body), **encoded
        )
        assert answer.status < 500


def test_a_stop_counts_whatever_stands_around_it(clinic: Clinic) -> None:
    """R-K1: NULs, surrogate-free emoji and look-alikes of form do not hide a STOP."""
    for number, text in ((ANN, "\x00STOP\x00"), (BEN, "🛑ＳＴＯＰ！🛑")):
        clinic.hears(number, text).understood_as("stop")
        clinic.asks(number, "recall").is_denied("opted_out_by_contact")


@pytest.mark.parametrize("rest", [b"\\ud83d", b"\\ude00", b"\xf0\x9f", b"\xe9", b"\\ud83d\\u0020"])
def test_a_stop_counts_beside_half_a_sign(clinic: Clinic, rest: bytes) -> None:
    """Shortened in the middle of an emoji, or written as Latin-1: the words are read."""
    body = b'{"from":"%s","to":"%s","message_id":"cut","body":"STOP %s"}'
    said = body % (ANN.encode(), DESK.encode(), rest)
    clinic.call("POST", "/v1/inbound-messages", "sender", said).understood_as("stop")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    broken = said.replace(b'"cut"', b"cut")
    refused = clinic.call("POST", "/v1/inbound-messages", "sender", broken)
    refused.problem(400, "malformed-json")


@pytest.mark.parametrize("depth", [10, 400, 900, 990, 2_000])
def test_evidence_may_be_nested_as_deep_as_json_can_be_read(clinic: Clinic, depth: int) -> None:
    """Evidence is kept whole or refused, at any depth."""
    evidence = b'{"form_id":"intake-7","x":' + b"[" * depth + b"]" * depth + b"}"
    body = as_json({"number": ANN, "disconnected_on": "2026-03-04"})
    answer = clinic.call(
        "POST", "/v1/reassignments", "admin", body[:-1] + b',"evidence":' + evidence + b"}"
    )
    assert answer.status in (200, 400, 422)
