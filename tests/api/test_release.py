"""Held texts that may go: listed, handed to one claimant, decided again (contract section 5)."""

from collections import Counter

import pytest

from api.handing_out import TOGETHER
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic, ahead
from tests.api.conftest import Open
from tests.service import in_parallel


def hold(clinic: Clinic, *message_ids: str, number: str = ANN) -> None:
    """Texts that wait, and then may go."""
    for message_id in message_ids:
        clinic.sends(number, message_id=message_id).is_("deferred")
    clinic.hears(number, "CONSENT")


def release_next(clinic: Clinic, claimant: str, limit: int = 100) -> list[str]:
    """The ids of the texts that a claimant is given."""
    body = {"claimed_by": claimant, "limit": limit}
    items = clinic.post("/v1/messages/release-next", "sender", **body)["items"]
    return [item["message_id"] for item in items]


def test_what_was_released_is_handed_out_though_another_text_fails(clinic: Clinic) -> None:
    """Nobody else would get it, and the contact would miss it."""
    for number, message_id in ((ANN, "first"), (BEN, "second")):
        clinic.sends(number, message_id=message_id)
        clinic.hears(number, "CONSENT")
    with clinic.failing("MessageReleased", of=ANN):
        assert release_next(clinic, "worker-1") == ["second"]
    assert release_next(clinic, "worker-1") == ["first"]


def test_texts_that_expired_while_they_were_held_are_ended_on_the_way(clinic: Clinic) -> None:
    """More than are ended at once, and in front of one that may go."""
    ids = [f"old-{place}" for place in range(TOGETHER + 5)]
    for message_id in ids:
        clinic.sends(ANN, message_id=message_id, expires_at=ahead(seconds=3)).is_("deferred")
    clinic.sends(ANN, message_id="new").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    while clinic.fate(ids[-1]) == "releasable":
        pass
    assert release_next(clinic, "worker-1") == ["new"]
    assert clinic.facts(ANN).count("MessageExpired") == len(ids)


def test_consent_makes_every_held_text_releasable_in_order(clinic: Clinic) -> None:
    """R-M3: at once, in the order they were deferred, those of other numbers not."""
    clinic.sends(BEN, message_id="other")
    for message_id in ("out-3", "out-1", "out-2"):
        clinic.sends(ANN, message_id=message_id)
    assert clinic.releasable() == []
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable() == ["out-3", "out-1", "out-2"]
    assert clinic.fate("out-3") == "releasable"
    (first, *_) = clinic.get("/v1/messages?state=releasable")["items"]
    assert (first["state"], first["purpose"]) == ("releasable", "conversation")
    assert first["number_id"] == str(clinic.number_id(ANN))


