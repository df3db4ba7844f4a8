"""What the contact's words do: R-F1 to R-F4, and R-K2."""

import pytest

from consent_ledger import facts as f
from consent_ledger.commands import GiveConsent
from consent_ledger.policy import amended, preset
from consent_ledger.standing import Standing
from consent_ledger.words import Answer, Consent, Level, Method, Reason, Source
from tests.story import HOUR, T0, Happened, at, given, staff, standing_of, texts

STOP, START = f.StopReceived(), f.StartReceived()
YES, NO, DECLINE = f.AffirmativeReceived(), f.NegativeReceived(), f.ConsentDeclined()
CONSENT = f.ConsentGranted(purposes=("conversation", "recall"))
SUPPRESSED = f.CarrierSuppressed("twilio", "21610")


def web(*purposes: str, level: Level = Level.EXPRESS) -> f.ConsentGranted:
    """Consent given on the web."""
    return f.ConsentGranted(method=Method.WEB, level=level, purposes=purposes)


def ask(*purposes: str, again: bool = False) -> f.ConsentRequested:
    """A request for consent; `again`: it re-authorises after a STOP."""
    return f.ConsentRequested(purposes, reauthorises=again)


def opened(standing: Standing) -> dict[str, str]:
    """The purposes that the contact's grants open, with their level."""
    found = {purpose: standing.strongest_grant(purpose) for purpose in preset("recalls").purposes}
    return {purpose: str(grant[0]) for purpose, grant in found.items() if grant is not None}


@pytest.mark.parametrize(
    "means",
    [STOP, f.OptedOut(Source.CONTACT), f.RevocationConfirmed(1, T0, "provider")],  # type: ignore[arg-type]
)
def test_stop_by_whatever_means_revokes(means: f.Fact) -> None:
    """R-F1, R-F6, R-F10: consent is revoked and a contact's opt-out stands."""
    standing = standing_of(at(T0 - HOUR, web("recall")), at(T0, means))
    assert standing.consent("recall") is Consent.REVOKED
    assert standing.opt_out is not None
    assert standing.opt_out[0] is Source.CONTACT


def test_start_lifts_every_opt_out_and_the_review() -> None:
    """R-F2, R-F10: it is the contact's own, latest word."""
    facts = (STOP, SUPPRESSED, f.OptedOut(Source.AGENT), f.RevocationSuspected())
    assert standing_of(*facts).do_not_text
    assert not standing_of(*facts, START).do_not_text


def test_start_leaves_purpose_blocks() -> None:
    """R-F2, R-B1: the blocked list is the staff's."""
    given(f.PurposeBlocked("recall"), STOP, START).asked("recall").answers(Reason.PURPOSE_BLOCKED)


def test_start_resumes_what_was_granted_before_and_never_widens() -> None:
    """R-F2: what was granted before the STOP counts again, and nothing else."""
    assert opened(standing_of(web("recall"), STOP, START)) == {"recall": "express"}
    assert opened(standing_of(STOP, START)) == {}
    assert opened(standing_of(START)) == {}


def test_start_does_not_resume_what_was_declined_since() -> None:
    """R-F2: a DECLINE between STOP and START stands."""
    standing = standing_of(ask("recall"), CONSENT, STOP, DECLINE, START)
    assert standing.consent("recall") is Consent.DECLINED


def test_start_does_not_resume_what_lapsed() -> None:
    """R-F2: lapsed while the STOP stood is lapsed."""
    days = {"consent_days": {"express": 1}}
    rules = amended("authorization", {"purposes": {"recall": days}})
    facts = [at(T0, web("recall")), at(T0 + HOUR, STOP), at(T0 + 30 * HOUR, START)]
    given(*facts, rules=rules).asked("recall").answers(Reason.CONSENT_REQUIRED)


def test_stop_and_start_over_and_over_keep_the_first_grant() -> None:
    """R-F2: each START resumes what its STOP suspended."""
    assert opened(standing_of(web("recall"), STOP, START, STOP, START)) == {"recall": "express"}


def test_consent_opens_what_its_request_named() -> None:
    """R-F3: and nothing that the unasked word would have opened."""
    assert opened(standing_of(ask("recall"), CONSENT)) == {"recall": "express"}


