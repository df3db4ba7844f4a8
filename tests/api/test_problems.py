"""Errors are problem+json, name the field, and never echo what was sent (contract section 2)."""

import asyncio
import json
from string import ascii_lowercase
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI, Query

from api.problems import ERRORS_TOLD, install
from api.strict import StrictRoute
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, Clinic, ahead
from tests.api.routes import (
    ASK,
    MESSAGES,
    REPORTS,
    REVIEWS,
    TELL,
    WITH_BODY,
    Route,
    named,
    with_value,
)

SECRET = "zebra-crossing"
"""Stands for whatever a caller sends: it may come back in no error and no log line."""
NOT_A_NUMBER = f"call me {SECRET}"
NUMBERED = [
    route
    for route in (*ASK, *TELL, *MESSAGES)
    if route.body is not None and ({"number", "numbers"} & route.body.keys())
]


def refused(clinic: Clinic, route: Route, body: object, role: str | None = None) -> Answer:
    """A request that changes nothing and whose answer and log line hold nothing of it."""
    logged = clinic.service.log_size
    with clinic.unchanged():
        answer = clinic.call(route.method, route.url(), role or min(route.roles), body)
    assert 400 <= answer.status < 500, answer.response.text
    for place in (answer.response.text, clinic.service.log_since(logged)):
        assert SECRET not in place
        assert ANN[2:] not in place
    return answer


@pytest.mark.parametrize("route", NUMBERED, ids=named)
def test_a_number_that_cannot_be_read_is_422(clinic: Clinic, route: Route) -> None:
    """The field is named; the text is not repeated."""
    field = "numbers/0" if "numbers" in (route.body or {}) else "number"
    body = with_value(route.body, f"/{field}", NOT_A_NUMBER)
    refused(clinic, route, body).problem(422, "number-unparseable", f"/{field}")


@pytest.mark.parametrize("field", ["contact_numbers/1", "sending_number"])
def test_every_number_of_a_question_is_read(clinic: Clinic, field: str) -> None:
    """A contact's other numbers and the sending number are named by their place."""
    fields: dict[str, dict[str, Any]] = {
        "contact_numbers/1": {"contact_numbers": [BEN, NOT_A_NUMBER]},
        "sending_number": {"sending_number": NOT_A_NUMBER},
    }
    for path in ("/v1/checks", "/v1/messages"):
        body = {"number": ANN, "purpose": "recall", **fields[field]}
        if path == "/v1/messages":
            body["message_id"] = "out-1"
        route = Route("POST", path, frozenset({"sender"}), body)
        refused(clinic, route, body).problem(422, "number-unparseable", f"/{field}")


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
def test_an_unknown_field_is_422(clinic: Clinic, route: Route) -> None:
    """A typing mistake in a field must not silently drop a rule, and a secret name is not told."""
    body = {**(route.body or {}), "sent_bye": SECRET}
    found = refused(clinic, route, body).problem(422, "invalid-body", "/sent_bye")
    assert found["errors"][0]["code"] == "extra-forbidden"
    refused(clinic, route, {**(route.body or {}), ANN: 1, SECRET * 3: 2}).problem(
        422, "invalid-body"
    )


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
@pytest.mark.parametrize("wrong", [None, 17, [[SECRET]], {SECRET: SECRET}, True], ids=str)
def test_a_wrong_type_is_422(clinic: Clinic, route: Route, wrong: object) -> None:
    """Each field by itself, and the body as a whole."""
    required = next(iter(route.body or {}))
    if (wrong is None and route in REPORTS) or type(wrong) is type((route.body or {})[required]):
        return
    refused(clinic, route, {**(route.body or {}), required: wrong}).problem(422, "invalid-body")
    if not isinstance(wrong, dict) and wrong is not None:
        refused(clinic, route, json.dumps(wrong).encode()).problem(422, "invalid-body")


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
def test_a_body_that_is_no_json_is_400(clinic: Clinic, route: Route) -> None:
    """Cut short, not UTF-8, or nested without end: told as such, and never a 500."""
    good = json.dumps(route.body).encode()
    refused(clinic, route, good[:-1]).problem(400, "malformed-json")
    refused(clinic, route, f'{{"{SECRET}"'.encode()).problem(400, "malformed-json")
    no_text = refused(clinic, route, good[:-1] + b', "x": "\xff\xfe"}')
    if route.path == "/v1/inbound-messages":
        # What a contact said is read beside bytes that are no text; this field is of no use.
        no_text.problem(422, "invalid-body")
    else:
        no_text.problem(400, "malformed-json")
    refused(clinic, route, b"[" * 100_000).problem(400, "malformed-json")
    refused(clinic, route, b"")


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("path", ["/v1/contacts/check", "/v1/numbers/lookup"])
def test_a_body_is_read_as_json_whatever_it_is_called(
    clinic: Clinic, path: str, kind: str | None
) -> None:
    """`curl -d` calls it a form, where nobody names its kind."""
    headers = {"Content_Type": kind} if kind else {}
    body = {"numbers": [ANN]} if path.endswith("check") else {"number": ANN}
    said = json.dumps(body).encode()
    assert clinic.call("POST", path, "agent", said, **headers).status == 200


