"""Order, repeats and lateness: rulebook section 4."""

import pytest

from consent_ledger import facts as f
from consent_ledger.commands import OptIn, OptOut
from consent_ledger.decision import Question
from consent_ledger.words import (
    ActorKind,
    Basis,
    Channel,
    Consent,
    Method,
    Preference,
    Reason,
    Source,
)
from tests.story import (
    HOUR,
    MINUTE,
    SECOND,
    T0,
    Happened,
    at,
    given,
    instant,
    staff,
    standing_of,
    texts,
)

WEB = f.ConsentGranted(method=Method.WEB, purposes=("conversation",))
STOP, START = f.StopReceived(), f.StartReceived()
ASK = f.ConsentRequested(("conversation",))
ASK_AGAIN = f.ConsentRequested(("conversation",), reauthorises=True)
UNDATED = f.ConsentGranted(method=Method.IMPORT, purposes=("conversation",), undated=True)
UNREACHABLE = f.DeliveryReported("twilio", "30003", "unreachable", 1)


def test_a_fact_has_the_time_it_was_told_else_the_ledgers() -> None:
    """R-O0: the provider's or sender's time where one is given, else the ledger's clock."""
    told = given().when(texts("stop", T0 - MINUTE), at=T0).new[0].context
    assert (told.at, told.basis) == (T0 - MINUTE, Basis.PROVIDER)
    own = given().when(texts("stop"), at=T0).new[0].context
    assert (own.at, own.basis) == (T0, Basis.LEDGER)


def test_the_ledgers_own_facts_share_no_instant() -> None:
    """R-O2: the ledger gives its facts an instant that no other fact of the number has."""
    before = {"recorded_at": T0 - HOUR}
    story = given(at(T0, START, **before), at(T0 + 1, f.HelpRequested(), **before))
    story.when(OptOut(staff()), OptIn(staff()), at=T0)
    instants = [event.context.at for event in story.events]
    assert len(set(instants)) == len(instants)


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
def test_of_the_contacts_words_the_latest_wins(arrival: tuple[int, int]) -> None:
    """R-O2: the order of arrival is no sort key."""
    stop_then_start = [at(T0, STOP), at(T0 + SECOND, START)]
    start_then_stop = [at(T0, START), at(T0 + SECOND, STOP)]
    assert standing_of(*(stop_then_start[i] for i in arrival)).contact is None
    assert standing_of(*(start_then_stop[i] for i in arrival)).contact is not None


def test_a_late_fact_is_read_at_its_own_time() -> None:
    """R-O2: a YES that overtook its request, and a CONSENT that was overtaken by a DECLINE."""
    yes = at(T0 + HOUR, f.AffirmativeReceived())
    assert standing_of(yes, at(T0, ASK)).consent("conversation") is Consent.GRANTED
    late = at(T0 + HOUR, f.ConsentGranted())
    declined = standing_of(at(T0, ASK), at(T0 + 2 * HOUR, f.ConsentDeclined()), late)
    assert declined.consent("conversation") is Consent.DECLINED


def test_a_fact_older_than_the_window_is_folded_in_from_the_whole_stream() -> None:
    """R-O2: a STOP that is weeks late still counts at its own time."""
    hello = [at(instant(days=day), f.HelpRequested()) for day in range(1, 30)]
    story = given(*hello).when(texts("stop", instant(hours=12)), at=instant(days=31))
    story.asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT)
    story.when(texts("start", instant(hours=13))).asked("recall").answers(Reason.NO_CONSENT_NEEDED)


@pytest.mark.parametrize(
    ("stop", "start"), [(Basis.PROVIDER, Basis.SENDER), (Basis.SENDER, Basis.PROVIDER)]
)
def test_start_on_another_clock_needs_five_minutes(stop: Basis, start: Basis) -> None:
    """R-O2: on clocks of a different basis START outranks a STOP only by 5 minutes or more."""
    stopped = at(T0, STOP, basis=stop)
    near = at(T0 + 5 * MINUTE - 1, START, basis=start)
    assert standing_of(stopped, near).contact is not None
    assert standing_of(stopped, at(T0 + 5 * MINUTE, START, basis=start)).contact is None
    assert standing_of(stopped, at(T0 + 1, START, basis=stop)).contact is None


def test_every_stop_has_to_be_outranked_by_its_own_clock() -> None:
    """R-O2: a START after the provider's STOP does not lift the sender's just before it."""
    stops = [at(T0, STOP), at(T0 + MINUTE, STOP, basis=Basis.SENDER)]
    for two in (stops, [at(T0, STOP, basis=Basis.SENDER), at(T0 + MINUTE, STOP)]):
        assert standing_of(*two, at(T0 + 2 * MINUTE, START)).contact is not None
        assert standing_of(*two, at(T0 + 6 * MINUTE, START)).contact is None


def test_yes_on_another_clock_needs_five_minutes() -> None:
    """R-O2: YES read as START; nearer than that it does nothing at all."""
    facts = [at(T0 - HOUR, f.OptedOut(Source.AGENT)), at(T0, STOP)]
    near = standing_of(*facts, at(T0 + MINUTE, f.AffirmativeReceived(), basis=Basis.SENDER))
    assert near.contact is not None
    assert near.agent is not None
    far = standing_of(*facts, at(T0 + 5 * MINUTE, f.AffirmativeReceived(), basis=Basis.SENDER))
    assert far.opt_out is None


