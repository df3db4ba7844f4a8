"""What another policy would change: counted by the same `decide` that answers checks."""

from random import Random
from uuid import UUID

from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consent_ledger import account_facts as a
from consent_ledger import facts as f
from consent_ledger.decision import Question, decide
from consent_ledger.policy import PolicyVersion, amended, preset
from consent_ledger.simulation import (
    UNKNOWN,
    Change,
    NumbersTally,
    Outcome,
    PastDecision,
    PastTally,
    SetUps,
    Stream,
)
from consent_ledger.snapshot import snapshot_of
from consent_ledger.standing import Standing
from consent_ledger.words import Answer, Permission, Reason
from tests.domain.happenings import Thing, arrivals, histories
from tests.story import (
    ACCOUNT,
    DAY,
    HOUR,
    OTHER_NUMBER,
    T0,
    Happened,
    account,
    at,
    events_of,
    standing_of,
)

PRESETS = ("consent-first", "opt-out", "recalls", "authorization")
NOT_NEEDED = Outcome(Answer.ALLOW, Reason.NO_CONSENT_NEEDED)
DENIED = Outcome(Answer.DENY, Reason.CONSENT_REQUIRED)
STOP = f.StopReceived()


def facts_of_account(rules: str) -> list[f.Fact]:
    """An account that was opened and adopted a preset."""
    return [a.AccountOpened("Clinic", "US"), a.PolicyAdopted(preset(rules), 0)]


def past_of(*facts: f.Fact | Happened) -> list[PastDecision]:
    """The decisions among a number's events, with the standing of each."""
    walked, found = Stream(), []
    for event in events_of(*facts):
        if isinstance(event.fact, f.MessagePermitted | f.MessageDeferred | f.MessageRefused):
            found.append(PastDecision(event, event.fact, walked.standing))
        else:
            walked.take(event)
    return found


@drawn(st.sampled_from(PRESETS), st.sampled_from(PRESETS), histories())
@settings(deadline=None, max_examples=60)
def test_what_is_counted_is_what_both_policies_decide(
    before: str, after: str, things: list[Thing]
) -> None:
    """For any history: one that changes is one that `decide` answers otherwise, and no other."""
    came = arrivals(things, list(range(len(things))), repeat=False)
    standing, whose, moment = standing_of(*came), account(before), T0 + DAY
    tally = NumbersTally(whose, preset(after), moment)
    tally.examine(standing)
    expected = set()
    for purpose in preset(before).purposes:
        found = [
            decide(standing, Question(purpose), account(rules), moment) for rules in (before, after)
        ]
        one, other = (Outcome(each.answer, each.reason) for each in found)
        if one != other:
            expected.add(Change(purpose, one, other))
    assert set(tally.changes) == expected
    assert (tally.examined, tally.changed) == (1, bool(expected))


def test_a_purpose_that_one_policy_lacks_has_no_outcome_there() -> None:
    """Told as such, not an error."""
    own = amended("opt-out", {"purposes": {"survey": {}}})
    tally = NumbersTally(account(own), preset("opt-out"), T0)
    tally.examine(Standing())
    assert dict(tally.changes) == {Change("survey", NOT_NEEDED, UNKNOWN): 1}
    tally = NumbersTally(account("opt-out"), own, T0)
    tally.examine(Standing())
    assert dict(tally.changes) == {Change("survey", UNKNOWN, NOT_NEEDED): 1}


def test_the_policy_in_force_is_that_of_the_instant() -> None:
    """One that is dated ahead counts where the instant is later still."""
    versions = (
        PolicyVersion(1, 0, preset("authorization")),
        PolicyVersion(2, T0 + DAY, preset("opt-out")),
    )
    whose = account(policies=versions)
    assert NumbersTally(whose, preset("opt-out"), T0).policy_version == 1
    later = NumbersTally(whose, preset("opt-out"), T0 + DAY)
    later.examine(Standing())
    assert (later.policy_version, later.changed) == (2, 0)


def test_an_unreadable_record_is_examined_and_stays_denied() -> None:
    """Any policy says no to it."""
    tally = NumbersTally(account("opt-out"), preset("authorization"), T0)
    tally.examine(None)
    assert (tally.examined, tally.changed) == (1, 0)


@drawn(histories(), st.randoms())
@settings(deadline=None, max_examples=60)
def test_a_stream_stands_where_its_snapshot_would(things: list[Thing], dice: Random) -> None:
    """Event by event, in any order of arrival: late facts and retractions among them."""
    order = list(range(len(things)))
    dice.shuffle(order)
    walked, events = Stream(), events_of(*arrivals(things, order, repeat=True))
    for place, event in enumerate(events, 1):
        walked.take(event)
        assert walked.standing == snapshot_of(events[:place]).standing


