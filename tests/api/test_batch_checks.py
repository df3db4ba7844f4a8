"""One question about many numbers, from one consistent snapshot (contract section 3)."""

import threading

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open


def test_an_item_may_name_the_contacts_other_numbers(clinic: Clinic) -> None:
    """R-M5, row 4: in bulk as one by one; a STOP on any of them denies."""
    clinic.hears(BEN, "stop")
    items = [
        {"number": ANN, "contact_numbers": [BEN]},
        {"number": ANN, "contact_numbers": [CARA]},
        {"number": ANN, "contact_numbers": ["nobody"]},
    ]
    found = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)["results"]
    assert found[0]["reason"] == "opted_out_on_other_number"
    assert found[1]["reason"] == "no_consent_needed"
    assert found[2]["error"]["code"] == "number-unparseable"


def test_a_batch_answers_in_order_with_errors_where_they_lie(clinic: Clinic) -> None:
    """An item that cannot be read has `error` instead; every correlation id comes back."""
    stop = clinic.hears(BEN, "STOP")
    items = [
        {"number": ANN, "correlation_id": "a"},
        {"number": "no number", "correlation_id": "b"},
        {"number": BEN},
        {"number": "(415) 555-0133", "correlation_id": "c"},
        {"number": ANN},
    ]
    answer = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)
    results = answer["results"]
    assert [result.get("correlation_id") for result in results] == ["a", "b", None, "c", None]
    assert [result.get("reason") for result in results] == [
        "no_consent_needed",
        None,
        "opted_out_by_contact",
        "no_consent_needed",
        "no_consent_needed",
    ]
    assert results[1] == {
        "error": {"code": "number-unparseable", "detail": "No phone number."},
        "correlation_id": "b",
    }
    assert answer["position"] >= stop["position"]
    assert all("position" not in result for result in results)
    single = clinic.asks(BEN, "recall").body
    for name in ("answered_at", "position"):
        single.pop(name), results[2].pop(name, None)
    assert results[2] == single


def test_ten_thousand_numbers_are_answered_at_once(open_clinic: Open) -> None:
    """The limit itself, with an answer for each; one more is refused as a whole."""
    clinic = open_clinic("opt-out")
    numbers = [f"+1415{5550200 + i:07}" for i in range(10_000)]
    for number in (numbers[0], numbers[4_999], numbers[-1]):
        clinic.hears(number, "STOP")
    items = [{"number": number} for number in numbers]
    answer = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)
    denied = [i for i, result in enumerate(answer["results"]) if not result["may_text"]]
    assert len(answer["results"]) == 10_000
    assert denied == [0, 4_999, 9_999]
    items.append({"number": ANN})
    refused = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)
    refused.problem(422, "invalid-body", "/items")
    empty = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=[])
    assert empty["results"] == []


def test_a_batch_holds_to_who_sends_and_from_where(open_clinic: Open) -> None:
    """Rows 1 and 2 bind every item, and a manual batch names its sender as a check does."""
    clinic = open_clinic("authorization")
    clinic.consents(ANN)
    asked = {"purpose": "conversation", "items": [{"number": ANN}, {"number": BEN}]}

    def reasons(**more: object) -> list[str]:
        answer = clinic.post("/v1/checks/batch", "sender", **asked, **more)
        return [result["reason"] for result in answer["results"]]

    assert reasons() == ["consented", "consent_required"]
    assert reasons(sent_by="jo") == ["sender_not_permitted"] * 2
    assert reasons(location="nowhere") == ["sending_number_not_allowed"] * 2
    assert reasons(sending_number=CARA) == ["sending_number_not_allowed"] * 2
    answer = clinic.post("/v1/checks/batch", "sender", **asked, manual=True)
    answer.problem(422, "sent-by-required", "/sent_by")


def test_a_batch_never_sees_half_of_what_happens_meanwhile(open_clinic: Open) -> None:
    """One snapshot: of two numbers that always stop in turn, the second never without the first."""
    clinic = open_clinic("opt-out")
    numbers = [f"+1415{5556000 + i:07}" for i in range(40)]
    done = threading.Event()

    def stop_in_order() -> None:
        try:
            for number in numbers:
                clinic.hears(number, "STOP")
        finally:
            done.set()

    thread = threading.Thread(target=stop_in_order)
    thread.start()
    items = [{"number": number} for number in reversed(numbers)]
    asked = 0
    while not done.is_set():
        answer = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)
        stopped = [not result["may_text"] for result in reversed(answer["results"])]
        assert stopped == sorted(stopped, reverse=True)
        asked += 1
    thread.join()
    assert asked > 0


@pytest.mark.parametrize("role", ["sender", "agent", "admin", "auditor"])
def test_after_a_stop_is_acknowledged_no_check_says_yes(open_clinic: Open, role: str) -> None:
    """R-O4: zero stale yes, asked at once and by whomever."""
    clinic = open_clinic("opt-out")
    for i in range(25):
        number = f"+1415{5557000 + i:07}"
        clinic.asks(number).is_allowed("no_consent_needed")
        clinic.hears(number, "STOP")
        answer = clinic.post("/v1/checks", role, number=number, purpose="recall")
        answer.is_denied("opted_out_by_contact")
