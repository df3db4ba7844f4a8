"""How far a STOP reaches: `revoke_scope` (rulebook section 8)."""

from typing import Final
from uuid import UUID

import pytest
from msgspec.structs import replace

from consent_ledger import commands as c
from consent_ledger import facts as f
from consent_ledger.account import Account, SendingNumber
from consent_ledger.policy import Policy, PolicyVersion, amended
from consent_ledger.words import ActorKind, Answer, Consent, MessageState, Reason, Source
from tests.story import DAY, T0, Story, account, at, given, instant, staff, standing_of, texts

TALKS: Final = UUID(int=21)
REMINDS: Final = UUID(int=22)
EVERYTHING: Final = UUID(int=23)
UNKNOWN: Final = UUID(int=24)
"""A number that the account does not know."""
SERVES: Final = {
    TALKS: ("conversation", "marketing"),
    REMINDS: ("appointment_reminder", "recall"),
    EVERYTHING: ("conversation", "appointment_reminder", "recall", "marketing"),
}


def policy(preset: str = "opt-out", scope: str = "purpose", **changes: object) -> Policy:
    return amended(preset, {"revoke_scope": scope, **changes})


def clinic(rules: Policy | None = None) -> Account:
    numbers = {str(number): SendingNumber("main", served) for number, served in SERVES.items()}
    return account(rules or policy(), locations={"main": "Main Street"}, sending_numbers=numbers)


def may(story: Story, *purposes: str) -> Story:
    """Exactly these purposes may be texted."""
    every = ("conversation", "appointment_reminder", "recall", "marketing")
    allowed = [p for p in every if story.asked(p).decision.answer is Answer.ALLOW]
    assert allowed == [p for p in every if p in purposes]
    return story


def test_the_default_scope_is_everything() -> None:
    """Section 8: `all` now; a STOP to any number of the account ends every purpose."""
    story = given(whose=clinic(policy(scope="all"))).when(texts("stop", sending_number_id=REMINDS))
    story.then(f.StopReceived(matched="stop"), f.ReplyIssued)
    may(story)


def test_a_stop_ends_what_the_number_it_answers_serves() -> None:
    """Section 8, `purpose`: the rest goes on; START opens it again (R-F2)."""
    story = given(whose=clinic()).when(texts("stop", sending_number_id=REMINDS))
    story.then(
        f.StopReceived(matched="stop", purposes=("appointment_reminder", "recall")), f.ReplyIssued
    ).replied("stop_confirmation")
    may(story, "conversation", "marketing")
    found = story.asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT, Answer.DENY).decision
    assert (found.opt_out_source, found.do_not_text) == (Source.CONTACT, True)
    assert (found.consent, found.status_label) == (Consent.REVOKED, "Revoked")
    other = story.asked("conversation").decision
    assert (other.opt_out_source, other.do_not_text) == (None, False)
    assert story.standing.opt_out is not None
    may(story.when(texts("start")), "conversation", "appointment_reminder", "recall", "marketing")


@pytest.mark.parametrize("number", [UNKNOWN, EVERYTHING, None])
def test_a_stop_that_may_mean_everything_does(number: UUID | None) -> None:
    """Section 8, strict by default: to an unknown number, or to one that serves every purpose."""
    story = given(whose=clinic()).when(texts("stop", sending_number_id=number))
    may(story.then(f.StopReceived(matched="stop"), f.ReplyIssued))


def test_the_scope_is_that_of_the_time_of_the_words() -> None:
    """Section 8: revoke-all from a date on; a late STOP has the scope of its own time."""
    dated = (PolicyVersion(1, 0, policy()), PolicyVersion(2, T0 + DAY, policy(scope="all")))
    whose = replace(clinic(), policies=dated)
    late = texts("stop", instant(hours=1), sending_number_id=REMINDS)
    may(given(whose=whose).when(late, at=instant(days=2)), "conversation", "marketing")
    new = texts("stop", instant(days=1), sending_number_id=REMINDS)
    may(given(whose=whose).when(new, at=instant(days=2)))


def test_stop_after_stop_reaches_further() -> None:
    """R-F1, R-O5: each that ends something more is confirmed; one that ends nothing is not."""
    story = given(whose=clinic())
    story.when(texts("stop", sending_number_id=TALKS)).replied("stop_confirmation")
    story.when(texts("stop", sending_number_id=TALKS)).replied(None)
    story.when(texts("stop", sending_number_id=REMINDS)).replied("stop_confirmation")
    may(story)
    story.when(texts("stop")).replied("stop_confirmation")
    story.when(texts("stop", sending_number_id=REMINDS)).replied(None)
    may(story.when(texts("start")), "conversation", "appointment_reminder", "recall", "marketing")


def test_a_start_lifts_only_the_stops_before_it() -> None:
    """R-O2: each purpose has its own STOP, and its own time of it."""
    story = given(
        at(instant(hours=1), f.StopReceived(purposes=("recall",))),
        at(instant(hours=3), f.StopReceived(purposes=("marketing",))),
        at(instant(hours=2), f.StartReceived()),
        whose=clinic(),
    )
    may(story, "conversation", "appointment_reminder", "recall")


