"""Claims that nobody can believe and words that change nothing: R-O3 and R-O5."""

import pytest

from consent_ledger import facts as f
from consent_ledger.commands import GiveConsent, OptIn, OptOut
from consent_ledger.fold import fold
from consent_ledger.snapshot import counted
from consent_ledger.words import ActorKind, Basis, Consent, Level, Method, Reason, Source
from tests.story import HOUR, MINUTE, T0, at, given, staff, standing_of, texts

WEB = f.ConsentGranted(method=Method.WEB, purposes=("conversation",))
STOP, START = f.StopReceived(), f.StartReceived()
ASK = f.ConsentRequested(("conversation",))
ASK_AGAIN = f.ConsentRequested(("conversation",), reauthorises=True)

AHEAD = T0 + 5 * MINUTE + 1
NEVER = 0
"""The first instant of 1970: what a sender's clock says that was never set."""


@pytest.mark.parametrize("claim", [AHEAD, NEVER, -(10**15)])
@pytest.mark.parametrize(
    ("before", "word", "holds"),
    [
        ([], "stop", lambda now: now.contact is not None),
        ([WEB], "decline", lambda now: now.consent("conversation") is Consent.DECLINED),
        ([ASK], "no", lambda now: now.consent("conversation") is Consent.DECLINED),
        ([], "suspected_revocation", lambda now: now.do_not_text),
        ([STOP], "start", lambda now: now.contact is not None),
        ([STOP], "yes", lambda now: now.contact is not None),
        ([ASK], "yes", lambda now: now.grants == {} and now.pending),
        ([ASK], "consent", lambda now: now.grants == {} and now.pending),
    ],
)
def test_words_of_no_time_that_can_be_count_only_to_close(
    before: list[f.Fact], word: str, holds: object, claim: int
) -> None:
    """R-O3: kept under the ledger's time with the claim beside it; they open nothing.

    So are words from before there were texts: a clock that was never set is no reason to fold a
    STOP in before a START of years ago.
    """
    earlier = [at(T0 - HOUR, fact) for fact in before]
    story = given(*earlier).when(texts(word, claim), at=T0)
    context = story.new[0].context
    assert (context.at, context.basis, context.claimed_at) == (T0, Basis.LEDGER, claim)
    assert callable(holds)
    assert holds(story.standing)


def test_a_stop_by_a_clock_that_was_never_set_ends_what_a_start_opened() -> None:
    """R-O3: it is as good as a STOP without a time, and gets the same confirmation."""
    story = given(at(T0 - HOUR, START)).when(texts("stop", NEVER), at=T0)
    story.replied("stop_confirmation").asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT)


def test_five_minutes_ahead_is_believed() -> None:
    """R-O3: clocks may differ by that much."""
    story = given(at(T0 - HOUR, STOP)).when(texts("start", AHEAD - 1), at=T0)
    assert story.new[0].context.claimed_at is None
    assert story.standing.contact is None


def test_what_is_believed_had_happened_when_it_was_recorded() -> None:
    """R-O3: it counts at once, so a question about that moment finds it, and none before."""
    story = given(at(T0 - HOUR, STOP)).when(texts("start", AHEAD - 1), at=T0)
    stands = [fold(counted(story.events, as_of)).contact for as_of in (T0 - 1, T0, AHEAD)]
    assert [each is not None for each in stands] == [True, False, False]


def test_an_opt_out_that_the_contact_asked_for_is_never_refused() -> None:
    """R-O3, R-F6: it is the contact's word, whoever wrote it down; an agent's own is refused."""
    story = given().when(OptOut(staff(AHEAD), Source.CONTACT), at=T0)
    assert story.standing.contact is not None
    given().when(OptOut(staff(AHEAD)), at=T0).refused("occurred-at-in-future")
    assert given().when(OptOut(staff(NEVER), Source.CONTACT), at=T0).standing.contact is not None
    given().when(OptOut(staff(NEVER)), at=T0).refused("time-too-early")
    given().when(GiveConsent(staff(AHEAD), ("recall",), Level.EXPRESS, Method.WEB), at=T0).refused(
        "occurred-at-in-future"
    )


def test_stop_again_is_recorded_and_changes_nothing() -> None:
    """R-O5: evidence that it was said; 'since' stays that of the first, no second confirmation."""
    story = given(at(T0, STOP)).when(texts("stop", T0 + HOUR), at=T0 + HOUR)
    story.then(f.StopReceived("stop")).replied(None)
    assert story.asked("recall").decision.since == T0


def test_stop_again_ends_what_is_pending_and_allows_no_further_request() -> None:
    """R-O5: neither does the request before it re-authorise any longer."""
    standing = standing_of(STOP, ASK_AGAIN, STOP)
    assert not standing.pending
    assert standing.reauthorisation_used
    assert standing_of(STOP, ASK_AGAIN, STOP, f.ConsentGranted()).contact is not None


def test_stop_after_start_allows_a_new_re_authorisation() -> None:
    """R-O5, R-L5: once per STOP that changes something."""
    assert not standing_of(STOP, ASK_AGAIN, START, STOP).reauthorisation_used


def test_an_opt_in_where_nothing_stands_is_recorded_and_changes_nothing() -> None:
    """R-O5: the same for an opt-in."""
    before = given(WEB)
    after = given(WEB).when(OptIn(staff(kind=ActorKind.ADMIN))).then(f.AdminOptedIn())
    assert after.standing == before.standing
