"""The whole set-up as one document: all of it, exactly it, at once, and twice is once."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.answer import Answer
from tests.api.clinic import ANN, DESK, Clinic, ahead, fresh
from tests.api.conftest import Open
from tests.api.set_ups import FAULTS, Document, documents, in_order, settled
from tests.service import Running

PATH = "/v1/set-up"
MAIN = {"id": "main", "name": "Main Street"}
NORTH = {"id": "north", "name": "North Gate"}
LINE = {"number": DESK, "location": "main", "purposes": ["conversation"]}
WHOLE: dict[str, Any] = {
    "policy": {"preset": "consent-first", "changes": {"requests_allowed": 1}},
    "locations": [MAIN],
    "sending_numbers": [LINE],
    "users": [{"id": "jo", "permission": "deny", "groups": ["desk"]}],
    "groups": [{"id": "desk", "permission": "allow"}],
    "replies": [{"kind": "help", "language": "es", "text": "{name}: llame."}],
    "keywords": [{"kind": "stop", "language": "es", "add": ["basta"], "remove": ["alto"]}],
}


def applied(clinic: Clinic, document: Document, **headers: str) -> Answer:
    """An admin applies a document."""
    return clinic.call("PUT", PATH, "admin", document, **headers)


def differences(answer: Answer) -> list[tuple[str, str]]:
    """What changed: the sections and the actions, in order."""
    return [(each["section"], each["action"]) for each in answer["changes"]]


def pointers(answer: Answer) -> list[str]:
    """The places of all that is wrong."""
    return [error["pointer"] for error in answer.response.json()["errors"]]


def test_an_account_becomes_what_the_document_says(clinic: Clinic) -> None:
    """Every section, one transaction, and the very next answer is under it."""
    answer = applied(clinic, WHOLE).recorded(
        "PolicyAdopted",
        "LocationDefined",
        "SendingNumberDefined",
        "GroupPermissionSet",
        "UserPermissionSet",
        "KeywordsChanged",
        "ReplyWorded",
    )
    assert answer["account_version"] == 9
    assert clinic.get(PATH, "auditor").body == WHOLE
    clinic.asks(ANN, "recall", sending_number=DESK).is_denied("sending_number_not_allowed")
    clinic.asks(ANN, "recall", sent_by="jo").is_denied("sender_not_permitted")
    clinic.hears(ANN, "basta").understood_as("stop")
    assert [item["number"] for item in clinic.get("/v1/sending-numbers")["items"]] == [DESK]


def test_the_same_document_again_changes_nothing(clinic: Clinic) -> None:
    """Not one event, and no other order of the same makes one."""
    applied(clinic, WHOLE)
    turned = {name: WHOLE[name] for name in reversed(WHOLE)}
    turned["sending_numbers"] = [LINE | {"number": "(415) 555-0190", "purposes": ["conversation"]}]
    with clinic.unchanged():
        for document in (WHOLE, turned, clinic.get(PATH).body, {}):
            answer = applied(clinic, document)
            assert (answer["changes"], answer["recorded"], answer["position"]) == ([], [], None)


def test_a_dry_run_tells_the_same_changes_and_records_nothing(clinic: Clinic) -> None:
    """What is told is what happens."""
    with clinic.unchanged():
        told = clinic.call("PUT", f"{PATH}?dry_run=true", "admin", WHOLE, Idempotency_Key="k-1")
    assert (told["dry_run"], told["recorded"], told["position"]) == (True, [], None)
    assert told["account_version"] == 2
    done = applied(clinic, WHOLE, Idempotency_Key="k-1")
    assert done["changes"] == told["changes"]
    assert done["dry_run"] is False
    assert len(done["recorded"]) == len(WHOLE)


def test_a_section_that_is_absent_stays_and_what_a_section_lacks_goes(clinic: Clinic) -> None:
    """Removals come last; a user who goes has no permission and no group of their own."""
    applied(clinic, WHOLE)
    moved = {"locations": [NORTH], "sending_numbers": [LINE | {"location": "north"}], "users": []}
    answer = applied(clinic, moved)
    assert differences(answer) == [
        ("locations", "add"),
        ("sending_numbers", "change"),
        ("users", "remove"),
        ("locations", "remove"),
    ]
    assert clinic.get(PATH).body == WHOLE | moved
    empty = {name: [] for name in WHOLE if name != "policy"}
    applied(clinic, empty).recorded(
        "GroupPermissionSet",
        "KeywordsChanged",
        "ReplyRestored",
        "SendingNumberRemoved",
        "LocationRemoved",
    )
    assert clinic.get(PATH).body == empty | {"policy": WHOLE["policy"]}


def test_a_change_names_a_sending_number_by_its_id_alone(clinic: Clinic) -> None:
    """No number is in the answer, whatever is done with one."""
    answers = [applied(clinic, WHOLE), applied(clinic, WHOLE | {"sending_numbers": []})]
    (item,) = [each for each in answers[0]["changes"] if each["section"] == "sending_numbers"]
    assert item["after"] == {"location": "main", "purposes": ["conversation"]}
    assert not any(DESK[2:] in answer.response.text for answer in answers)


def test_a_policy_is_adopted_only_where_it_differs_from_what_would_hold(clinic: Clinic) -> None:
    """Written otherwise it is the same policy; dated it is compared with what holds then."""
    same = {"preset": "consent-first", "changes": {"unreachable_limit": 3, "purposes": {}}}
    soon = {"preset": "opt-out", "changes": {}, "effective_from": ahead(days=30)}
    assert applied(clinic, {"policy": same})["changes"] == []
    (change,) = applied(clinic, {"policy": soon}).recorded("PolicyAdopted")["changes"]
    assert change["after"]["effective_from"].removesuffix("Z") == soon["effective_from"][:26]
    for document in (soon, same, same | {"effective_from": "2020-01-01T00:00:00Z"}):
        assert applied(clinic, {"policy": document})["changes"] == []
    later = soon | {"effective_from": ahead(days=31)}
    applied(clinic, {"policy": later}).recorded("PolicyAdopted")
    assert clinic.get(PATH)["policy"] == {"preset": "consent-first", "changes": {}}


def test_a_number_may_serve_a_purpose_that_the_document_brings(clinic: Clinic) -> None:
    """With the policy of the same document, at once or from a later day on."""
    for name, begins in (("survey", {}), ("news", {"effective_from": ahead(days=30)})):
        changes = {"purposes": {"survey": {}, name: {}}}
        policy = {"preset": "consent-first", "changes": changes} | begins
        line = LINE | {"purposes": ["conversation", name]}
        assert "/sending_numbers/0/purposes" in pointers(
            applied(clinic, {"locations": [MAIN], "sending_numbers": [line]})
        )
        applied(clinic, {"policy": policy, "locations": [MAIN], "sending_numbers": [line]})
        assert clinic.get(PATH)["sending_numbers"][0]["purposes"] == ["conversation", name]


def test_a_policy_that_separates_conversations_is_held_against_every_number(
    open_clinic: Open,
) -> None:
    """R-M10: those listed, those that stay, and those under a policy that is to come."""
    clinic = open_clinic("recalls")
    both = LINE | {"purposes": ["conversation", "appointment_reminder"]}
    applied(clinic, {"locations": [MAIN], "sending_numbers": [both]})
    exclusive = {"preset": "consent-first", "changes": {}}
    with clinic.unchanged():
        answer = applied(clinic, {"policy": exclusive})
        answer.problem(422, "set-up-refused", "/policy")
        answer = applied(clinic, {"policy": exclusive, "sending_numbers": [both]})
        answer.problem(422, "set-up-refused", "/sending_numbers/0/purposes")
        dated = exclusive | {"effective_from": ahead(days=1)}
        answer = applied(clinic, {"policy": dated, "sending_numbers": [both]})
        answer.problem(422, "set-up-refused", "/sending_numbers/0/purposes")
    applied(clinic, {"policy": exclusive, "sending_numbers": [LINE]}).recorded(
        "PolicyAdopted", "SendingNumberDefined"
    )


def test_a_set_up_that_other_routes_left_applies_as_it_is(open_clinic: Open) -> None:
    """What stands is not judged again: a number of a location that is gone, or of a purpose."""
    clinic = open_clinic("recalls", purposes={"survey": {}})
    applied(clinic, {"locations": [MAIN], "sending_numbers": [LINE | {"purposes": ["survey"]}]})
    clinic.call("DELETE", "/v1/locations/main")
    clinic.adopts("recalls")
    assert applied(clinic, clinic.get(PATH).body)["changes"] == []
    found = clinic.get(PATH).body | {"locations": [NORTH]}
    assert differences(applied(clinic, found)) == [("locations", "add")]


def test_a_location_may_not_go_while_the_document_keeps_its_number(clinic: Clinic) -> None:
    """The document would contradict itself."""
    applied(clinic, WHOLE)
    with clinic.unchanged():
        answer = applied(clinic, {"locations": [NORTH], "sending_numbers": [LINE]})
        answer.problem(422, "set-up-refused", "/sending_numbers/0/location")


def test_keywords_and_texts_that_rest_on_each_other_find_their_order(clinic: Clinic) -> None:
    """A word moves from one list to another, whichever the document names first."""
    one = {"kind": "help", "language": "es", "add": ["vale"], "remove": []}
    other = {"kind": "start", "language": "es", "add": ["vale"], "remove": []}
    applied(clinic, {"keywords": [one]})
    applied(clinic, {"keywords": [other]}).recorded("KeywordsChanged", "KeywordsChanged")
    assert clinic.get(PATH)["keywords"] == [other]
    with clinic.unchanged():
        answer = applied(clinic, {"keywords": [one, other]})
        answer.problem(422, "set-up-refused", "/keywords/0/add/0")


def test_an_idempotency_key_answers_again_and_is_for_one_document(clinic: Clinic) -> None:
    """The same key and body: the stored answer. Another body: an error. A dry run looks anew."""
    key = fresh()
    first = applied(clinic, WHOLE, Idempotency_Key=key)
    with clinic.unchanged():
        again = applied(clinic, WHOLE, Idempotency_Key=key)
        assert again.body == first.body | {"recorded": []}
        dry = clinic.call("PUT", f"{PATH}?dry_run=true", "admin", WHOLE, Idempotency_Key=key)
        assert (dry["dry_run"], dry["changes"]) == (True, [])
        answer = applied(clinic, {}, Idempotency_Key=key)
        answer.problem(422, "idempotency-key-reused")


def test_the_number_is_kept_in_the_transaction_that_names_it(clinic: Clinic) -> None:
    """A vault row that was lost is there again, and a refused document leaves none."""
    with clinic.unchanged():
        assert applied(clinic, WHOLE | {"users": None}).status == 422
    applied(clinic, WHOLE)
    clinic.service.rows(
        "DELETE FROM numbers WHERE account_id = %s RETURNING number_id", clinic.account_id
    )
    assert clinic.get(PATH)["sending_numbers"][0]["number"] is None
    assert applied(clinic, WHOLE)["recorded"] == []
    assert clinic.get(PATH).body == WHOLE


def test_every_fault_is_told_at_once_and_none_twice(clinic: Clinic) -> None:
    """Shape and rules together, each with its place; nothing is changed and nothing repeated."""
    bad = {
        "policy": {"preset": "recalls", "changes": {"colour": 1, "requests_days": "zebra"}},
        "locations": [{"id": "bare"}, MAIN, MAIN | {"name": "zebra"}],
        "sending_numbers": [
            {"number": "zebra", "location": "bare", "purposes": ["recall"]},
            {"number": "+14155550191", "location": "nowhere", "purposes": ["zebra"]},
            {"number": "415-555-0191", "location": "bare", "purposes": ["recall"]},
        ],
        "users": [{"id": ANN, "permission": "zebra"}, 7],
        "zebra": {},
    }
    logged = clinic.service.log_size
    with clinic.unchanged():
        answer = applied(clinic, bad)
        answer.problem(422, "set-up-refused")
    assert sorted(pointers(answer)) == [
        "/locations/0/name",
        "/locations/2/id",
        "/policy/changes/colour",
        "/policy/changes/requests_days",
        "/sending_numbers/0/number",
        "/sending_numbers/1/location",
        "/sending_numbers/1/purposes",
        "/sending_numbers/2/number",
        "/users/0/id",
        "/users/0/permission",
        "/users/1",
        "/zebra",
    ]
    told = answer.response.text.replace("/zebra", "") + clinic.service.log_since(logged)
    assert "zebra" not in told
    assert "555019" not in told


@pytest.mark.parametrize("section", WHOLE)
def test_a_section_that_is_no_section_is_told_alone(clinic: Clinic, section: str) -> None:
    """What rests on it is not told as wrong too."""
    for wrong in (None, 7, "x", [[]] if section == "policy" else {}):
        with clinic.unchanged():
            answer = applied(clinic, WHOLE | {section: wrong})
            assert answer.problem(422, "invalid-body", f"/{section}")
            assert pointers(answer) == [f"/{section}"]


EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def shown(clinic: Clinic) -> Document:
    """The set-up of an account, every section in an order of its own."""
    found = clinic.get(PATH).body
    return {n: in_order(each) if isinstance(each, list) else each for n, each in found.items()}


def test_any_set_up_turns_into_any_other(service: Running) -> None:
    """A, then B: what is shown is B, and of A only what B does not speak of."""

    @EXAMPLES
    @given(first=documents(), second=documents())
    def holds(first: Document, second: Document) -> None:
        clinic = Clinic(service, "opt-out", {})
        for document in (first, second):
            dry = clinic.call("PUT", f"{PATH}?dry_run=true", "admin", document)
            assert dry["changes"] == applied(clinic, document)["changes"]
        assert shown(clinic) == settled(first | second)
        for again in (second, clinic.get(PATH).body):
            with clinic.unchanged():
                assert applied(clinic, again)["changes"] == []

    holds()


def test_every_planted_fault_is_told(service: Running) -> None:
    """However many there are, each has its pointer, and nothing is applied."""
    clinic = Clinic(service, "opt-out", {})

    @EXAMPLES
    @given(document=documents(), names=st.sets(st.sampled_from(sorted(FAULTS)), min_size=1))
    def holds(document: Document, names: set[str]) -> None:
        broken = json.loads(json.dumps(copy.deepcopy(document)))
        planted = {FAULTS[name](broken) for name in sorted(names)}
        with clinic.unchanged():
            answer = applied(clinic, broken)
            assert answer.status == 422, (broken, planted)
            assert planted <= set(pointers(answer))
        assert "zebra" not in answer.response.text

    holds()
