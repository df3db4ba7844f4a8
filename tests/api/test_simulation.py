"""A policy that is tried before it is adopted: what it would change (contract section 7)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from api import simulating
from api.service import Service
from api.settings import Settings
from consent_ledger.policy import DAY, amended
from consent_ledger.simulation import NumbersTally, PastTally
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, DESK, Clinic, ago, ahead
from tests.api.conftest import Open

DEFERRED = {"decision": "defer", "reason": "consent_required"}
PENDING = {"decision": "defer", "reason": "consent_pending"}
DENIED = {"decision": "deny", "reason": "consent_required"}
NOT_NEEDED = {"decision": "allow", "reason": "no_consent_needed"}
STOPPED = {"decision": "deny", "reason": "opted_out_by_contact"}
NO_PURPOSE = {"decision": None, "reason": "unknown-purpose"}


def tries(clinic: Clinic, preset: str, role: str = "admin", **more: Any) -> Answer:
    """What a policy would change."""
    return clinic.post("/v1/policy/simulate", role, preset=preset, **more)


def numbers(answer: Answer, purpose: str) -> list[tuple[Any, Any, int]]:
    """What would change for one purpose of the numbers."""
    rows = answer["numbers"]["by_purpose"]
    return [(r["from"], r["to"], r["numbers"]) for r in rows if r["purpose"] == purpose]


def decisions(answer: Answer) -> list[tuple[str, Any, Any, int]]:
    """What would have been decided otherwise."""
    rows = answer["past_decisions"]["by_purpose"]
    return [(r["purpose"], r["from"], r["to"], r["decisions"]) for r in rows]


def test_the_numbers_that_would_be_answered_otherwise_are_counted(open_clinic: Open) -> None:
    """A number that said STOP is told no by every policy, a consent counts under either."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP")
    clinic.consents(BEN)
    clinic.hears(CARA, "hello")
    with clinic.unchanged():
        found = tries(clinic, "authorization")
    assert (found["policy_version"], found["complete"]) == (1, True)
    assert (found["numbers"]["examined"], found["numbers"]["changed"]) == (3, 2)
    assert numbers(found, "recall") == [(NOT_NEEDED, DENIED, 2)]
    consented = {"decision": "allow", "reason": "consented"}
    assert sorted(numbers(found, "conversation"), key=str) == [
        (NOT_NEEDED, consented, 1),
        (NOT_NEEDED, DENIED, 1),
    ]


def test_what_is_foretold_is_what_is_then_answered(open_clinic: Open) -> None:
    """Adopted, the policy changes the checks as the simulation had said."""
    clinic = open_clinic("recalls")
    everybody = (ANN, BEN, CARA)
    clinic.hears(ANN, "STOP")
    clinic.consents(BEN, "recall")
    clinic.blocks(CARA)
    foretold = tries(clinic, "authorization")
    before = {number: clinic.asks(number, "recall") for number in everybody}
    clinic.adopts("authorization")
    after = {number: clinic.asks(number, "recall") for number in everybody}

    def said(answer: Answer) -> dict[str, str]:
        return {"decision": answer["decision"], "reason": answer["reason"]}

    changed = [(said(before[n]), said(after[n]), 1) for n in everybody]
    assert numbers(foretold, "recall") == [(a, b, n) for a, b, n in changed if a != b]
    again = tries(clinic, "authorization")
    assert (again["numbers"]["examined"], again["numbers"]["changed"]) == (3, 0)
    assert again["numbers"]["by_purpose"] == []


def test_decisions_of_the_past_are_decided_again(clinic: Clinic) -> None:
    """From the standing as it was recorded then: a consent that came later does not count."""
    clinic.sends(ANN, "recall").is_("permitted")
    clinic.sends(ANN, "conversation").is_("deferred", "consent_required")
    clinic.sends(ANN, "conversation").is_("deferred", "consent_pending")
    clinic.hears(BEN, "STOP")
    clinic.sends(BEN, "recall").is_("refused", "opted_out_by_contact")
    clinic.consents(ANN, "conversation", "recall")
    clinic.hears(ANN, "STOP")
    found = tries(clinic, "opt-out", "auditor")
    past = found["past_decisions"]
    assert (past["examined"], past["changed"]) == (4, 2)
    assert decisions(found) == [
        ("conversation", PENDING, NOT_NEEDED, 1),
        ("conversation", DEFERRED, NOT_NEEDED, 1),
    ]
    strict = tries(clinic, "authorization")
    assert decisions(strict) == [
        ("conversation", DEFERRED, DENIED, 1),
        ("recall", NOT_NEEDED, DENIED, 1),
    ]