def test_the_list_comes_in_pages(clinic: Clinic) -> None:
    """Each text once, the oldest first, over numbers; other states are not listed."""
    for place in range(7):
        hold(clinic, f"out-{place}", number=f"+1415{5562000 + place:07}")
    clinic.hears("+14155562003", "STOP")
    found: list[str] = []
    cursor = ""
    for _ in range(9):
        page = clinic.get(f"/v1/messages?state=releasable&limit=2{cursor}")
        found += [item["message_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [f"out-{place}" for place in (0, 1, 2, 4, 5, 6)]
    clinic.get("/v1/messages?state=cancelled").problem(422, "unknown-state", "/state")
    clinic.get("/v1/messages?limit=0").problem(422, "invalid-body", "/limit")
    clinic.get("/v1/messages?cursor=x").problem(422, "cursor-malformed", "/cursor")


def test_a_text_is_released_to_one_claimant(clinic: Clinic) -> None:
    """The same claimant again gets the same answer, another 409 `already-released`."""
    hold(clinic, "out-1")
    first = clinic.releases("out-1", "worker-1").is_("released").recorded("MessageReleased")
    assert (first["number"], first["purpose"], first["claimed_by"]) == (
        ANN,
        "conversation",
        "worker-1",
    )
    again = clinic.releases("out-1", "worker-1").is_("released").recorded()
    changing = {"recorded"}
    assert {k: v for k, v in again.body.items() if k not in changing} == {
        k: v for k, v in first.body.items() if k not in changing
    }
    with clinic.unchanged():
        clinic.releases("out-1", "worker-2").problem(409, "already-released")
    assert clinic.fate("out-1") == "released"
    assert clinic.get("/v1/messages/out-1")["claimed_by"] == "worker-1"
    assert clinic.releasable() == []


def test_a_text_that_may_not_go_yet_is_not_released(clinic: Clinic) -> None:
    """409 `not-releasable` with the fields of section 3 at top level, and nothing recorded."""
    clinic.sends(ANN, message_id="out-1")
    with clinic.unchanged():
        found = clinic.releases("out-1").problem(409, "not-releasable")
    assert (found["may_text"], found["decision"]) == (False, "defer")
    assert (found["reason"], found["state"]) == ("consent_pending", "deferred")
    clinic.sends(BEN, "recall", "out-2").is_("permitted")
    clinic.releases("out-2").problem(409, "not-releasable")


def test_a_number_that_said_stop_meanwhile_is_not_released(clinic: Clinic) -> None:
    """Decided again at that instant, inside the number's own stream."""
    hold(clinic, "out-1")
    clinic.hears(ANN, "STOP")
    found = clinic.releases("out-1").problem(409, "not-releasable")
    assert (found["reason"], found["state"]) == ("opted_out_by_contact", "cancelled")
    assert (found["may_text"], found["opted_out"]) == (False, True)
    assert found["number_id"] == str(clinic.number_id(ANN))


@pytest.mark.parametrize("change", ["policy", "permission", "location", "block", "review"])
def test_a_text_is_decided_again_by_the_rules_of_its_release(clinic: Clinic, change: str) -> None:
    """What has changed meanwhile holds, though the text was asked about before."""
    clinic.opens_location("main")
    clinic.sends(ANN, message_id="out-1", sent_by="jo", location="main").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable() == ["out-1"]
    match change:
        case "policy":
            clinic.adopts("authorization")
        case "permission":
            clinic.permits("jo", "deny")
        case "location":
            clinic.call("DELETE", "/v1/locations/main")
        case "block":
            clinic.blocks(ANN, "conversation")
        case "review":
            clinic.hears(ANN, "lose my number")
    assert clinic.releasable() == []
    reason = {
        "policy": "sender_not_permitted",
        "permission": "sender_not_permitted",
        "location": "sending_number_not_allowed",
        "block": "purpose_blocked",
        "review": "revocation_under_review",
    }[change]
    assert clinic.releases("out-1").problem(409, "not-releasable")["reason"] == reason
    assert release_next(clinic, "worker-1") == []
    assert clinic.fate("out-1") == "deferred"


def test_a_looser_policy_lets_a_held_text_go(clinic: Clinic) -> None:
    """Texts asked about under an older policy are candidates under the newer one."""
    clinic.sends(ANN, message_id="out-1").is_("deferred")
    clinic.adopts("opt-out")
    assert clinic.releasable() == ["out-1"]
    clinic.releases("out-1").is_("released")


def test_release_next_gives_the_oldest_with_their_numbers(clinic: Clinic) -> None:
    """Up to the limit, each once; and a text that may not go is passed over."""
    for place, number in enumerate((ANN, BEN, CARA)):
        hold(clinic, f"out-{place}", number=number)
    clinic.opts_out(BEN)
    body = {"claimed_by": "worker-1", "limit": 1}
    (item,) = clinic.post("/v1/messages/release-next", "sender", **body)["items"]
    assert item == {"message_id": "out-0", "number": ANN, "purpose": "conversation"}
    assert release_next(clinic, "worker-1") == ["out-2"]
    assert release_next(clinic, "worker-1") == []
    clinic.opts_in(BEN)
    assert release_next(clinic, "worker-2") == ["out-1"]


def test_of_many_claimants_exactly_one_has_a_text(open_clinic: Open) -> None:
    """All at once: one 200, and 409 `already-released` for all others."""
    clinic = open_clinic("consent-first")
    hold(clinic, "out-1")
    answers: list[Answer] = []
    acts = [lambda i=i: answers.append(clinic.releases("out-1", f"worker-{i}")) for i in range(8)]
    in_parallel(*acts)
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 7}
    assert clinic.facts(ANN).count("MessageReleased") == 1


def test_two_claimants_are_never_given_the_same_text(open_clinic: Open) -> None:
    """Sixty texts over twenty numbers, three claimants: each text to one of them."""
    clinic = open_clinic("consent-first")
    for place in range(20):
        texts = [f"out-{place}-{i}" for i in range(3)]
        hold(clinic, *texts, number=f"+1415{5563000 + place:07}")
    given: dict[str, list[str]] = {"a": [], "b": [], "c": []}

    def take(claimant: str) -> None:
        while found := release_next(clinic, claimant, 7):
            given[claimant] += found

    in_parallel(*[lambda name=name: take(name) for name in given])
    every = [message for texts in given.values() for message in texts]
    assert len(every) == len(set(every)) == 60
    assert clinic.releasable() == []


def test_a_stop_and_a_release_at_once_never_let_a_text_out_after_the_stop(
    open_clinic: Open,
) -> None:
    """Whichever is first in the number's stream decides; both are told the truth."""
    clinic = open_clinic("consent-first")
    for place in range(10):
        number = f"+1415{5564000 + place:07}"
        hold(clinic, f"out-{place}", number=number)
        released: list[Answer] = []
        in_parallel(
            lambda number=number: clinic.hears(number, "STOP"),
            lambda place=place, got=released: got.append(clinic.releases(f"out-{place}")),
        )
        facts = clinic.facts(number)
        if released[0].status == 200:
            assert facts.index("MessageReleased") < facts.index("StopReceived")
        else:
            assert "MessageReleased" not in facts
            assert "MessageCancelled" in facts
