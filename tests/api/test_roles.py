"""Who may do what, and to whose account (contract sections 2 to 7)."""

import pytest

from tests.api.clinic import ANN, Clinic
from tests.api.conftest import Open
from tests.api.routes import EVERYONE, ROUTES, WITHOUT_KEY, Route, named
from tests.service import Running


def test_every_operation_is_either_in_the_table_of_roles_or_needs_no_key(service: Running) -> None:
    """A route that is added must say here who may use it."""
    paths = service.http.get("/openapi.json").json()["paths"]
    operations = {(verb.upper(), path) for path, verbs in paths.items() for verb in verbs}
    assert {route.operation for route in ROUTES} | WITHOUT_KEY == operations


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_without_a_key_every_route_is_401(clinic: Clinic, route: Route) -> None:
    """No key, a key of no form, a key that was never issued: 401, and nothing happens."""
    known = clinic.keys["admin"]
    headers = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Basic {known}"},
        {"Authorization": f"Bearer {known[:-1]}x"},
    ]
    with clinic.unchanged():
        for each in headers:
            answer = clinic.call(route.method, route.url(), None, route.body, **each)
            answer.problem(401, "key-missing-or-unknown")
            assert answer.response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_route_lets_in_its_roles_and_no_other(clinic: Clinic, route: Route) -> None:
    """The wrong role is 403 and nothing happens; the right one gets as far as the question."""
    with clinic.unchanged():
        for role in EVERYONE - route.roles:
            answer = clinic.call(route.method, route.url(), role, route.body)
            answer.problem(403, "role-not-allowed")
    for role in route.roles:
        answer = clinic.call(route.method, route.url(), role, route.body)
        assert answer.status not in (401, 403), answer.response.text
        assert answer.status < 500


def test_what_another_account_has_is_not_there(open_clinic: Open) -> None:
    """Another account's messages, numbers, reviews, locations and keys are 404, for every role."""
    theirs, mine = open_clinic(), open_clinic()
    theirs.sends(ANN, message_id="held-1").is_("deferred")
    review = theirs.hears(ANN, "take me off your list")["review_id"]
    theirs.hears("REWARDS", "STOP")
    kept = theirs.get("/v1/reviews/unreadable-senders")["items"][0]["kept_id"]
    number_id = theirs.number_id(ANN)
    theirs.opens_location("main")
    sending_number = theirs.get("/v1/sending-numbers")["items"][0]["sending_number_id"]
    key = theirs.get("/v1/keys")["items"][0]["key_id"]
    hook = theirs.post("/v1/webhook-endpoints", url="https://hooks.example.com/x")["endpoint_id"]
    ids = {
        "message_id": "held-1",
        "review_id": review,
        "kept_id": kept,
        "number_id": number_id,
        "location_id": "main",
        "sending_number_id": sending_number,
        "key_id": key,
        "endpoint_id": hook,
    }
    with theirs.unchanged():
        for route in ROUTES:
            if route.path.split("{")[-1].split("}")[0] in ids:
                role = min(route.roles)
                answer = mine.call(route.method, route.url(**ids), role, route.body)
                answer.problem(404, "not-found")
    assert theirs.fate("held-1") == "deferred"


def test_every_list_says_where_to_go_on(clinic: Clinic) -> None:
    """Section 2: items, and a cursor or none."""
    clinic.hears(ANN, "hello")
    for path in (
        "/v1/reviews",
        "/v1/reviews/unreadable-senders",
        "/v1/messages",
        f"/v1/numbers/{clinic.number_id(ANN)}/history",
        "/v1/locations",
        "/v1/sending-numbers",
        "/v1/keys",
        "/v1/webhook-endpoints",
    ):
        assert clinic.get(path).body.keys() == {"items", "next_cursor"}, path


def test_what_is_known_of_a_number_in_one_account_is_unknown_in_another(open_clinic: Open) -> None:
    """Everything belongs to one account: a STOP to one clinic is no STOP to another."""
    stopped, other = open_clinic("opt-out"), open_clinic("opt-out")
    stopped.hears(ANN, "STOP")
    stopped.asks(ANN).is_denied("opted_out_by_contact")
    other.asks(ANN).is_allowed("no_consent_needed")
    assert other.get("/v1/messages")["items"] == []
    assert stopped.number_id(ANN) != other.number_id(ANN)


def test_a_message_id_of_one_account_is_free_in_another(open_clinic: Open) -> None:
    """Ids are the sender's own: two accounts may use the same one for two numbers."""
    for clinic in (open_clinic("opt-out"), open_clinic("opt-out")):
        clinic.sends(ANN, message_id="same").is_("permitted")
        clinic.hears(ANN, "STOP", message_id="same").recorded("StopReceived", "ReplyIssued")