def test_a_past_decision_rests_on_what_was_recorded_before_it() -> None:
    """A STOP that lies earlier in time and later in the stream was not known."""
    permitted = f.MessagePermitted("recall", Reason.NO_CONSENT_NEEDED)
    known, late = past_of(permitted, at(T0 - HOUR, STOP), permitted)
    set_ups = SetUps(ACCOUNT, facts_of_account("recalls"))
    tally = PastTally(preset("opt-out"), set_ups)
    tally.examine(known)
    assert tally.changed == 0
    tally.examine(late)
    stopped = Outcome(Answer.DENY, Reason.OPTED_OUT_BY_CONTACT)
    assert dict(tally.changes) == {Change("recall", NOT_NEEDED, stopped): 1}


def test_the_set_up_of_a_past_decision_is_that_of_its_time() -> None:
    """Only the policy is another: users stay as they were, in whichever order they are asked."""
    facts = [*facts_of_account("recalls"), a.UserPermissionSet("jo", Permission.DENY)]
    permitted = f.MessagePermitted("recall", Reason.NO_CONSENT_NEEDED, sent_by="jo")
    (past,) = past_of(permitted)

    def at_version(version: int) -> PastDecision:
        context = replace(past.event.context, account_version=version)
        return past._replace(event=replace(past.event, context=context))

    tally = PastTally(preset("opt-out"), SetUps(ACCOUNT, facts))
    tally.examine(at_version(3))
    assert list(tally.changes) == [
        Change("recall", NOT_NEEDED, Outcome(Answer.DENY, Reason.SENDER_NOT_PERMITTED))
    ]
    tally.examine(at_version(2))
    assert (tally.examined, tally.changed) == (2, 1)


def test_all_of_the_question_is_asked_again() -> None:
    """Place, hand and confirmation too, as the fact and its envelope have them."""
    fact = f.MessagePermitted(
        "recall", Reason.NO_CONSENT_NEEDED, sent_by="jo", manual=True, confirmed=True
    )
    (past,) = past_of(at(T0, fact, location_id="main", sending_number_id=OTHER_NUMBER))
    assert past.question == Question(
        "recall", "main", OTHER_NUMBER, sent_by="jo", manual=True, confirmed=True
    )


def test_a_contacts_other_number_stood_where_it_was_known_to() -> None:
    """R-M5: asked for only where the proposed policy would; later facts are left out."""
    permitted = f.MessagePermitted("recall", Reason.NO_CONSENT_NEEDED, contacts=(OTHER_NUMBER,))
    (past,) = past_of(permitted)
    past = past._replace(event=replace(past.event, position=20))
    (stop,) = events_of(STOP)
    set_ups = SetUps(ACCOUNT, facts_of_account("recalls"))
    assert PastTally(preset("opt-out"), set_ups).contacts_of(past) == ()

    def counted_with(position: int) -> int:
        tally = PastTally(preset("consent-first"), set_ups)
        tally.examine(past, {OTHER_NUMBER: [replace(stop, position=position)]})
        return tally.changed

    assert (counted_with(10), counted_with(30)) == (1, 0)


def test_any_purpose_is_asked_of_the_past_too() -> None:
    """A purpose that the proposed policy lacks is told as such."""
    (past,) = past_of(f.MessagePermitted("survey", Reason.NO_CONSENT_NEEDED))
    tally = PastTally(preset("opt-out"), SetUps(ACCOUNT, facts_of_account("recalls")))
    tally.examine(past)
    assert list(tally.changes) == [Change("survey", NOT_NEEDED, UNKNOWN)]


def test_set_ups_fold_each_version() -> None:
    """Forwards step by step, and from where it was kept, or the start, where one goes back."""
    facts = [*facts_of_account("recalls"), *(a.LocationDefined(f"l{i}", "x") for i in range(4))]
    set_ups = SetUps(UUID(int=5), facts)

    def steps_to(version: int) -> int:
        steps = 0
        while set_ups.advance(version):
            steps += 1
        assert set_ups.at(version).version == version
        assert len(set_ups.at(version).locations) == max(0, version - 2)
        return steps

    assert steps_to(4) == 4
    set_ups.keep()
    assert (steps_to(6), steps_to(5), steps_to(1), steps_to(3)) == (2, 2, 2, 2)
    assert set_ups.at(99).version == len(facts)
