"""The replies that the ledger asks the sender to send: R-F1, R-K6, R-M7, R-M8."""

import pytest
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import User
from consent_ledger.replies import DEFAULT_TEXTS
from consent_ledger.snapshot import REPLIES_KEPT
from consent_ledger.words import Basis, Method, Permission, ReplyKind, Source
from tests.story import DAY, HOUR, MINUTE, T0, Happened, account, at, given, texts

STOP, START = f.StopReceived(), f.StartReceived()
SUPPRESSED = f.CarrierSuppressed("twilio", "21610")
KNOWN = f.PurposeUnblocked("recall")
SUSPECT = f.RevocationSuspected()
WEB = f.ConsentGranted(method=Method.WEB, purposes=("recall",))
LEGAL = account("authorization", users={"jo": User(Permission.ALLOW)})


def ask(*, again: bool = False) -> f.ConsentRequested:
    """A request that waits."""
    return f.ConsentRequested(("conversation",), reauthorises=again)


def said(story_facts: list[f.Fact | Happened], word: str) -> ReplyKind | None:
    """What the contact's word is answered with, after these facts."""
    answered = given(*story_facts).when(texts(word)).answered
    assert answered is not None
    return None if answered.reply is None else ReplyKind(answered.reply)


@pytest.mark.parametrize(
    ("facts", "word", "kind"),
    [
        ([KNOWN], "stop", ReplyKind.STOP_CONFIRMATION),
        ([SUPPRESSED], "stop", ReplyKind.STOP_CONFIRMATION),
        ([STOP], "stop", None),
        ([f.OptedOut(Source.CONTACT)], "stop", None),
        ([STOP], "start", ReplyKind.START_CONFIRMATION),
        ([SUPPRESSED], "start", ReplyKind.START_CONFIRMATION),
        ([SUSPECT], "start", ReplyKind.START_CONFIRMATION),
        ([WEB, STOP, ask(again=True)], "start", ReplyKind.START_CONFIRMATION),
        ([KNOWN], "start", None),
        ([STOP], "yes", ReplyKind.START_CONFIRMATION),
        ([ask()], "yes", ReplyKind.CONSENT_CONFIRMATION),
        ([KNOWN], "yes", None),
        ([ask()], "consent", ReplyKind.CONSENT_CONFIRMATION),
        ([STOP, ask(again=True)], "consent", ReplyKind.CONSENT_CONFIRMATION),
        ([STOP, f.OptedOut(Source.AGENT), ask(again=True)], "consent", None),
        ([STOP], "consent", ReplyKind.HOW_TO_OPT_IN),
        ([SUPPRESSED], "consent", None),
        ([ask(), SUSPECT], "consent", None),
        ([ask()], "decline", None),
        ([ask()], "no", None),
        ([KNOWN], "no", None),
        ([KNOWN], "help", ReplyKind.HELP),
        ([STOP], "help", ReplyKind.HELP),
        ([ask()], "other", ReplyKind.ASK_AGAIN),
        ([KNOWN], "other", None),
        ([STOP], "other", None),
        ([ask(), SUPPRESSED], "other", None),
        ([ask(), SUSPECT], "other", None),
        ([ask()], "suspected_revocation", None),
        ([], "other", ReplyKind.PLEASE_CALL),
        ([], "yes", ReplyKind.PLEASE_CALL),
        ([f.HelpRequested()], "other", ReplyKind.PLEASE_CALL),
        ([SUSPECT], "other", None),
    ],
)
def test_each_word_has_its_reply(
    facts: list[f.Fact | Happened], word: str, kind: ReplyKind | None
) -> None:
    """R-K6, R-M7, R-M8: to a number that may not be texted but three replies ever go."""
    assert said(facts, word) is kind