def test_a_request_with_the_disclosure_is_answered_in_writing() -> None:
    """R-F3: marketing needs `express_written`, which only a disclosed request brings."""
    disclosed = Happened(ask("marketing"), evidence=f.Evidence(disclosure_digest="d"))
    assert opened(standing_of(disclosed, YES)) == {"marketing": "express_written"}
    given(ask("marketing"), YES).asked("marketing").answers(Reason.CONSENT_REQUIRED)


def test_consent_unasked_opens_what_needs_consent_but_marketing() -> None:
    """R-F3: what the policy of its time says, frozen in the fact."""
    story = given(rules="authorization").when(texts("consent"))
    assert set(opened(story.standing)) == {"conversation", "appointment_reminder", "recall"}
    assert set(opened(given().when(texts("consent")).standing)) == {"conversation"}


def test_consent_answers_the_latest_request_answered_or_not() -> None:
    """R-F3: also one that a DECLINE, a CONSENT or other words had ended."""
    assert opened(standing_of(ask("recall"), DECLINE, CONSENT)) == {"recall": "express"}
    assert opened(standing_of(ask("recall"), ask("conversation"), CONSENT)) == {
        "conversation": "express"
    }
    ended = f.ReplyNotUnderstood(ends_request=True)
    assert opened(standing_of(ask("recall"), ended, CONSENT)) == {"recall": "express"}


def test_decline_answers_the_latest_request_and_unasked_means_everything() -> None:
    """R-F3, R-F4: DECLINE of a request leaves other consent, unasked it leaves none."""
    asked = standing_of(web("recall"), ask("conversation"), DECLINE)
    assert asked.consent("conversation") is Consent.DECLINED
    assert opened(asked) == {"recall": "express"}
    unasked = standing_of(web("recall"), DECLINE)
    assert {unasked.consent(p) for p in preset("recalls").purposes} == {Consent.DECLINED}
    lifted = standing_of(DECLINE, web("recall"))
    assert lifted.consent("recall") is Consent.GRANTED
    assert lifted.consent("marketing") is Consent.DECLINED


def test_decline_is_no_opt_out() -> None:
    """R-F4, R-M4: purposes that need no consent still go."""
    story = given(ask("conversation"), DECLINE)
    story.asked("conversation").answers(Reason.CONSENT_DECLINED, Answer.DENY)
    story.asked("appointment_reminder").answers(Reason.NO_CONSENT_NEEDED, Answer.ALLOW)
    assert story.standing.opt_out is None


def test_a_declined_request_may_be_granted_later() -> None:
    """R-F3: only the contact changes a decline, by CONSENT or on a form."""
    given(ask("conversation"), DECLINE, CONSENT).asked("conversation").answers(Reason.CONSENTED)
    given(ask("conversation"), DECLINE, web("conversation")).asked("conversation").answers(
        Reason.CONSENTED
    )


def test_consent_while_stopped_is_recorded_and_opens_nothing() -> None:
    """R-F3: neither then nor after a START."""
    assert standing_of(STOP, CONSENT).consent("recall") is Consent.REVOKED
    assert opened(standing_of(ask("recall"), STOP, CONSENT, START)) == {}


def test_consent_otherwise_than_by_text_never_lifts_an_opt_out() -> None:
    """R-F3: web, paper and voice grant, and every opt-out stays."""
    for bar in (STOP, SUPPRESSED, f.OptedOut(Source.AGENT)):
        standing = standing_of(bar, web("recall"))
        assert standing.opt_out == standing_of(bar).opt_out
    given(STOP, web("recall")).asked("recall").answers(Reason.OPTED_OUT_BY_CONTACT)


def test_consent_told_by_the_sender_is_not_taken_for_the_contacts_text() -> None:
    """R-F3: or it would answer a request, and re-authorise after a STOP."""
    told = GiveConsent(staff(), ("recall",), Level.EXPRESS, Method.SMS)
    story = given(STOP, ask("recall", again=True), rules="authorization").when(told)
    story.refused("consent-by-text-not-told")


