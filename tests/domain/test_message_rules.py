"""Texts that are held, cancelled, released: R-F1, R-F4, R-F5, R-F8, R-M3, R-B2; contract 5."""

import pytest
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.commands import (
    AskMessage,
    CancelMessage,
    Judge,
    OptIn,
    OptOut,
    Reassign,
    ReleaseMessage,
)
from consent_ledger.decision import Question
from consent_ledger.policy import amended
from consent_ledger.standing import Standing
from consent_ledger.words import (
    ActorKind,
    MessageState,
    Method,
    Preference,
    Reason,
    Source,
    Verdict,
)
from tests.story import DAY, HOUR, T0, Story, account, given, instant, staff, standing_of, texts

CANCELLED, DEFERRED = MessageState.CANCELLED, MessageState.DEFERRED
RELEASED, EXPIRED = MessageState.RELEASED, MessageState.EXPIRED
NOT_CONSENTED = f.MarketingPreferenceRecorded("pms", Preference.NOT_CONSENTED)
BY_HAND = Question("recall", manual=True, sent_by="jo")


def text(
    name: str = "m", purpose: str | Question = "conversation", expires_at: int | None = None
) -> AskMessage:
    """A text that a sender asks about."""
    question = Question(purpose) if isinstance(purpose, str) else purpose
    return AskMessage(staff(), name, question, expires_at)


def release(name: str = "m", by: str = "worker") -> ReleaseMessage:
    """A claim to a held text."""
    return ReleaseMessage(staff(), name, by)


def held(*before: f.Fact) -> Story:
    """A number with one text that waits for consent since T0."""
    return given(*before).when(text(), at=T0)


def state(story: Story) -> MessageState | None:
    """The state that the last command was answered with."""
    assert story.answered is not None, story.refusal
    return story.answered.state


def test_consent_lets_every_held_text_go_weeks_later() -> None:
    """R-M3: in the order they were deferred, unless they carried an expiry that passed."""
    story = held().when(text("n"), at=T0 + 1).when(text("o", expires_at=T0 + DAY), at=T0 + 2)
    story.when(texts("consent"), at=instant(days=30))
    assert [each.message_id for each in story.held.values()] == ["m", "n", "o"]
    story.when(release("m")).then(f.MessageReleased("worker")).is_("m", RELEASED)
    story.when(release("n")).is_("n", RELEASED)
    story.when(release("o")).then(f.MessageExpired()).is_("o", EXPIRED)


def test_one_claimant_gets_a_text() -> None:
    """Contract 5: the same claimant again the same answer, another none."""
    story = held().when(texts("consent"), release())
    story.when(release()).then()
    assert state(story) is RELEASED
    story.when(release(by="other")).refused("already-released")
    story.when(CancelMessage(staff(), "m")).refused("already-released")


def test_a_text_that_may_not_go_yet_is_not_released() -> None:
    """Contract 5: decided again at that instant."""
    story = held().when(release()).then()
    assert state(story) is DEFERRED
    given().when(release()).refused("not-releasable")


@pytest.mark.parametrize("stop", [texts("stop"), OptOut(staff(), Source.CONTACT)])
def test_a_stop_cancels_for_good(stop: AskMessage) -> None:
    """R-F1: a START weeks later does not let it out."""
    story = held().when(stop).is_("m", CANCELLED)
    story.when(texts("start"), texts("consent"), at=instant(days=30))
    story.asked("conversation").answers(Reason.CONSENTED)
    story.when(release()).then()
    assert state(story) is CANCELLED


def test_a_stop_that_is_learnt_late_cancels_too() -> None:
    """R-F1: it stood at some instant since the text was asked, whatever was said after it."""
    story = held(f.PurposeUnblocked("recall")).when(texts("start", T0 + 3 * HOUR), at=T0 + 3 * HOUR)
    story.when(texts("stop", T0 + 2 * HOUR), at=T0 + 4 * HOUR)
    assert story.standing.contact is None
    story.is_("m", CANCELLED)


def test_a_stop_that_was_over_before_the_text_was_asked_cancels_nothing() -> None:
    """R-F1: STOP and START of the day before, learnt late."""
    story = held().when(texts("start", T0 - HOUR), texts("stop", T0 - 2 * HOUR))
    story.is_("m", DEFERRED)


def test_a_confirmed_review_cancels() -> None:
    """R-F10, R-F1: a STOP at the time of its words."""
    story = held().when(texts("suspected_revocation", T0 + 1), at=T0 + 1).is_("m", DEFERRED)
    words = story.new[0].originator_version
    story.when(texts("start", T0 + HOUR), at=T0 + HOUR).is_("m", DEFERRED)
    story.when(Judge(staff(), words, Verdict.REVOKED)).is_("m", CANCELLED)


def test_a_cancellation_is_never_undone() -> None:
    """R-F1: nor by asking about the same text again."""
    story = held().when(texts("stop"), texts("start"), texts("consent")).when(text())
    story.then().is_("m", CANCELLED)
    assert state(story) is CANCELLED


def test_a_decline_cancels_texts_that_need_consent() -> None:
    """R-F4: those that need none wait on; and a later CONSENT frees nothing."""
    hours: dict[str, object] = {
        "time_zone": "UTC",
        "purposes": {"recall": {"hours": {"start": 20}}},
    }
    story = given(rules=amended("consent-first", hours)).when(text("m"), at=T0)
    story.when(text("r", "recall"), at=T0 + 1).is_("r", DEFERRED)
    story.when(texts("decline")).is_("m", CANCELLED).is_("r", DEFERRED)
    story.when(texts("consent")).is_("m", CANCELLED)