def test_a_fact_that_came_late_was_not_known_when_it_was_decided(clinic: Clinic) -> None:
    """A STOP that was said before the text, and told after it, changes no decision."""
    clinic.sends(ANN, "recall").is_("permitted")
    clinic.hears(ANN, "STOP", occurred_at=ago(days=3))
    assert tries(clinic, "consent-first")["past_decisions"]["changed"] == 0


def test_who_sent_and_from_where_are_as_they_were_then(open_clinic: Open) -> None:
    """A user who may not text today might then; a location that is gone was there."""
    clinic = open_clinic("authorization")
    clinic.permits("jo", "allow")
    clinic.opens_location("main", "recall")
    place = {"location": "main", "sending_number": DESK}
    clinic.sends(ANN, "recall", sent_by="jo", **place).is_("refused", "consent_required")
    clinic.sends(ANN, "recall", sent_by="al", **place).is_("refused", "sender_not_permitted")
    clinic.permits("jo", "deny")
    clinic.call("DELETE", "/v1/locations/main")
    clinic.sends(ANN, "recall", sent_by="jo", **place).is_("refused", "sender_not_permitted")
    assert decisions(tries(clinic, "opt-out")) == [
        ("recall", DENIED, NOT_NEEDED, 1),
        ("recall", {"decision": "deny", "reason": "sender_not_permitted"}, NOT_NEEDED, 1),
    ]


def test_a_stop_on_a_contacts_other_number_counts_as_it_was_known_then(open_clinic: Open) -> None:
    """R-M5: `consent-first` would have asked for it, and not known what was said later."""
    clinic = open_clinic("recalls")
    clinic.hears(BEN, "hello")
    named = {"contact_numbers": [BEN, CARA]}
    clinic.sends(ANN, "recall", **named).is_("permitted")
    clinic.hears(BEN, "STOP")
    clinic.sends(ANN, "recall", **named).is_("permitted")
    other = {"decision": "deny", "reason": "opted_out_on_other_number"}
    assert decisions(tries(clinic, "consent-first")) == [("recall", NOT_NEEDED, other, 1)]
    assert decisions(tries(clinic, "opt-out")) == []


def test_a_text_that_waited_for_a_person_is_a_decision_too(open_clinic: Open) -> None:
    """And what that person then decided is another."""
    clinic = open_clinic("recalls")
    clinic.learns_preference(ANN, "not_consented")
    text = {"message_id": "out-1", "sent_by": "jo", "manual": True}
    clinic.sends(ANN, "recall", **text).is_("needs_confirmation")
    clinic.sends(ANN, "recall", confirmed=True, **text).is_("permitted")
    found = tries(clinic, "authorization", changes={"unnamed_users_may_text": True})
    notice = {"decision": "confirm", "reason": "marketing_not_consented_notice"}
    assert sorted(decisions(found), key=str) == [
        ("recall", NOT_NEEDED, DENIED, 1),
        ("recall", notice, DENIED, 1),
    ]


def test_a_purpose_that_one_policy_lacks_is_told_as_such(open_clinic: Open) -> None:
    """No error: a question about it would be one."""
    clinic = open_clinic("opt-out", purposes={"survey": {}})
    clinic.sends(ANN, "survey").is_("permitted")
    found = tries(clinic, "opt-out", changes={"purposes": {"lottery": {"needs_consent": True}}})
    assert numbers(found, "survey") == [(NOT_NEEDED, NO_PURPOSE, 1)]
    assert numbers(found, "lottery") == [(NO_PURPOSE, DEFERRED, 1)]
    assert decisions(found) == [("survey", NOT_NEEDED, NO_PURPOSE, 1)]


