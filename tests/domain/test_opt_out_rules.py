"""Opt-outs of agents and carriers, reviews, blocks, reassignment: R-F6, R-F8, R-F10, R-B1."""

from datetime import UTC, datetime

import pytest

from consent_ledger import facts as f
from consent_ledger.commands import (
    BlockPurpose,
    GiveConsent,
    Judge,
    OptIn,
    OptOut,
    Reassign,
    RetractFact,
)
from consent_ledger.decision import Question, UnknownPurposeError
from consent_ledger.policy import amended
from consent_ledger.words import (
    ActorKind,
    Answer,
    Basis,
    Channel,
    Consent,
    Level,
    Method,
    Preference,
    Reason,
    Source,
    Verdict,
)
from tests.story import DAY, HOUR, MINUTE, T0, at, given, instant, staff, standing_of, texts

STOP, START = f.StopReceived(), f.StartReceived()
BY_AGENT, BY_CONTACT = f.OptedOut(Source.AGENT), f.OptedOut(Source.CONTACT)
SUPPRESSED = f.CarrierSuppressed("twilio", "21610")
SUSPECT = f.RevocationSuspected()
WEB = f.ConsentGranted(method=Method.WEB, purposes=("recall",))
ADMIN = ActorKind.ADMIN


def test_an_admin_takes_back_the_agents_opt_out() -> None:
    """R-F6, R-V4: opt-in where the source is the agent."""
    story = given(BY_AGENT, rules="opt-out")
    story.asked("recall").answers(Reason.OPTED_OUT_BY_AGENT, Answer.DENY)
    story.when(OptIn(staff(kind=ADMIN))).then(f.AdminOptedIn())
    story.asked("recall").answers(Reason.NO_CONSENT_NEEDED)


@pytest.mark.parametrize("bar", [STOP, SUPPRESSED, BY_CONTACT])
def test_no_admin_takes_back_the_contacts_or_carriers_opt_out(bar: f.Fact) -> None:
    """R-F6, R-V4: it fails, says why, and changes nothing, the agent's opt-out included."""
    story = given(BY_AGENT, bar).when(OptIn(staff(kind=ADMIN))).refused("opt-in-forbidden")
    assert story.refusal is not None
    assert story.refusal.source is story.standing.opt_out[0]  # type: ignore[index]
    assert story.standing.agent is not None


def test_an_opt_in_counts_at_its_place_in_time() -> None:
    """R-F6, R-O2: where a STOP turns out to have stood by then, it changed nothing."""
    facts = [at(T0, BY_AGENT), at(T0 + 2 * HOUR, f.AdminOptedIn())]
    assert standing_of(*facts).agent is None
    assert standing_of(*facts, at(T0 + HOUR, STOP)).agent is not None


def test_an_opt_out_that_the_contact_asked_for_is_the_contacts() -> None:
    """R-F6: recorded by an agent, lifted by the contact alone."""
    story = given().when(OptOut(staff(), Source.CONTACT)).then(BY_CONTACT)
    story.asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT)
    story.when(OptIn(staff(kind=ADMIN))).refused("opt-in-forbidden")
    assert story.when(texts("start")).standing.opt_out is None


def test_suspected_words_stop_every_purpose_until_a_person_has_read_them() -> None:
    """R-K4: denied under review, unless the policy exempts the purpose."""
    story = given().when(texts("suspected_revocation"))
    story.asked("appointment_reminder").answers(Reason.REVOCATION_UNDER_REVIEW, Answer.DENY)
    assert story.asked("recall").decision.do_not_text
    assert story.standing.opt_out is None
    exempt = amended("consent-first", {"purposes": {"recall": {"exempt_from_review": True}}})
    given(SUSPECT, rules=exempt).asked("recall").answers(Reason.NO_CONSENT_NEEDED)