def test_a_re_authorising_request_on_another_clock_needs_five_minutes() -> None:
    """R-O2: a request that may have gone out before the STOP re-authorises nothing."""

    def after(minutes: int) -> Consent:
        asked = at(T0 + minutes * MINUTE, ASK_AGAIN, basis=Basis.LEDGER)
        said = at(T0 + HOUR, f.ConsentGranted())
        return standing_of(at(T0, STOP), asked, said).consent("conversation")

    assert after(4) is Consent.REVOKED
    assert after(5) is Consent.GRANTED
    together = [at(T0, STOP), at(T0, ASK_AGAIN), at(T0 + HOUR, f.ConsentGranted())]
    assert standing_of(*together).consent("conversation") is Consent.REVOKED


def test_a_review_is_lifted_by_a_start_only_as_a_stop_would_be() -> None:
    """R-F10, R-O2: on another clock a START may have been said before the words under review."""
    words = at(T0, f.RevocationSuspected())
    assert standing_of(words, at(T0 + 1, START)).reviews == {}
    assert standing_of(words, at(T0 + MINUTE, START, basis=Basis.SENDER)).do_not_text
    assert not standing_of(words, at(T0 + 5 * MINUTE, START, basis=Basis.SENDER)).do_not_text


@pytest.mark.parametrize(
    ("facts", "holds"),
    [
        ([START, STOP], lambda now: now.contact is not None),
        ([f.ConsentGranted(purposes=("recall",)), STOP], lambda now: now.grants == {}),
        ([WEB, STOP], lambda now: now.grants == {}),
        ([WEB, f.OptedOut(Source.CONTACT)], lambda now: now.grants == {}),
        ([f.AdminOptedIn(), f.OptedOut(Source.AGENT)], lambda now: now.agent is not None),
        ([START, f.CarrierSuppressed("x", "1")], lambda now: now.system is not None),
        ([START, f.RevocationSuspected()], lambda now: now.do_not_text),
        ([WEB, f.ConsentDeclined()], lambda now: now.consent("conversation") == "declined"),
        ([ASK, STOP], lambda now: not now.pending),
        ([ASK, f.ConsentDeclined()], lambda now: now.pending and now.declined("recall")),
        ([f.PurposeUnblocked("recall"), f.PurposeBlocked("recall")], lambda now: now.blocks),
        (
            [
                f.MarketingPreferenceRecorded("pms", Preference.CONSENTED),
                f.MarketingPreferenceRecorded("pms", Preference.NOT_CONSENTED),
            ],
            lambda now: now.strictest_preference()[0] is Preference.NOT_CONSENTED,
        ),
        ([UNREACHABLE, f.HelpRequested()], lambda now: now.system and now.failures == 0),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_at_one_instant_the_stricter_fact_has_the_last_word(
    facts: list[f.Fact], holds: object, turned: bool
) -> None:
    """R-O2: openings, then requests, then closings, STOP last; an `unreachable` counts first."""
    together = [at(T0, fact) for fact in (reversed(facts) if turned else facts)]
    assert callable(holds)
    assert holds(standing_of(*together))


@pytest.mark.parametrize("consent", [WEB, f.ConsentGranted(), f.AffirmativeReceived()])
def test_no_consent_of_the_instant_of_a_stop_comes_back_with_start(consent: f.Fact) -> None:
    """R-O2: at the instant of a STOP no consent is granted, so a START resumes none."""
    facts = [at(T0 - HOUR, ASK), at(T0, consent), at(T0, STOP), at(T0 + HOUR, START)]
    assert standing_of(*facts).consent("conversation") is Consent.NONE


def test_words_of_one_instant_are_read_against_the_standing_before_it() -> None:
    """R-O2: a CONSENT does not answer a request of its own instant."""
    marketing = f.ConsentRequested(("marketing",))
    said = f.ConsentGranted(purposes=("conversation",))
    standing = standing_of(at(T0, marketing), at(T0, said))
    assert standing.pending
    assert list(standing.grants) == ["conversation"]


def test_an_answer_rests_on_events_that_can_be_named() -> None:
    """Section 3: source, since when, and the events a decision rests on."""
    stop = Happened(STOP, T0)
    found = given(WEB, stop).asked(Question("recall")).decision
    assert (found.source, found.since) == (Source.CONTACT, T0)
    assert [(mark.topic, mark.version) for mark in found.evidence] == [("StopReceived", 2)]


def test_the_contacts_words_come_by_the_contacts_channel() -> None:
    """Section 2: actor and channel are kept with the words."""
    context = given().when(texts("help")).new[0].context
    assert (context.actor, context.channel) == (ActorKind.CONTACT, Channel.SMS)


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "bars", [f.ConsentDeclined(), f.NumberReassigned("2026-01-01", ends_at=T0 - 2 * HOUR)]
)
def test_a_yes_of_nobody_knows_when_lifts_nothing_that_is_learnt_of_later(
    bars: f.Fact, arrival: tuple[int, int]
) -> None:
    """R-O2, R-F8: a list's yes without a time has that of its import, which tells nothing."""
    facts = [at(T0 - 2 * HOUR, bars), at(T0, UNDATED)]
    standing = standing_of(*(facts[place] for place in arrival))
    assert standing.consent("conversation") is not Consent.GRANTED
    dated = standing_of(facts[0], at(T0, WEB))
    assert dated.consent("conversation") is Consent.GRANTED