def test_re_authorisation_lifts_the_contacts_opt_out_alone() -> None:
    """R-F3, R-L5: the carrier's and the agent's stand, and so does a review."""
    stands = (SUPPRESSED, f.OptedOut(Source.AGENT), f.RevocationSuspected())
    standing = standing_of(STOP, *stands, ask("recall", again=True), CONSENT)
    assert standing.contact is None
    assert standing.system is not None
    assert standing.agent is not None
    assert standing.reviews != {}


def test_re_authorisation_opens_only_what_it_named() -> None:
    """R-F3: older grants stay revoked, one that a form brought in between included."""
    before = (web("marketing", "conversation"), STOP, web("appointment_reminder"))
    after = (*before, ask("recall", again=True), CONSENT)
    assert opened(standing_of(*after)) == {"recall": "express"}
    assert opened(standing_of(*after, START)) == {"recall": "express"}
    assert opened(standing_of(*after, STOP, START)) == {"recall": "express"}
    assert opened(standing_of(*after, web("conversation"))) == {
        "recall": "express",
        "conversation": "express",
    }


def test_a_request_before_the_stop_re_authorises_nothing() -> None:
    """R-F3, R-F9: it has to be sent after that STOP, and say what it is."""
    assert standing_of(ask("recall", again=True), STOP, CONSENT).contact is not None
    assert standing_of(STOP, ask("recall"), CONSENT).contact is not None
    assert standing_of(STOP, ask("recall"), YES).contact is None, "YES alone reads as START"


def test_a_void_request_is_not_the_one_that_consent_answers() -> None:
    """R-F9: a request that is no re-authorisation is void where a STOP stands at its time."""
    facts = [at(T0, ask("recall")), at(T0 + 2 * HOUR, ask("conversation")), at(T0 + HOUR, STOP)]
    standing = standing_of(*facts)
    assert not standing.pending
    later = [at(T0 + 3 * HOUR, START), at(T0 + 4 * HOUR, CONSENT)]
    assert opened(standing_of(*facts, *later)) == {"recall": "express"}


@pytest.mark.parametrize(
    ("facts", "consent", "opted_out"),
    [
        ((), Consent.NONE, False),
        ((ask("recall"),), Consent.GRANTED, False),
        ((ask("recall"), YES), Consent.GRANTED, False),
        ((STOP,), Consent.NONE, False),
        ((SUPPRESSED,), Consent.NONE, False),
        ((f.OptedOut(Source.AGENT),), Consent.NONE, True),
        ((ask("recall"), SUPPRESSED), Consent.GRANTED, True),
        ((ask("recall"), STOP), Consent.NONE, False),
        ((STOP, ask("recall", again=True)), Consent.GRANTED, False),
        ((STOP, SUPPRESSED, ask("recall", again=True)), Consent.GRANTED, True),
    ],
)
def test_yes_is_read_at_its_place(
    facts: tuple[f.Fact, ...], consent: Consent, opted_out: bool
) -> None:
    """R-K2: consent while a request waits, START while contact or carrier bars, else nothing."""
    standing = standing_of(*facts, YES)
    assert standing.consent("recall") is consent
    assert (standing.opt_out is not None) is opted_out


def test_yes_to_a_review_means_nothing() -> None:
    """R-K2: words under review are no opt-out yet, so YES is no START."""
    assert standing_of(f.RevocationSuspected(), YES).do_not_text


def test_no_declines_while_a_request_waits_and_else_means_nothing() -> None:
    """R-K2: and a NO after the answer does not take it back."""
    assert standing_of(ask("recall"), NO).consent("recall") is Consent.DECLINED
    assert standing_of(NO).consent("recall") is Consent.NONE
    assert standing_of(ask("recall"), YES, NO).consent("recall") is Consent.GRANTED
    assert standing_of(ask("recall"), STOP, NO, START).consent("recall") is Consent.NONE


def test_consent_is_separate_for_each_number_and_the_same_for_all_places() -> None:
    """R-M2, R-M6: a grant knows no location or sending number."""
    grant = Happened(CONSENT, location_id="north")
    given(grant).asked("conversation").answers(Reason.CONSENTED)
    given().asked("conversation").answers(Reason.CONSENT_REQUIRED)