def test_a_dismissed_review_lets_texts_go_again() -> None:
    """R-K4: each review by its own verdict."""
    story = given(SUSPECT, SUSPECT)
    story.when(Judge(staff(kind=ADMIN), 1, Verdict.DISMISSED)).then(f.RevocationDismissed(1))
    story.asked("recall").answers(Reason.REVOCATION_UNDER_REVIEW)
    story.when(Judge(staff(kind=ADMIN), 2, Verdict.DISMISSED))
    story.asked("recall").answers(Reason.NO_CONSENT_NEEDED)


def test_a_confirmed_review_is_a_stop_at_the_time_of_its_words() -> None:
    """R-F10: a START said in between lifts it, and consent given since is no consent."""
    verdict = Judge(staff(kind=ADMIN), 1, Verdict.REVOKED)
    story = given(at(T0, SUSPECT)).when(verdict)
    story.asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT)
    assert story.asked("recall").decision.since == T0
    started = given(at(T0, SUSPECT), at(T0 + HOUR, START)).when(verdict)
    started.asked("recall").answers(Reason.NO_CONSENT_NEEDED)
    consented = given(at(T0, SUSPECT), at(T0 + HOUR, f.ConsentGranted(purposes=("recall",))))
    assert consented.when(verdict).standing.consent("recall") is Consent.REVOKED
    assert consented.when(texts("start")).standing.consent("recall") is Consent.NONE


@pytest.mark.parametrize("verdicts", [(Verdict.REVOKED, Verdict.DISMISSED)] * 1)
def test_of_two_verdicts_revoked_wins(verdicts: tuple[Verdict, Verdict]) -> None:
    """R-F10: whichever came first."""
    for order in (verdicts, verdicts[::-1]):
        story = given(SUSPECT).when(*(Judge(staff(kind=ADMIN), 1, each) for each in order))
        story.asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT)
        assert story.standing.reviews == {}


def test_a_verdict_follows_its_words() -> None:
    """R-K4, R-F10: also where the provider's clock runs ahead of the ledger's."""
    ahead = texts("suspected_revocation", T0 + 4 * MINUTE)
    story = given().when(ahead, at=T0)
    story.when(Judge(staff(kind=ADMIN), 1, Verdict.DISMISSED), at=T0 + MINUTE)
    assert story.standing.reviews == {}


def test_a_verdict_on_words_from_a_fast_clock_does_not_set_the_ledgers_clock() -> None:
    """R-O0, R-O3: what is recorded next is recorded at its time, not after those words."""
    story = given().when(texts("suspected_revocation", T0 + 4 * MINUTE), at=T0)
    story.when(Judge(staff(kind=ADMIN), 1, Verdict.DISMISSED), at=T0 + MINUTE)
    (verdict,) = story.new
    assert verdict.context.at == T0 + 4 * MINUTE + 1
    assert (verdict.context.basis, verdict.recorded_at) == (Basis.PROVIDER, T0 + MINUTE)
    story.when(texts("stop", T0 + 9 * MINUTE), at=T0 + 2 * MINUTE)
    stop, *_ = story.new
    assert stop.recorded_at == T0 + 2 * MINUTE
    assert stop.context.claimed_at == T0 + 9 * MINUTE


def test_a_verdict_needs_words_that_are_under_review() -> None:
    """R-K4: any other event has no verdict."""
    given(STOP).when(Judge(staff(kind=ADMIN), 1, Verdict.DISMISSED)).refused("not-found")


def test_staff_block_a_purpose_and_unblock_it() -> None:
    """R-B1: manual and automated texts of that purpose alone, with the reason shown."""
    story = given(rules="recalls").when(BlockPurpose(staff(), "recall", True))
    for question in (Question("recall"), Question("recall", manual=True, confirmed=True)):
        story.asked(question).answers(Reason.PURPOSE_BLOCKED, Answer.DENY)
    story.asked("conversation").answers(Reason.NO_CONSENT_NEEDED)
    story.when(BlockPurpose(staff(), "recall", False)).then(f.PurposeUnblocked("recall"))
    story.asked("recall").answers(Reason.NO_CONSENT_NEEDED)


