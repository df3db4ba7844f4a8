"""JSON that says two things by one name: nobody can know which counts, so neither is taken."""

import json
from typing import Any, Final

import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, DESK, Clinic
from tests.api.routes import WITH_BODY, Route, named
from tests.api.test_problems import refused

HEARD: Final = "/v1/inbound-messages"
READ: Final = [route for route in WITH_BODY if route.path != HEARD]
WRITTEN: Final = ['"{}":', '"{}" :', '"{}"\n\t:', '"\\u00{:x}{}":']
"""One name, as it can be written."""


def is_unclear(answer: Answer, pointer: str) -> None:
    """Refused by the name that stands there twice."""
    (error,) = answer.problem(422, "invalid-body", pointer)["errors"]
    assert error["code"] == "name-repeated"


def twice(body: dict[str, Any], name: str, value: object, written: str = '"{}":') -> bytes:
    """The body with one more value by a name that it has."""
    as_written = (
        written.format(ord(name[0]), name[1:]) if "u00" in written else written.format(name)
    )
    return f"{json.dumps(body)[:-1]}, {as_written} {json.dumps(value)}}}".encode()


@pytest.mark.parametrize("route", READ, ids=named)
def test_a_name_that_stands_twice_is_422(clinic: Clinic, route: Route) -> None:
    """Also where both say the same: the next time they will not."""
    body = route.body or {}
    for name, value in body.items():
        is_unclear(refused(clinic, route, twice(body, name, value)), f"/{name}")


@pytest.mark.parametrize("written", WRITTEN)
def test_however_the_name_is_written(clinic: Clinic, written: str) -> None:
    """With space before its colon, or with an escape in it."""
    body = {"number": ANN, "purpose": "recall", "manual": False}
    sent = twice(body, "manual", True, written)
    is_unclear(clinic.call("POST", "/v1/checks", "sender", sent), "/manual")


def test_what_lies_within_a_field_is_read_too(clinic: Clinic) -> None:
    """Told by the field alone, as names within it may be anything."""
    body = {
        "number": ANN,
        "purposes": ["conversation"],
        "level": "express",
        "method": "web",
        "evidence": {"form_id": "FORM"},
        "by": "agent-7",
    }
    sent = json.dumps(body).replace('"FORM"', '"form-1", "form_id": "form-2"').encode()
    with clinic.unchanged():
        is_unclear(clinic.call("POST", "/v1/consents", "sender", sent), "/evidence")
    changes = b'{"preset": "recalls", "changes": {"purposes": {"a": {}, "a": {"hours": null}}}}'
    is_unclear(clinic.call("PUT", "/v1/policy", "admin", changes), "/changes")


def test_a_name_that_may_be_anything_is_not_told(clinic: Clinic) -> None:
    """Section 9: a number can stand there as well."""
    sent = f'{{"preset": "recalls", "changes": {{}}, "{ANN}": 1, "{ANN}": 2}}'.encode()
    answer = clinic.call("PUT", "/v1/policy", "admin", sent)
    is_unclear(answer, "/")
    assert ANN[2:] not in answer.response.text


@pytest.mark.parametrize("said", ['"manual": true', '" : "', '\\": {}', '{"purpose":"x"}'])
def test_what_looks_like_a_name_in_a_text_is_none(clinic: Clinic, said: str) -> None:
    """Words of a reason are words."""
    clinic.opts_out(ANN, reason=said).recorded("OptedOut")
    clinic.consents(BEN, evidence={"form_id": said}).recorded("ConsentGranted")
    items = [{"number": CARA, "by": "agent-7", "reason": said}]
    (result,) = clinic.post("/v1/opt-outs/batch", items=items)["results"]
    assert result["recorded"] == ["OptedOut"]


def test_an_item_of_a_batch_is_unclear_by_itself(clinic: Clinic) -> None:
    """One bad row of 10,000 holds back no other (decision 0008)."""
    ann, ben = ({"number": number, "by": "agent-7"} for number in (ANN, BEN))
    for more in ([], [{"number": 5}]):
        items = [twice(ann, "number", CARA).decode(), *map(json.dumps, [ben, *more])]
        sent = f'{{"items": [{", ".join(items)}]}}'.encode()
        found = clinic.call("POST", "/v1/opt-outs/batch", "admin", sent)["results"]
        assert found[0]["error"]["errors"][0]["pointer"] == "/number"
        assert found[0]["error"]["errors"][0]["code"] == "name-repeated"
        assert found[1]["recorded"] == ["OptedOut"]
        assert ["error" in each for each in found[2:]] == [True] * len(more)
    assert clinic.looks_up(ANN)["opted_out"] is False
    assert clinic.looks_up(CARA)["opted_out"] is False


def test_a_check_of_a_batch_keeps_its_id(clinic: Clinic) -> None:
    """Unless it is the id that is unclear."""
    item = {"number": ANN, "correlation_id": "row-1"}
    for name, expected in (("number", "row-1"), ("correlation_id", None)):
        rows = twice(item, name, "row-2").decode()
        sent = f'{{"purpose": "recall", "items": [{rows}]}}'.encode()
        (found,) = clinic.call("POST", "/v1/checks/batch", "sender", sent)["results"]
        assert found.get("correlation_id") == expected
        assert found["error"]["errors"][0]["pointer"] == f"/{name}"


def test_what_is_beside_the_items_is_unclear_for_all(clinic: Clinic) -> None:
    """The items twice, too."""
    body = {"purpose": "recall", "manual": False, "items": [{"number": ANN}]}
    for name, value in (("manual", True), ("items", [{"number": BEN}])):
        sent = twice(body, name, value)
        is_unclear(clinic.call("POST", "/v1/checks/batch", "sender", sent), f"/{name}")


def test_a_contacts_words_are_never_refused_for_it(clinic: Clinic) -> None:
    """A STOP counts, however its JSON was made."""
    body = {"from": ANN, "to": DESK, "body": "STOP", "message_id": "in-1"}
    sent = twice(body, "to", DESK)
    clinic.call("POST", HEARD, "sender", sent).recorded("StopReceived", "ReplyIssued")