def test_a_policy_of_the_future_is_tried_at_its_time(open_clinic: Open) -> None:
    """A consent that lapses before then no longer counts, under either policy of that day."""
    clinic = open_clinic(
        "consent-first", purposes={"conversation": {"consent_days": {"express": 9}}}
    )
    clinic.consents(ANN)
    keeps = {"purposes": {"conversation": {"consent_days": {"express": 90}}}}
    consented = {"decision": "allow", "reason": "consented"}
    assert numbers(tries(clinic, "consent-first", changes=keeps), "conversation") == []
    later = tries(clinic, "consent-first", changes=keeps, effective_from=ahead(days=10))
    assert numbers(later, "conversation") == [(DEFERRED, consented, 1)]
    assert datetime.fromisoformat(later["at"]) > datetime.now(UTC)
    clinic.adopts("opt-out", effective_from=ahead(days=5))
    later = tries(clinic, "consent-first", changes=keeps, effective_from=ahead(days=10))
    assert later["policy_version"] == 2
    assert numbers(later, "conversation") == [(NOT_NEEDED, consented, 1)]


def test_permitted_hours_are_tried_at_the_hour(open_clinic: Open) -> None:
    """Row 14 counts for numbers at the time asked about, for decisions at theirs."""
    clinic = open_clinic("recalls")
    clinic.sends(ANN, "recall").is_("permitted")
    hour = datetime.now(UTC).hour
    opens = hour + 2 if hour < 12 else hour - 2
    rule = {"hours": {"start": opens, "end": opens + 1}}
    changes = {"time_zone": "UTC", "purposes": {"recall": rule}}
    found = tries(clinic, "recalls", changes=changes)
    quiet = {"decision": "defer", "reason": "quiet_hours"}
    assert numbers(found, "recall") == [(NOT_NEEDED, quiet, 1)]
    assert decisions(found) == [("recall", NOT_NEEDED, quiet, 1)]


def test_since_says_how_far_to_look_back(clinic: Clinic) -> None:
    """Thirty days where it is not said; the instant is told."""
    clinic.sends(ANN, "conversation")
    then = datetime.now(UTC).isoformat()
    clinic.sends(ANN, "conversation")
    assert tries(clinic, "opt-out")["past_decisions"]["examined"] == 2
    found = tries(clinic, "opt-out", since=then)["past_decisions"]
    assert (found["examined"], found["changed"]) == (1, 1)
    assert datetime.fromisoformat(found["since"]) == datetime.fromisoformat(then)


def test_a_limit_leaves_numbers_out_and_says_so(clinic: Clinic) -> None:
    """Their decisions too."""
    for number in (ANN, BEN, CARA):
        clinic.sends(number, "conversation")
    found = tries(clinic, "opt-out", limit=2)
    assert found["complete"] is False
    assert found["numbers"]["examined"] == found["past_decisions"]["examined"] == 2
    whole = tries(clinic, "opt-out", limit=3)
    assert (whole["complete"], whole["numbers"]["examined"]) == (True, 3)


def test_many_numbers_with_many_texts_are_read_page_by_page(open_clinic: Open) -> None:
    """More than a page of numbers, and of events, one number's alone among them."""
    clinic = open_clinic("opt-out")
    items = [{"number": f"+1415556{i:04}", "by": "jo"} for i in range(1_201)]
    assert len(clinic.post("/v1/opt-outs/batch", items=items)["results"]) == len(items)
    clinic.sends(ANN, "recall")
    clinic.service.rows(MORE_TEXTS, 1_100, clinic.number_id(ANN))
    found = tries(clinic, "authorization")
    assert (found["numbers"]["examined"], found["numbers"]["changed"]) == (1_202, 1)
    assert decisions(found) == [("recall", NOT_NEEDED, DENIED, 1_101)]


MORE_TEXTS = """
INSERT INTO events
SELECT originator_id, originator_version + i, account_id, position + i, recorded_at, topic, state
FROM events, generate_series(1, %s) AS i WHERE originator_id = %s
RETURNING originator_version"""


SIZES = ("NUMBERS_PAGE", "EVENTS_PAGE", "CONTACTS_BATCH", "JUDGED_AT_ONCE")


Found = tuple[NumbersTally, PastTally]