def test_held_texts_of_the_purpose_alone_are_cancelled() -> None:
    """R-F1: for good, also after a START; what the STOP did not reach goes on waiting."""
    rules = policy("authorization", missing_consent_denies=False)
    story = given(whose=clinic(rules)).when(ask("m1", "recall"), ask("m2", "conversation"))
    story.when(texts("stop", sending_number_id=REMINDS))
    story.is_("m1", MessageState.CANCELLED).is_("m2", MessageState.DEFERRED)
    story.when(texts("start")).is_("m1", MessageState.CANCELLED)


def test_a_held_text_that_a_late_stop_was_over_never_goes() -> None:
    """R-F1: the STOP came and was lifted before the ledger learnt of it."""
    rules = policy("authorization", missing_consent_denies=False)
    story = given(whose=clinic(rules)).when(ask("m1", "recall"), at=instant(hours=1))
    story.when(texts("start", instant(hours=4)), at=instant(hours=5))
    late = texts("stop", instant(hours=3), sending_number_id=REMINDS)
    story.when(late, at=instant(hours=6)).is_("m1", MessageState.CANCELLED)


def test_consent_does_not_open_what_a_stop_ended() -> None:
    """R-F3: it opens the rest; the purpose that was stopped waits for START."""
    rules = policy("authorization")
    story = given(
        f.StopReceived(purposes=("appointment_reminder", "recall")),
        f.ConsentRequested(("conversation", "recall")),
        whose=clinic(rules),
    )
    story.when(texts("consent")).replied("consent_confirmation")
    may(story, "conversation")
    # What CONSENT did not grant, START does not either.
    may(story.when(texts("start")), "conversation")


def test_a_request_for_what_was_stopped_alone_is_void() -> None:
    """R-F9: unless it re-authorises; one that names more waits for the rest."""
    stop = f.StopReceived(purposes=("recall",))
    void = given(stop, f.ConsentRequested(("recall",)), whose=clinic())
    assert not void.standing.pending
    waits = given(stop, f.ConsentRequested(("recall", "conversation")), whose=clinic())
    assert waits.standing.pending


def test_a_purpose_is_reauthorised_by_itself() -> None:
    """R-L5: once per STOP, by a named user; the yes lifts the STOP from what was asked for."""
    rules = policy("authorization", unnamed_users_may_text=True)
    story = given(
        f.ConsentGranted(purposes=("conversation", "recall")),
        f.StopReceived(purposes=("appointment_reminder", "recall")),
        whose=clinic(rules),
    )
    may(story, "conversation")
    story.when(c.RequestConsent(staff(), ("recall",), sent_by="jo"))
    story.then(f.ConsentRequested(("recall",), reauthorises=True))
    story.when(c.RequestConsent(staff(), ("recall",), sent_by="jo"))
    story.refused("consent-request-refused", "reauthorisation_used")
    may(story.when(texts("yes")), "conversation", "recall")
    assert story.standing.opt_out is not None


RECALL: Final = f.StopReceived(purposes=("recall",))
ASKED_AGAIN: Final = f.ConsentRequested(("recall",), reauthorises=True)


@pytest.mark.parametrize(
    ("first", "second", "is_news"),
    [
        (RECALL, RECALL, False),
        (f.StopReceived(), RECALL, False),
        (f.StopReceived(purposes=("recall", "marketing")), RECALL, False),
        (RECALL, f.StopReceived(purposes=("marketing",)), True),
        (RECALL, f.StopReceived(purposes=("recall", "marketing")), True),
        (RECALL, f.StopReceived(), True),
    ],
)
def test_a_stop_that_ends_something_more_allows_a_new_request(
    first: f.StopReceived, second: f.StopReceived, is_news: bool
) -> None:
    """R-L5, R-O5: once per STOP, and one that ends nothing more is none."""
    assert standing_of(first, ASKED_AGAIN, second).reauthorisation_used is not is_news


def test_the_older_request_does_not_reauthorise_a_later_stop() -> None:
    """R-L5: the STOP that came after the request stands."""
    story = given(
        f.StopReceived(),
        f.ConsentRequested(("recall", "conversation"), reauthorises=True),
        f.StopReceived(purposes=("recall",)),
        f.ConsentGranted(),
        whose=clinic(policy("authorization")),
    )
    may(story, "conversation")


def test_an_admin_opts_in_no_purpose_that_the_contact_stopped() -> None:
    """R-F6, R-V4: only the contact lifts it."""
    story = given(f.StopReceived(purposes=("recall",)), f.OptedOut(Source.AGENT), whose=clinic())
    story.when(c.OptIn(staff(kind=ActorKind.ADMIN))).refused("opt-in-forbidden")


def test_another_number_of_the_contact_bars_what_was_stopped_there() -> None:
    """Row 4, R-M5: the purpose that the contact stopped on any number."""
    rules = policy("consent-first")
    other = given(f.StopReceived(purposes=("recall",)), whose=clinic(rules)).standing
    story = given(whose=clinic(rules)).beside(other)
    question = c.Question("recall", contacts=story.contacts)
    story.asked(question).answers(Reason.OPTED_OUT_ON_OTHER_NUMBER)
    question = c.Question("appointment_reminder", contacts=story.contacts)
    story.asked(question).answers(Reason.NO_CONSENT_NEEDED)


def ask(message_id: str, purpose: str) -> c.AskMessage:
    return c.AskMessage(staff(kind=ActorKind.SENDER), message_id, c.Question(purpose))