@pytest.mark.parametrize("word", ["start", "yes"])
def test_only_a_consent_is_told_how_to_opt_in(word: str) -> None:
    """R-K6: one 'text START' answer per STOP, to a CONSENT; a START between two STOPs gets none."""
    story = given(at(T0, STOP), at(T0 + 3 * HOUR, STOP), at(T0 + 4 * HOUR, KNOWN))
    story.when(texts("consent")).replied("how_to_opt_in")
    story.when(texts(word, T0 + HOUR)).replied(None)


def test_one_hint_per_stop() -> None:
    """R-K6: the second CONSENT is recorded and not answered; after a new STOP one is."""
    story = given(STOP).when(texts("consent")).replied("how_to_opt_in")
    story.when(texts("consent")).then(f.ConsentGranted).replied(None)
    story.when(texts("stop"), texts("consent")).replied(None)
    story.when(texts("start"), texts("stop"), texts("consent")).replied("how_to_opt_in")


@pytest.mark.parametrize(("late", "kind"), [(0, "stop_confirmation"), (1, None)])
def test_a_stop_is_confirmed_within_five_minutes_of_it(late: int, kind: str | None) -> None:
    """R-F1: none more than 5 minutes after `occurred_at`."""
    story = given().when(texts("stop", T0), at=T0 + 5 * MINUTE + late)
    story.replied(kind)


def test_a_stop_that_a_later_start_undid_is_not_confirmed() -> None:
    """R-F1: once per STOP that changes something."""
    given(at(T0 + 1, START)).when(texts("stop", T0), at=T0 + MINUTE).replied(None)
    given(at(T0, STOP)).when(texts("stop", T0 - 1), at=T0 + 1).replied(None)


def test_other_words_are_not_answered_under_authorization() -> None:
    """Section 7: there they end the request, and nothing more is asked."""
    given(ask(), whose=LEGAL).when(texts("other")).replied(None)


def test_nothing_is_sent_where_the_provider_answers_itself() -> None:
    """R-F1: one confirmation, not two."""
    given().when(texts("stop", answered_by_provider=True)).then(f.StopReceived).replied(None)


def test_a_reply_is_a_fact_without_its_text() -> None:
    """R-K6: kind, cause and the digest of the wording are kept."""
    event = given(KNOWN).when(texts("stop")).then(f.StopReceived, f.ReplyIssued).new[1]
    assert event.fact == f.ReplyIssued(ReplyKind.STOP_CONFIRMATION)
    assert event.context.basis is Basis.LEDGER
    assert event.context.evidence is not None
    assert event.context.evidence.template_version is not None


def test_a_reply_names_the_account_in_its_own_words() -> None:
    """R-K6: the wording is the account's where it has one."""
    wording = {"help": "{name}, call 555"}
    story = given(whose=account(replies=wording)).when(texts("help"))
    assert story.answered is not None
    assert story.answered.text == "Dr Who, call 555"
    assert set(DEFAULT_TEXTS) == {*ReplyKind, "consent_request", "disclosure"}


def test_a_loop_with_an_auto_responder_ends() -> None:
    """R-K6: so many automatic replies a day for one number; the day after it may ask again."""
    asks = [texts("help", T0 + i * MINUTE) for i in range(REPLIES_KEPT + 1)]
    story = given(KNOWN)
    for i, each in enumerate(asks[:-1]):
        story.when(each, at=T0 + i * MINUTE).replied("help")
    story.when(asks[-1], at=T0 + HOUR).then(f.HelpRequested("help")).replied(None)
    story.when(texts("stop"), at=T0 + HOUR + 1).replied("stop_confirmation")
    story.when(replace(texts("help")), at=T0 + 2 * DAY).replied("help")


def test_a_loop_of_stop_and_start_ends() -> None:
    """R-K6: a STOP is always confirmed, a START no more than the daily limit."""
    story = given(KNOWN)
    for _ in range(REPLIES_KEPT):
        story.when(texts("stop"), at=story.now - HOUR + 1)
        story.when(texts("start"), at=story.now - HOUR + 1)
    story.replied(None)