def test_a_purpose_that_the_policy_does_not_have_is_an_error() -> None:
    """Section 1: a purpose is one of the account's; nothing is recorded for another."""
    story = given()
    for command in (
        BlockPurpose(staff(), "spam", True),
        BlockPurpose(staff(), "spam", False),
        GiveConsent(staff(), ("spam",), Level.EXPRESS, Method.WEB),
    ):
        with pytest.raises(UnknownPurposeError):
            story.when(command)
    with pytest.raises(UnknownPurposeError):
        story.asked("spam")


YESTERDAY = "2026-03-01"
MIDNIGHT = round(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000


def test_reassignment_voids_consent_of_before_the_end_of_its_day() -> None:
    """R-F8: grants, the request that waits and a system of record's yes; those of after stay."""
    yes = f.MarketingPreferenceRecorded("pms", Preference.CONSENTED)
    no = f.MarketingPreferenceRecorded("emr", Preference.NOT_CONSENTED)
    ask = f.ConsentRequested(("conversation",))
    old = [at(MIDNIGHT - 1, fact) for fact in (WEB, yes, no, ask)]
    standing = given(*old).when(Reassign(staff(), YESTERDAY)).standing
    assert standing.grants == {}
    assert standing.request is None
    assert not standing.pending
    assert list(standing.preferences) == ["emr"]
    new = given(at(MIDNIGHT, WEB)).when(Reassign(staff(), YESTERDAY)).standing
    assert new.consent("recall") is Consent.GRANTED


def test_reassignment_leaves_opt_outs_and_declines() -> None:
    """R-F8: no new holder is texted because the old one was gone."""
    before = [f.ConsentDeclined(), STOP, SUPPRESSED, BY_AGENT, f.PurposeBlocked("recall")]
    old = [at(MIDNIGHT - HOUR + i, fact) for i, fact in enumerate(before)]
    story = given(*old).when(Reassign(staff(), YESTERDAY))
    assert story.standing.declined("recall") is not None
    assert story.standing.contact is not None
    assert story.standing.system is not None
    assert story.standing.agent is not None
    assert story.standing.blocks != {}


@pytest.mark.parametrize(("day", "refused"), [("2026-03-01", False), ("2026-03-02", True)])
def test_the_day_of_disconnection_is_before_today(day: str, refused: bool) -> None:
    """R-F8: by the ledger's clock, in UTC."""
    story = given().when(Reassign(staff(), day), at=T0)
    assert (story.refusal is not None) is refused


def test_an_import_can_be_undone_and_nothing_else() -> None:
    """R-V1: a wrong file is undone by compensation; what the contact said is not."""
    imported = at(T0, BY_CONTACT, channel=Channel.IMPORT, actor=ADMIN)
    undo = RetractFact(staff(kind=ADMIN), 1)
    story = given(imported).when(undo).then(f.FactRetracted(1))
    story.asked("recall").answers(Reason.NO_CONSENT_NEEDED)
    given(at(T0, STOP)).when(undo).refused("not-an-import")
    given(at(T0, STOP)).when(RetractFact(staff(), 7)).refused("not-found")


def test_what_was_retracted_leaves_the_rest_as_if_it_never_was() -> None:
    """R-V1: a STOP of the same number stands on when an imported opt-out is undone."""
    imported = at(T0, BY_CONTACT, channel=Channel.IMPORT, actor=ADMIN)
    story = given(imported, at(T0 + DAY, STOP)).when(RetractFact(staff(), 1))
    assert story.standing.contact is not None
    assert story.standing.contact.mark.at == T0 + DAY
    assert story.given(at(instant(days=2), START)).standing.opt_out is None


def test_a_late_stop_of_the_same_minute_keeps_its_place() -> None:
    """R-O2, R-F5: a START between two STOPs lifts neither the later nor the agent's later one."""
    late = [at(T0, STOP), at(T0 + 2 * MINUTE, BY_AGENT), at(T0 + MINUTE, START)]
    standing = standing_of(*late)
    assert standing.contact is None
    assert standing.agent is not None
