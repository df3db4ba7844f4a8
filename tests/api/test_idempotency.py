"""A caller that got no answer may repeat it: same key, same answer (contract section 2)."""

from typing import Any

import pytest

from api.submit import digest
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.routes import MESSAGES, NO_NUMBER, REVIEWS, TELL, Route, named

KEYED = [
    route
    for route in (*TELL, *REVIEWS, *MESSAGES)
    if route.method == "POST" and route.path != "/v1/messages/release-next"
]
KEY = {"Idempotency_Key": "key-1"}


@pytest.fixture
def ids(clinic: Clinic) -> dict[str, str]:
    """A held text and an open review, for the routes that name one."""
    clinic.sends(BEN, message_id="held-1").is_("deferred")
    clinic.hears(BEN, "CONSENT")
    review = clinic.hears(CARA, "lose my number")["review_id"]
    return {"message_id": "held-1", "review_id": review}


def without_receipt(body: Any) -> Any:
    """An answer but for what was recorded."""
    if isinstance(body, dict):
        return {name: without_receipt(each) for name, each in body.items() if name != "recorded"}
    return [without_receipt(each) for each in body] if isinstance(body, list) else body


def recorded(body: dict[str, Any]) -> list[list[str]]:
    """What each row of an answer recorded."""
    return [row["recorded"] for row in body.get("results", [body])]


def tell(clinic: Clinic, route: Route, ids: dict[str, str], body: object) -> Answer:
    """Tells with the key."""
    return clinic.call(route.method, route.url(**ids), min(route.roles), body, **KEY)


@pytest.mark.parametrize("route", KEYED, ids=named)
def test_the_same_key_and_body_give_the_same_answer(
    clinic: Clinic, ids: dict[str, str], route: Route
) -> None:
    """Once recorded, the repetition records nothing and answers all the rest as before."""
    first = tell(clinic, route, ids, route.body)
    assert all(recorded(first.body))
    with clinic.unchanged():
        again = tell(clinic, route, ids, route.body)
    assert again.status == first.status
    assert not any(recorded(again.body))
    assert without_receipt(again.body) == without_receipt(first.body)


@pytest.mark.parametrize("route", [each for each in KEYED if each.body], ids=named)
def test_the_same_key_with_another_body_is_422(
    clinic: Clinic, ids: dict[str, str], route: Route
) -> None:
    """Another number, another field, more rows: refused as a whole, and nothing is recorded."""
    tell(clinic, route, ids, route.body)
    others: list[dict[str, Any]] = [{**(route.body or {}), "by": "somebody-else"}]
    if "number" in (route.body or {}):
        others.append({**(route.body or {}), "number": CARA})
    if "claimed_by" in (route.body or {}):
        others = [{"claimed_by": "worker-2"}]
    if "items" in (route.body or {}):
        rows = (route.body or {})["items"]
        others = [{"items": [*rows, {**rows[0], "number": CARA}]}, {"items": []}]
    if route.path == "/v1/messages":
        others = [{**(route.body or {}), "purpose": "marketing"}]
    for other in others:
        with clinic.unchanged():
            tell(clinic, route, ids, other).problem(422, "idempotency-key-reused")


def test_a_key_belongs_to_its_route_and_its_account(open_clinic: Open) -> None:
    """The same key elsewhere is another key."""
    for clinic in (open_clinic(), open_clinic()):
        for path in ("/v1/opt-outs", "/v1/opt-ins"):
            body = {"number": ANN, "by": "admin-1"}
            answer = clinic.call("POST", path, "admin", body, **KEY)
            assert answer["recorded"]


def test_a_key_that_was_refused_may_be_tried_again(clinic: Clinic) -> None:
    """A refusal is no answer to keep: what barred may be gone."""
    clinic.hears(ANN, "STOP")
    body = {"number": ANN, "by": "admin-1", "reason": "x"}
    clinic.call("POST", "/v1/opt-ins", "admin", body, **KEY).problem(409, "opt-in-forbidden")
    clinic.hears(ANN, "START")
    clinic.call("POST", "/v1/opt-ins", "admin", body, **KEY).recorded("AdminOptedIn")


def test_a_claimant_that_got_no_answer_is_given_the_same_texts(clinic: Clinic) -> None:
    """release-next with a key: nothing is lost with the answer that never arrived."""
    for message_id in ("out-1", "out-2", "out-3"):
        clinic.sends(ANN, message_id=message_id)
    clinic.hears(ANN, "CONSENT")
    path, body = "/v1/messages/release-next", {"claimed_by": "worker-1", "limit": 2}
    first = clinic.call("POST", path, "sender", body, **KEY)
    assert [item["message_id"] for item in first["items"]] == ["out-1", "out-2"]
    again = clinic.call("POST", path, "sender", body, **KEY)
    assert again.body == first.body
    other = clinic.call("POST", path, "sender", {**body, "limit": 3}, **KEY)
    other.problem(422, "idempotency-key-reused")
    assert clinic.releasable() == ["out-3"]


