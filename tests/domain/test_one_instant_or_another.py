"""Which of several facts counts, and what an instant more or less changes."""

from typing import Final
from uuid import UUID

import pytest

from consent_ledger import facts as f
from consent_ledger.decision import Question, decide
from consent_ledger.standing import Standing
from consent_ledger.words import Answer, Consent, Level, Method, Preference, Reason, Source
from tests.story import (
    OTHER_NUMBER,
    Happened,
    account,
    at,
    given,
    instant,
    standing_of,
)

THIRD_NUMBER: Final = UUID(int=3)
START: Final = f.StartReceived()
ASK: Final = f.ConsentRequested(("conversation",))
WRITTEN: Final = f.ConsentGranted(
    method=Method.WEB, level=Level.EXPRESS_WRITTEN, purposes=("marketing",)
)


def on(day: int, fact: f.Fact) -> Happened:
    """A fact on a day of the story."""
    return at(instant(days=day), fact)


def test_since_is_the_earliest_stop_on_any_other_number() -> None:
    """Row 4: in whatever order the sender names the numbers."""
    later, earlier = (standing_of(on(day, f.StopReceived())) for day in (2, 1))
    contacts = ((THIRD_NUMBER, later), (OTHER_NUMBER, earlier))
    for named in (contacts, contacts[::-1]):
        question = Question("recall", contacts=named)
        found = decide(Standing(), question, account("consent-first"), instant(days=3))
        assert (found.reason, found.since) == (
            Reason.OPTED_OUT_ON_OTHER_NUMBER,
            instant(days=1),
        )
        assert [mark.number_id for mark in found.evidence] == [OTHER_NUMBER, THIRD_NUMBER]


def test_settings_that_cannot_be_read_are_no_notice_of_marketing() -> None:
    """Row 13 is of other purposes: of marketing the policy's own rule decides."""
    unreadable = f.MarketingPreferenceRecorded("pms", Preference.UNREADABLE)
    story = given(unreadable, rules="opt-out")
    story.asked(Question("recall", manual=True)).answers(
        Reason.PREFERENCE_UNREADABLE_NOTICE, Answer.CONFIRM
    )
    story.asked(Question("marketing", manual=True)).answers(Reason.PRESUMED_BY_POLICY, Answer.ALLOW)


@pytest.mark.parametrize("first", ["pms", "crm"])
def test_of_systems_that_say_the_same_the_latest_counts(first: str) -> None:
    """Row 9: the contact granted after one of them, and before the other."""
    second = "crm" if first == "pms" else "pms"
    says = [
        f.MarketingPreferenceRecorded(system, Preference.NOT_CONSENTED)
        for system in (first, second)
    ]
    story = given(on(1, says[0]), on(2, WRITTEN), on(3, says[1]), rules="recalls")
    found = story.asked("marketing").answers(Reason.MARKETING_NOT_CONSENTED, Answer.DENY)
    assert found.decision.since == instant(days=3)


@pytest.mark.parametrize("source", [Source.AGENT, Source.SYSTEM])
def test_an_opt_out_that_is_told_again_stands_since_the_first(source: Source) -> None:
    """R-V3: the report tells since when, and by whom it was."""
    told = on(1, f.OptedOut(source)), on(2, f.OptedOut(source))
    found = standing_of(*told).opt_out_by(source)
    assert found is not None
    assert found.mark.at == instant(days=1)


def test_a_decline_that_a_list_tells_answers_no_request() -> None:
    """R-F3: one that a contact says does."""
    listed = f.ConsentDeclined(purposes=("marketing",))
    assert standing_of(on(1, ASK), on(2, listed)).pending
    assert not standing_of(on(1, ASK), on(2, f.ConsentDeclined())).pending


def test_an_answer_is_to_the_request_before_it() -> None:
    """R-F3: one that goes out at its very instant waits for another."""
    standing = standing_of(on(1, ASK), on(9, f.ConsentDeclined()), on(9, ASK))
    assert standing.pending
    assert standing.request is not None
    assert standing.request.mark.at == instant(days=9)


def test_a_report_fails_the_request_that_it_is_about() -> None:
    """R-F9: one of unknown time that comes late does not allow the next to be repeated."""
    report = f.DeliveryReported("twilio", "1", "transient", 3, request=1)
    standing = standing_of(on(1, ASK), on(9, ASK), on(10, report))
    assert standing.request is not None
    assert not standing.request.failed


@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_granted_at_the_instant_of_a_re_authorisation_counts(is_first: bool) -> None:
    """R-F3: what was granted before it stays revoked, after a START too; this was not."""
    yes = [on(3, f.ConsentGranted()), on(3, WRITTEN)]
    asked = f.ConsentRequested(("conversation",), reauthorises=True)
    older = f.ConsentGranted(method=Method.WEB, purposes=("recall",))
    said = yes if is_first else yes[::-1]
    standing = standing_of(on(0, older), on(1, f.StopReceived()), on(2, asked), *said, on(4, START))
    assert standing.consent("conversation") is Consent.GRANTED
    assert standing.consent("marketing") is Consent.GRANTED
    assert standing.consent("recall") is Consent.NONE


def test_an_opt_in_before_which_a_stop_turns_up_lifts_nothing() -> None:
    """R-F6: nor where the contact stopped some purposes alone, and the ledger learnt of it late."""
    agents = on(2, f.OptedOut(Source.AGENT))
    assert standing_of(agents, on(3, f.AdminOptedIn())).agent is None
    stop = on(1, f.StopReceived(purposes=("recall",)))
    assert standing_of(agents, on(3, f.AdminOptedIn()), stop).agent is not None


def test_a_text_of_the_last_instant_of_the_day_is_not_the_new_holders() -> None:
    """R-F8: what was deferred before the end of the day is cancelled."""
    ends_at = instant(days=1)
    standing = standing_of(at(ends_at, f.NumberReassigned("2026-03-02", ends_at)))
    assert standing.bars_held("recall", False, ends_at)
    assert not standing.bars_held("recall", False, ends_at + 1)
