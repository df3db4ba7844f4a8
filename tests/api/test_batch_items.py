"""An item of a batch that cannot be read has its own error, and holds back no other."""

import json
from typing import Any, Final

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open

TOLD: Final = {"number": BEN, "by": "import"}
SECRET: Final = "quokka"
"""What nothing may repeat."""
HALF: Final = "wrong person \ud83d"
"""A text that was cut within an emoji: JSON can write it, and it is no Unicode."""

UNREADABLE: Final[list[tuple[Any, str, str]]] = [
    (None, "/", "model-type"),
    (5, "/", "model-type"),
    (SECRET, "/", "model-type"),
    ([ANN], "/", "model-type"),
    ({}, "/number", "missing"),
    ({"number": None}, "/number", "string-type"),
    ({"number": 14155550132}, "/number", "string-type"),
    ({"number": BEN, SECRET.upper(): 1}, "/", "extra-forbidden"),
    ({"number": BEN, "nmber": SECRET}, "/nmber", "extra-forbidden"),
]
"""What no kind of batch can read: the item, where it is wrong, and how."""
UNREADABLE_CHECKS: Final = [
    *UNREADABLE,
    ({"number": BEN, "time_zone": f"{SECRET}/Town"}, "/time_zone", "value-error"),
    ({"number": BEN, "contact_numbers": [ANN, 5]}, "/contact_numbers/1", "string-type"),
    ({"number": BEN, "correlation_id": ANN}, "/correlation_id", "value-error"),
    ({"number": BEN, "correlation_id": f" whatsapp:{ANN}"}, "/correlation_id", "value-error"),
    ({"number": BEN, "correlation_id": "+1 (415) 555-0132"}, "/correlation_id", "value-error"),
    ({"number": BEN, "correlation_id": "\uff0b1.415.555.0132 "}, "/correlation_id", "value-error"),
    ({"number": BEN, "correlation_id": HALF}, "/correlation_id", "string-unicode"),
]
UNREADABLE_ROWS: Final = [
    *UNREADABLE,
    ({**TOLD, "occurred_at": "2026-03-04T10:00:00"}, "/occurred_at", "value-error"),
    ({**TOLD, "occurred_at": 5}, "/occurred_at", "value-error"),
    ({**TOLD, "by": ANN}, "/by", "value-error"),
    ({**TOLD, "number": "9" * 65}, "/number", "string-too-long"),
    ({**TOLD, "reason": HALF}, "/reason", "string-unicode"),
]
BATCHES: Final = [("/v1/opt-outs/batch", "OptedOut"), ("/v1/opt-ins/batch", "AdminOptedIn")]


def sends(clinic: Clinic, path: str, items: list[Any], **terms: str) -> list[dict[str, Any]]:
    """The results of a batch that is written as a careless sender writes it."""
    body = json.dumps({**terms, "items": items}).encode()
    results: list[dict[str, Any]] = clinic.call("POST", path, "admin", body)["results"]
    return results


def is_told(error: dict[str, Any], pointer: str, code: str) -> None:
    """The error of an item names the place in it, and repeats nothing of it."""
    assert error["code"] == "invalid-body"
    assert error["detail"]
    assert (pointer, code) in [(each["pointer"], each["code"]) for each in error["errors"]]
    assert all(each["detail"] for each in error["errors"])
    for trace in (SECRET, SECRET.upper(), ANN[1:], BEN[1:]):
        assert trace not in str(error)


@pytest.mark.parametrize(("item", "pointer", "code"), UNREADABLE_CHECKS, ids=str)
def test_an_unreadable_item_of_a_check_has_an_error(
    clinic: Clinic, item: Any, pointer: str, code: str
) -> None:
    """Contract section 3: the others are answered, and each stands in its place."""
    clinic.hears(CARA, "STOP")
    items = [{"number": ANN}, item, {"number": CARA, "correlation_id": "c"}]
    results = sends(clinic, "/v1/checks/batch", items, purpose="recall")
    assert results[0]["reason"] == "no_consent_needed"
    assert results[1].keys() == {"error"}
    is_told(results[1]["error"], pointer, code)
    assert (results[2]["reason"], results[2]["correlation_id"]) == ("opted_out_by_contact", "c")


def test_an_unreadable_item_is_known_by_its_correlation_id(clinic: Clinic) -> None:
    """Every correlation id comes back, where it is one."""
    ids = ["a", "b", 5, ANN, None]
    items = [{"number": None, "correlation_id": each} for each in ids]
    answer = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)
    found = [result.get("correlation_id") for result in answer["results"]]
    assert found == ["a", "b", None, None, None]


def test_every_kind_of_item_stands_in_one_batch(clinic: Clinic) -> None:
    """Good ones, ones with no number in them, and ones that do not fit at all."""
    items = [{"number": HALF}, *(item for item, _, _ in UNREADABLE_CHECKS), {"number": ANN}]
    results = sends(clinic, "/v1/checks/batch", items, purpose="recall")
    codes = [result.get("error", {}).get("code") for result in results]
    assert codes == ["number-unparseable", *["invalid-body"] * len(UNREADABLE_CHECKS), None]