def test_a_claimant_whose_answer_was_not_even_kept_is_given_the_same_texts(clinic: Clinic) -> None:
    """The service died between the release and the answer; what came since goes to the next."""
    for message_id in ("out-1", "out-2", "out-3"):
        clinic.sends(ANN, message_id=message_id)
    clinic.hears(ANN, "CONSENT")
    path, body = "/v1/messages/release-next", {"claimed_by": "worker-1", "limit": 2}
    first = clinic.call("POST", path, "sender", body, **KEY)
    forget_answer(clinic, path)
    assert clinic.call("POST", path, "sender", body, **KEY).body == first.body
    forget_answer(clinic, path)
    other = clinic.call("POST", path, "sender", {**body, "limit": 3}, **KEY)
    other.problem(422, "idempotency-key-reused")
    assert clinic.releasable() == ["out-3"]


def test_a_text_of_the_claimants_other_request_is_not_given_again(clinic: Clinic) -> None:
    """Two requests of one worker: each has its own texts, however often both are repeated."""
    for message_id in ("out-1", "out-2"):
        clinic.sends(ANN, message_id=message_id)
    clinic.hears(ANN, "CONSENT")
    path, body = "/v1/messages/release-next", {"claimed_by": "worker-1", "limit": 1}
    clinic.post("/v1/messages/out-1/release", "sender", claimed_by="worker-1")
    for _ in range(2):
        (item,) = clinic.call("POST", path, "sender", body, **KEY)["items"]
        assert item["message_id"] == "out-2"
        forget_answer(clinic, path)
    assert clinic.post(path, "sender", **body)["items"] == []


def test_a_text_that_cannot_be_released_waits_on_and_holds_back_no_other(clinic: Clinic) -> None:
    """Whoever asks, with a key or without, and for however many: it is given to the next."""
    for number, message_id in ((ANN, "out-1"), (BEN, "out-2")):
        clinic.sends(number, message_id=message_id)
        clinic.hears(number, "CONSENT")
    path, body = "/v1/messages/release-next", {"claimed_by": "worker-1"}
    with clinic.failing("MessageReleased", of=ANN):
        (item,) = clinic.call("POST", path, "sender", {**body, "limit": 1}, **KEY)["items"]
        assert item["message_id"] == "out-2"
        assert clinic.post(path, "sender", **body).status == 503
    (item,) = clinic.post(path, "sender", **body)["items"]
    assert item["message_id"] == "out-1"


def test_an_erased_person_is_gone_from_the_answers_that_are_kept(clinic: Clinic) -> None:
    """Only the vault holds numbers, and a repetition looks there."""
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "CONSENT")
    path, body = "/v1/messages/release-next", {"claimed_by": "worker-1"}
    assert clinic.call("POST", path, "sender", body, **KEY)["items"]
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase", by="admin-1")
    assert clinic.call("POST", path, "sender", body, **KEY)["items"] == []
    forget_answer(clinic, path)
    assert clinic.call("POST", path, "sender", body, **KEY)["items"] == []


def forget_answer(clinic: Clinic, path: str) -> None:
    """As if the service had died before it kept the answer under the key."""
    key = digest(path.encode(), KEY["Idempotency_Key"].encode())
    clinic.service.database.execute("DELETE FROM claims WHERE key = %s", (key,))


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none_is_400(clinic: Clinic, key: str) -> None:
    """1 to 255 characters."""
    body = {"number": ANN, "by": "agent-7"}
    with clinic.unchanged():
        answer = clinic.call("POST", "/v1/opt-outs", "agent", body, Idempotency_Key=key)
        answer.problem(400, "idempotency-key-malformed")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/locations", {"id": "main", "name": "Main Street"}),
        ("/v1/keys", {"role": "sender", "name": "campaigns"}),
    ],
)
def test_the_set_up_is_repeated_without_effect_too(
    clinic: Clinic, path: str, body: dict[str, str]
) -> None:
    """A key that was made is shown again to who repeats, and no second one is made."""
    first = clinic.call("POST", path, "admin", body, **KEY)
    with clinic.unchanged():
        again = clinic.call("POST", path, "admin", body, **KEY)
    assert again.status == first.status
    assert without_receipt(again.body) == without_receipt(first.body)
    other = clinic.call("POST", path, "admin", {**body, "name": "other"}, **KEY)
    other.problem(422, "idempotency-key-reused")


def test_an_erasure_is_repeated_without_effect(clinic: Clinic) -> None:
    """The second answer is the first, and the person is erased once."""
    clinic.hears(ANN, "STOP")
    path = f"/v1/numbers/{clinic.number_id(ANN)}/erase"
    clinic.call("POST", path, "admin", None, **KEY).recorded("PersonalDataErased")
    clinic.call("POST", path, "admin", None, **KEY).recorded()
    clinic.call("POST", f"/v1/numbers/{NO_NUMBER}/erase", "admin", None, **KEY).problem(
        404, "not-found"
    )