def test_what_else_a_path_answers_is_told(clinic: Clinic) -> None:
    """RFC 9110 section 15.5.6: Allow names every method, whichever route has it."""
    refused = clinic.call("POST", "/v1/policy", "admin", {})
    refused.problem(405, "method-not-allowed")
    assert refused.response.headers["allow"] == "GET, PUT"


def test_a_wrong_id_is_not_shown_by_a_letter(clinic: Clinic) -> None:
    """Not even by the first sign of a number."""
    told = clinic.get(f"/v1/numbers/{ANN}/state").problem(422, "invalid-body")
    assert "+" not in told["errors"][0]["detail"]


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
def test_a_body_over_the_limit_is_413(clinic: Clinic, route: Route) -> None:
    """Refused before it is read to its end, whether or not it states its length."""
    size = 4_200_000 if route.path.endswith("/batch") else 1_100_000
    huge = json.dumps({**(route.body or {}), "x": SECRET + "x" * size}).encode()
    refused(clinic, route, huge).problem(413, "body-too-large")
    headers = {
        "Authorization": f"Bearer {clinic.keys[min(route.roles)]}",
        "Content-Type": "application/json",
    }
    pieces = iter([huge[at : at + 100_000] for at in range(0, len(huge), 100_000)])
    response = clinic.service.http.request(
        route.method, route.url(), headers=headers, content=pieces
    )
    Answer(response).problem(413, "body-too-large")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/checks", {"number": ANN, "purpose": "nonsense"}),
        ("/v1/checks/batch", {"purpose": "nonsense", "items": [{"number": ANN}]}),
        ("/v1/messages", {"number": ANN, "purpose": "nonsense", "message_id": "out-1"}),
        ("/v1/consent-requests", {"number": ANN, "purposes": ["recall", "nonsense"]}),
    ],
)
def test_an_unknown_purpose_is_422(clinic: Clinic, path: str, body: dict[str, Any]) -> None:
    """The account has not defined it; a batch of none is refused as a whole."""
    field = "/purposes" if "purposes" in body else "/purpose"
    route = Route("POST", path, frozenset({"sender"}), body)
    refused(clinic, route, body).problem(422, "unknown-purpose", field)


@pytest.mark.parametrize(
    "route",
    [route for route in (*TELL, *REVIEWS) if route.body and "items" not in route.body],
    ids=named,
)
@pytest.mark.parametrize("early", [False, True])
def test_a_time_that_cannot_be_is_refused_but_for_the_contacts_words(
    clinic: Clinic, route: Route, early: bool
) -> None:
    """R-O3: more than five minutes ahead, or before there were texts, is a clear error, except for
    what a contact says."""
    clinic.opts_out(ANN)
    review = clinic.hears(BEN, "take me off your list")["review_id"]
    at = "0001-01-01T00:00:00Z" if early else ahead(minutes=6)
    body = {**(route.body or {}), "occurred_at": at}
    answer = clinic.call(route.method, route.url(review_id=review), min(route.roles), body)
    if route.path == "/v1/inbound-messages":
        answer.recorded("ReplyNotUnderstood")
    else:
        code = "time-too-early" if early else "occurred-at-in-future"
        answer.problem(422, code, "/occurred_at")


def test_up_to_five_minutes_ahead_is_the_difference_of_two_clocks(clinic: Clinic) -> None:
    """R-O3: a clock that runs a little ahead is believed."""
    at = ahead(minutes=4)
    clinic.opts_out(ANN, occurred_at=at).recorded("OptedOut")
    assert clinic.asks(ANN).is_denied("opted_out_by_agent")["since"] == at.replace("+00:00", "Z")


@pytest.mark.parametrize("when", ["yesterday", "2026-03-04", "2026-03-04T10:00:00", 1772618400])
def test_a_time_that_is_no_instant_is_422(clinic: Clinic, when: object) -> None:
    """A time names its zone, or it is no time."""
    body = {"number": ANN, "by": "agent-7", "occurred_at": when}
    route = Route("POST", "/v1/opt-outs", frozenset({"agent"}), body)
    refused(clinic, route, body).problem(422, "invalid-body", "/occurred_at")


def test_one_message_id_for_two_numbers_is_422(clinic: Clinic) -> None:
    """A message id stands for one text to one number, whatever became of it (section 5)."""
    clinic.sends(ANN, "recall", "out-1").is_("permitted")
    body = {"message_id": "out-1", "number": BEN, "purpose": "recall"}
    route = Route("POST", "/v1/messages", frozenset({"sender"}), body)
    refused(clinic, route, body).problem(422, "message-id-reused", "/message_id")