def test_a_decline_that_is_learnt_late_cancels_too() -> None:
    """R-F1: its purpose was declined at some instant since it was asked."""
    story = held().when(texts("consent", T0 + 3 * HOUR), at=T0 + 3 * HOUR)
    story.when(texts("decline", T0 + 2 * HOUR), at=T0 + 4 * HOUR)
    story.asked("conversation").answers(Reason.CONSENTED)
    story.is_("m", CANCELLED)


def test_a_decline_of_another_purpose_cancels_nothing() -> None:
    """R-F4: DECLINE answers what the latest request named."""
    story = held().given(f.ConsentRequested(("marketing",))).when(texts("decline"))
    story.is_("m", DEFERRED)


@pytest.mark.parametrize("bar", [OptOut(staff()), f.CarrierSuppressed("twilio", "21610")])
def test_agents_and_carriers_hold_texts_and_cancel_none(bar: OptOut | f.Fact) -> None:
    """R-F5: not releasable while the bar stands, releasable once it is lifted."""
    story = held().when(texts("consent"))
    story = story.given(bar) if isinstance(bar, f.Fact) else story.when(bar)
    story.when(release()).then().is_("m", DEFERRED)
    if isinstance(bar, OptOut):
        story.when(OptIn(staff(kind=ActorKind.ADMIN)))
    else:
        story.when(texts("start"))
    story.when(release()).is_("m", RELEASED)


def test_a_reassignment_cancels_what_was_deferred_before_it() -> None:
    """R-F8: up to the end of that day."""
    story = (
        held()
        .when(text("n"), at=instant(days=1))
        .when(Reassign(staff(), "2026-03-02"), at=instant(days=2))
    )
    story.is_("m", CANCELLED).is_("n", DEFERRED)


def test_a_stop_on_a_number_of_the_same_contact_holds_a_release() -> None:
    """R-M5: asked, requested and released with the contact's other numbers in view."""
    story = held().when(texts("consent")).beside(standing_of(f.StopReceived()))
    story.when(release()).then().is_("m", DEFERRED)
    assert story.answered is not None
    assert story.answered.decision is not None
    assert story.answered.decision.reason is Reason.OPTED_OUT_ON_OTHER_NUMBER
    story.beside(Standing()).when(release()).is_("m", RELEASED)
    given().beside(standing_of(f.StopReceived())).when(text()).then(f.MessageRefused)


def test_a_person_confirms_a_text_once_shown_the_reason() -> None:
    """R-B2: `confirmed` on one that needs it decides anew."""
    story = given(NOT_CONSENTED, rules="recalls").when(text("m", BY_HAND))
    story.then(f.MessageNeedsConfirmation)
    assert story.snapshot.held == 1
    story.when(text("m", BY_HAND)).then()
    assert state(story) is MessageState.NEEDS_CONFIRMATION
    story.when(text("m", replace(BY_HAND, confirmed=True))).then(f.MessagePermitted)
    assert story.snapshot.held == 0


def test_what_is_permitted_can_no_longer_be_taken_back() -> None:
    """Contract 5: it does not wait, so nothing is cancelled and nothing miscounted."""
    story = given(NOT_CONSENTED, rules="recalls").when(text("m", BY_HAND))
    story.when(text("m", replace(BY_HAND, confirmed=True)))
    story.when(CancelMessage(staff(), "m")).refused("not-releasable")
    assert story.snapshot.held == 0


def test_a_text_taken_back_while_it_needs_confirmation_stays_back() -> None:
    """Contract 5: confirming it afterwards does not let it go."""
    story = given(NOT_CONSENTED, rules="recalls").when(text("m", BY_HAND))
    story.when(CancelMessage(staff(), "m")).when(text("m", replace(BY_HAND, confirmed=True)))
    story.then().is_("m", CANCELLED)


def test_a_confirmation_that_comes_after_the_expiry_is_too_late() -> None:
    """R-M3: the text has expired."""
    story = given(NOT_CONSENTED, rules="recalls").when(text("m", BY_HAND, T0 + DAY), at=T0)
    story.when(text("m", replace(BY_HAND, confirmed=True)), at=T0 + 2 * DAY)
    story.then(f.MessageExpired()).is_("m", EXPIRED)


def test_the_sender_takes_a_held_text_back() -> None:
    """Contract 5: again is no error."""
    cancel = CancelMessage(staff(), "m")
    story = held().when(cancel).then(f.MessageCancelled("sender"))
    story.when(cancel).then()
    assert state(story) is CANCELLED
    assert story.snapshot.held == 0


def test_a_purpose_that_the_account_gave_up_keeps_its_texts_held() -> None:
    """Section 2: what cannot be decided is no yes."""
    rules = amended("consent-first", {"purposes": {"news": {"needs_consent": True}}})
    grant = f.ConsentGranted(method=Method.WEB, purposes=("news",))
    story = given(rules=rules).when(text("m", "news")).given(grant).under(account())
    story.when(release()).refused("not-releasable")
    story.is_("m", DEFERRED)


def test_manual_texts_name_their_user_under_authorization() -> None:
    """Section 7: `manual` without `sent_by` is an error where unnamed users may not text."""
    unnamed = Question("recall", manual=True)
    given(rules="authorization").when(text("m", unnamed)).refused("sent-by-required")
    given(rules="recalls").when(text("m", unnamed)).then(f.MessagePermitted)


def test_an_expiry_in_the_past_is_an_error() -> None:
    """Contract 5: such a text could never go."""
    given().when(text(expires_at=T0), at=T0).refused("expires-at-in-past")