def in_this_process(clinic: Clinic, preset: str, *limits: dict[str, int]) -> list[Found]:
    """Simulations of the last day, run here with other limits."""
    key = clinic.service.keyring.dump()
    policy = amended(preset, {})

    async def run() -> list[Found]:
        service, found = Service(Settings(database_url=clinic.service.database_url, key=key)), []
        await service.start()
        view = await service.reader.view(clinic.account_id, [])
        for changed in limits:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in changed.items():
                    patch.setattr(simulating, name, value)
                since = view.now - DAY
                found.append(
                    await simulating.simulate(service, view.account, policy, view.now, since, 1000)
                )
        await service.stop()
        return found

    return asyncio.run(run())


def test_it_is_the_same_whatever_the_size_of_a_page(open_clinic: Open) -> None:
    """Histories that go over many pages, set-ups that change between, contacts in every one."""
    clinic = open_clinic("recalls")
    clinic.permits("jo", "allow")
    for i in range(12):
        number = (ANN, BEN, CARA)[i % 3]
        clinic.hears(number, ("STOP", "hello", "START", "CONSENT")[i % 4])
        clinic.sends(number, "recall", contact_numbers=[BEN], sent_by="jo")
        clinic.sends(number, "conversation")
        clinic.permits("jo", ("allow", "deny")[i % 2])
    sizes = [dict.fromkeys(SIZES, size) for size in (1, 2, 5)]
    few = {"DECISIONS_EXAMINED": 7, "EVENTS_PAGE": 2}
    whole, *others, cut = in_this_process(clinic, "consent-first", {}, *sizes, few)
    assert whole[1].examined == 24
    assert len(whole[1].changes) == 2
    for found in others:
        for one, other in zip(whole, found, strict=True):
            assert (one.examined, one.changed) == (other.examined, other.changed)
            assert one.changes == other.changes
            assert one.complete is other.complete is True
    assert cut[1].complete is False
    assert 7 <= cut[1].examined <= 9


def test_a_record_that_cannot_be_read_stays_a_no(open_clinic: Open) -> None:
    """A number whose snapshot is unreadable is denied by any policy; an event leaves a gap."""
    clinic = open_clinic("opt-out")
    clinic.sends(ANN, "recall")
    clinic.sends(BEN, "recall")
    ann, ben = clinic.number_id(ANN), clinic.number_id(BEN)
    broken = "UPDATE consent_status SET snapshot = '\\x00' WHERE number_id = %s RETURNING version"
    clinic.service.rows(broken, ann)
    found = tries(clinic, "authorization")
    assert (found["numbers"]["examined"], found["numbers"]["changed"]) == (2, 1)
    unknown = """
        INSERT INTO events SELECT originator_id, 2, account_id, position + 1, recorded_at,
        'StopReceived', '\\x00' FROM events WHERE originator_id = %s RETURNING position"""
    clinic.service.rows(unknown, ben)
    found = tries(clinic, "authorization")
    assert found["past_decisions"]["examined"] == 2
    assert found["complete"] is False


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"preset": "consent-last"}, "unknown-preset", "/preset"),
        ({"changes": {"no_such_field": 1}}, "policy-refused", "/changes/no_such_field"),
        ({"changes": {"requests_allowed": 99}}, "policy-refused", "/changes/requests_allowed"),
        ({"limit": 0}, "invalid-body", "/limit"),
        ({"limit": 10**9}, "invalid-body", "/limit"),
        ({"since": "yesterday"}, "invalid-body", "/since"),
        ({"since": "2999-01-01T00:00:00Z"}, "time-in-future", "/since"),
        ({"since": "1950-01-01T00:00:00Z"}, "time-too-early", "/since"),
        ({"effective_from": "9999-12-31T23:59:59Z"}, "time-too-late", "/effective_from"),
        ({"effective_form": "2999-01-01T00:00:00Z"}, "invalid-body", "/effective_form"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_tried_is_refused(
    clinic: Clinic, body: dict[str, Any], code: str, pointer: str
) -> None:
    """With the errors that adopting it would have, and nothing recorded."""
    with clinic.unchanged():
        clinic.call("POST", "/v1/policy/simulate", "admin", {"preset": "recalls"} | body).problem(
            422, code, pointer
        )