def test_of_very_many_faults_the_first_are_told(clinic: Clinic) -> None:
    """To tell all would take the process longer than checks may wait."""
    many = {f"field_{letter}{other}": 0 for letter in ascii_lowercase for other in ascii_lowercase}
    answer = clinic.post("/v1/checks", "sender", number=ANN, purpose="recall", **many)
    assert len(answer.problem(422, "invalid-body", "/field_aa")["errors"]) == ERRORS_TOLD
    batch = {"purpose": "recall", "items": [{"number": ANN, **many}]}
    (result,) = clinic.post("/v1/checks/batch", "sender", **batch)["results"]
    assert len(result["error"]["errors"]) == ERRORS_TOLD
    for purposes in ({}, {f"survey_{n}": {"nothing": 0} for n in range(200)}):
        changes = {**many, "purposes": purposes}
        for method, route in (("PUT", "/v1/policy"), ("POST", "/v1/policy/simulate")):
            body = {"preset": "recalls", "changes": changes}
            refused = clinic.call(method, route, body=body)
            found = refused.problem(422, "policy-refused", "/changes/field_aa")
            assert len(found["errors"]) == ERRORS_TOLD


def test_a_route_that_is_not_there_is_a_problem_too(clinic: Clinic) -> None:
    """404 and 405 have the same shape as every other error."""
    clinic.get("/v1/nothing").problem(404, "not-found")
    # A redirect is to http, whatever came: a caller that follows it sends the number in the clear.
    clinic.post("/v1/checks/", number=ANN, purpose="recall").problem(404, "not-found")
    clinic.get("/v1/policy/").problem(404, "not-found")
    clinic.call("DELETE", "/v1/checks").problem(405, "method-not-allowed")
    clinic.call("POST", "/v1/webhooks/nobody/x", None, b"").problem(404, "not-found")


def test_a_write_that_is_refused_leaves_no_trace_in_the_vault(clinic: Clinic) -> None:
    """A number that nothing was recorded of is not kept either."""
    clinic.opts_in(ANN).recorded("AdminOptedIn")
    clinic.hears(BEN, "STOP")
    with clinic.unchanged():
        clinic.opts_in(BEN).problem(409, "opt-in-forbidden")
        clinic.consents("+14155550139", "nonsense").problem(422, "unknown-purpose", "/purposes")
        assert clinic.asks("+14155550139")["evidence"] == []


@pytest.mark.parametrize(
    "path", ["/v1/messages?stat=x", "/v1/feed?afterwards=1", "/v1/reviews?page=2", "/v1/keys?x="]
)
def test_a_query_that_the_route_does_not_know_is_refused(clinic: Clinic, path: str) -> None:
    """A typing mistake must not answer another question than the one that was meant."""
    clinic.get(path).problem(422, "unknown-query")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/messages?limit=1&limit=2", "limit"),
        ("/v1/feed?type=StopReceived&limit=1&type=HelpRequested", "type"),
        ("/v1/reviews?limit=1&limit=1", "limit"),
    ],
)
def test_a_query_that_says_a_thing_twice_is_refused(clinic: Clinic, path: str, name: str) -> None:
    """One of the two would be left aside, and nobody could tell which."""
    found = clinic.get(path).problem(422, "query-repeated", f"/{name}")
    assert f"`{name}`" in found["detail"]


def test_an_import_that_is_tried_and_done_at_once_is_neither(clinic: Clinic) -> None:
    """A dry run that somebody else's proxy makes a real one would opt people out."""
    path = "/v1/imports?dry_run=true&dry_run=false"
    with clinic.unchanged():
        found = clinic.call(
            *("POST", path, "admin", f"number,sms_opt_out\n{ANN},TRUE\n".encode()),
            Content_Type="text/csv",
        )
        found.problem(422, "query-repeated", "/dry_run")


@pytest.mark.parametrize("query", ["as_of=2020-01-01T00:00:00Z", "number=1", "x"])
def test_a_route_that_takes_no_query_refuses_one(clinic: Clinic, query: str) -> None:
    """A check is asked by its body alone; the routes in front of the framework are no exception."""
    body = {"number": ANN, "purpose": "recall"}
    clinic.post(f"/v1/checks?{query}", "sender", **body).problem(422, "unknown-query")


def test_a_query_that_takes_many_may_say_a_thing_twice() -> None:
    """Where the route declares a list."""
    app = FastAPI()
    app.router.route_class = StrictRoute
    install(app)

    @app.get("/")
    async def ask(
        types: Annotated[list[str], Query()],
        users: Annotated[list[int] | None, Query()] = None,
        at: int | None = None,
    ) -> str:
        return f"{types} {users} {at}"

    async def answers(*queries: str) -> list[Any]:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
            return [(await client.get(f"/?{query}")).json() for query in queries]

    found, refused = asyncio.run(
        answers("types=a&types=b&users=1&users=2&at=1", "types=a&at=1&at=2")
    )
    assert found == "['a', 'b'] [1, 2] 1"
    assert (refused["status"], refused["code"]) == (422, "query-repeated")


def test_a_mistyped_moment_does_not_answer_for_now(clinic: Clinic) -> None:
    """Contract section 6: `as_of` and `known_at`, and nothing near them."""
    clinic.hears(ANN, "stop")
    state = f"/v1/numbers/{clinic.number_id(ANN)}/state"
    found = clinic.get(f"{state}?asof=2020-01-01T00:00:00Z").problem(422, "unknown-query")
    assert "as_of, known_at" in found["detail"]