@pytest.mark.parametrize(("path", "fact"), BATCHES)
@pytest.mark.parametrize(("row", "pointer", "code"), UNREADABLE_ROWS, ids=str)
def test_an_unreadable_row_holds_back_no_other(
    clinic: Clinic, path: str, fact: str, row: Any, pointer: str, code: str
) -> None:
    """R-V6: one bad row of ten thousand must not lose 9,999 opt-outs."""
    items = [{"number": ANN, "by": "x"}, row, {"number": CARA, "by": "x"}]
    results = sends(clinic, path, items)
    assert [result.get("recorded") for result in results] == [[fact], None, [fact]]
    assert results[1]["error"]["status"] == 422
    is_told(results[1]["error"], pointer, code)
    clinic.is_unknown(BEN)


def test_a_row_says_where_it_is_wrong_whatever_is_wrong(clinic: Clinic) -> None:
    """A pointer into the row, for what only the rules can see too."""
    items = [{"number": "no number", "by": "x"}, {"number": ANN}, {**TOLD, "occurred_at": "2999"}]
    items[2]["occurred_at"] = "2999-01-01T00:00:00Z"
    results = clinic.post("/v1/opt-outs/batch", items=items)["results"]
    pointers = [result["error"]["errors"][0]["pointer"] for result in results]
    assert pointers == ["/number", "/by", "/occurred_at"]


def test_a_batch_with_unreadable_rows_is_recorded_once(clinic: Clinic) -> None:
    """The key counts row by row: the repetition answers each as before, and records nothing."""
    body = {"items": [{"number": ANN, "by": "x"}, {"number": 5}, {"number": CARA, "by": "x"}]}
    key = {"Idempotency_Key": "batch-1"}
    first = clinic.call("POST", "/v1/opt-outs/batch", "agent", body, **key)["results"]
    with clinic.unchanged():
        again = clinic.call("POST", "/v1/opt-outs/batch", "agent", body, **key)["results"]
    assert [each.get("number_version") for each in first] == [1, None, 1]
    assert [each.get("recorded") for each in again] == [[], None, []]
    assert again[1] == first[1]
    mended = {"items": [*body["items"][:1], {**TOLD}, *body["items"][2:]]}
    with clinic.unchanged():
        refused = clinic.call("POST", "/v1/opt-outs/batch", "agent", mended, **key)
    refused.problem(422, "idempotency-key-reused")


WHOLE: Final = [
    ("/v1/checks/batch", {"purpose": "recall"}),
    ("/v1/opt-outs/batch", {}),
    ("/v1/opt-ins/batch", {}),
]


@pytest.mark.parametrize(("path", "terms"), WHOLE)
@pytest.mark.parametrize("items", [None, 5, "x", {}, {"0": {"number": ANN}}], ids=str)
def test_items_that_are_no_list_are_the_bodys_fault(
    clinic: Clinic, path: str, terms: dict[str, str], items: Any
) -> None:
    """Nothing can be answered in order where there is no order."""
    with clinic.unchanged():
        clinic.post(path, **terms, items=items).problem(422, "invalid-body", "/items")
        clinic.post(path, **terms).problem(422, "invalid-body", "/items")


@pytest.mark.parametrize(("path", "terms"), WHOLE)
def test_too_many_items_are_the_bodys_fault_readable_or_not(
    clinic: Clinic, path: str, terms: dict[str, str]
) -> None:
    """The limit is one of the list's."""
    for items in ([5] * 10_001, [{"number": ANN, "by": "x"}] * 10_000 + [None]):
        with clinic.unchanged():
            clinic.post(path, **terms, items=items).problem(422, "invalid-body", "/items")


def test_the_terms_of_a_batch_are_the_bodys(clinic: Clinic) -> None:
    """A question that cannot be read is none for any item, and an unreadable item hides nothing."""
    items = [{"number": ANN}, {"number": None}]
    post = "/v1/checks/batch"
    clinic.post(post, "sender", purpose=5, items=items).problem(422, "invalid-body", "/purpose")
    clinic.post(post, "sender", items=items).problem(422, "invalid-body", "/purpose")
    answer = clinic.post(post, "sender", purpose="recall", sentby="jo", items=items)
    answer.problem(422, "invalid-body", "/sentby")
    answer = clinic.post(post, "sender", purpose="nope", items=items)
    answer.problem(422, "unknown-purpose", "/purpose")


@pytest.mark.parametrize("text", ["{", '{"items": [{]}', "[]", "5", "null", '{"items": [NaN'])
def test_what_is_no_body_is_no_batch(clinic: Clinic, text: str) -> None:
    """As on every route: no JSON is a 400, and another thing than an object a 422."""
    for path, _ in WHOLE:
        answer = clinic.call("POST", path, "admin", text.encode())
        found = (400, "malformed-json") if text[0] == "{" else (422, "invalid-body")
        answer.problem(*found)


def test_ten_thousand_items_of_which_none_can_be_read(open_clinic: Open) -> None:
    """Each has its error, and the service answers others meanwhile."""
    clinic = open_clinic("opt-out")
    items: list[Any] = [{"number": None, "correlation_id": f"c-{i}"} for i in range(10_000)]
    results = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)["results"]
    assert all(result["error"]["code"] == "invalid-body" for result in results)
    assert [result["correlation_id"] for result in results] == [f"c-{i}" for i in range(10_000)]
    results = clinic.post("/v1/opt-outs/batch", items=[*items[:-1], TOLD])["results"]
    assert [place for place, result in enumerate(results) if "error" not in result] == [9_999]
    clinic.asks(BEN, "recall").is_denied("opted_out_by_agent")
