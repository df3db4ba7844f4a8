"""Requests for consent: R-F9, R-L2 to R-L5, R-M1."""

import pytest
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import User
from consent_ledger.commands import AskMessage, RequestConsent
from consent_ledger.decision import Question
from consent_ledger.policy import amended, preset
from consent_ledger.words import Method, Permission, Reason, Source
from tests.story import (
    DAY,
    MINUTE,
    T0,
    Happened,
    Story,
    account,
    at,
    given,
    instant,
    staff,
    standing_of,
    texts,
)

STOP, START = f.StopReceived(), f.StartReceived()
CONSENT, DECLINE = f.ConsentGranted(), f.ConsentDeclined()
SUPPRESSED = f.CarrierSuppressed("twilio", "21610")
LEGAL = account("authorization", users={"jo": User(Permission.ALLOW)})
REFUSED = "consent-request-refused"


def request(*purposes: str, by: str | None = "jo", moment: int | None = None) -> RequestConsent:
    """A request by hand."""
    return RequestConsent(staff(moment), purposes, sent_by=by)


def text(name: str, purpose: str = "conversation") -> AskMessage:
    """A text that a sender asks about."""
    return AskMessage(staff(), name, Question(purpose))


def ask(*purposes: str, again: bool = False) -> f.ConsentRequested:
    """A request as it was recorded."""
    return f.ConsentRequested(purposes, reauthorises=again)


def failed(request_version: int, about: int) -> Happened:
    """The report that a request did not arrive."""
    fact = f.DeliveryReported("x", "1", "transient", 3, about_at=about, request=request_version)
    return Happened(fact)


def test_the_first_text_brings_a_request_and_the_second_none() -> None:
    """R-M1: an automatic request names the text's purpose."""
    story = given().when(text("a"))
    story.then(f.MessageDeferred, f.ConsentRequested(("conversation",), automatic=True))
    assert story.answered is not None
    assert story.answered.decision is not None
    assert story.answered.decision.reason is Reason.CONSENT_REQUIRED
    assert story.answered.text is not None
    assert "Dr Who" in story.answered.text
    story.when(text("b")).then(f.MessageDeferred)
    assert story.answered.request is None


def test_a_request_that_names_marketing_carries_the_disclosure() -> None:
    """R-F3: its digest is the evidence of what was shown."""
    plain = given().when(text("a")).new[1].context.evidence
    offers = given().when(text("a", "marketing")).new[1].context.evidence
    assert plain is not None
    assert plain.disclosure_digest is None
    assert offers is not None
    assert offers.disclosure_digest == offers.template_version


def test_no_request_goes_where_the_policy_denies() -> None:
    """Section 7, `authorization`: requests by hand only."""
    given(whose=LEGAL).when(text("a")).then(f.MessageRefused)


def test_a_request_by_hand_names_what_needs_consent_but_marketing() -> None:
    """R-F3: none named means every purpose that needs consent, marketing apart."""
    three = ("conversation", "appointment_reminder", "recall")
    given(whose=LEGAL).when(request()).then(ask(*three))
    given().when(request()).then(ask("conversation"))
    given(rules="opt-out").when(request()).refused(REFUSED, Reason.NO_CONSENT_NEEDED)


@pytest.mark.parametrize(
    ("bars", "reason"),
    [
        ([STOP], Reason.OPTED_OUT_BY_CONTACT),
        ([SUPPRESSED], Reason.OPTED_OUT_BY_SYSTEM),
        ([f.OptedOut(Source.AGENT)], Reason.OPTED_OUT_BY_AGENT),
        ([f.RevocationSuspected()], Reason.REVOCATION_UNDER_REVIEW),
        ([f.PurposeBlocked("conversation")], Reason.PURPOSE_BLOCKED),
    ],
)
def test_a_request_is_a_text_too(bars: list[f.Fact], reason: Reason) -> None:
    """R-F9: rows 1 to 8 bar it."""
    given(*bars).when(request()).refused(REFUSED, reason)
    other = given().beside(standing_of(STOP)).when(request())
    other.refused(REFUSED, Reason.OPTED_OUT_ON_OTHER_NUMBER)


def test_who_opted_out_is_never_told_to_need_no_consent() -> None:
    """R-F9: rows 1 to 8 come before the question what would be asked for."""
    given(rules="recalls").when(request()).refused(REFUSED, Reason.NO_CONSENT_NEEDED)
    given(STOP, rules="recalls").when(request()).refused(REFUSED, Reason.OPTED_OUT_BY_CONTACT)


def test_a_request_keeps_to_users_places_and_hours() -> None:
    """R-F9, R-L2: rows 1, 2 and 14 bar it, and an automatic one waits for better hours."""
    given(rules="authorization").when(request()).refused(REFUSED, Reason.SENDER_NOT_PERMITTED)
    gone = RequestConsent(staff(), location="gone")
    given().when(gone).refused(REFUSED, Reason.SENDING_NUMBER_NOT_ALLOWED)
    hours: dict[str, object] = {
        "purposes": {"conversation": {"hours": {"start": 20}}},
        "time_zone": "UTC",
    }
    late = amended("consent-first", hours)
    given(rules=late).when(request()).refused(REFUSED, Reason.QUIET_HOURS)
    given(rules=late).when(text("a")).then(f.MessageDeferred)


def test_no_request_where_consent_was_given() -> None:
    """R-F9, R-L3: refused if consent is granted, for all that it would name."""
    granted = f.ConsentGranted(method=Method.WEB, purposes=("conversation",))
    given(granted).when(request()).refused(REFUSED, Reason.CONSENTED)
    given(granted).when(request("conversation", "marketing")).then(f.ConsentRequested)


def test_no_second_request_while_one_waits() -> None:
    """R-F9: to be repeated by hand after 7 days, or after a failed delivery."""
    story = given(at(T0, ask("conversation")))
    story.when(request(), at=T0 + 7 * DAY - 1).refused(REFUSED, Reason.CONSENT_PENDING)
    given(at(T0, ask("conversation"))).when(request(), at=T0 + 7 * DAY).then(f.ConsentRequested)
    repeated = given(at(T0, ask("conversation")), failed(1, T0)).when(request(), at=T0 + DAY)
    repeated.then(f.ConsentRequested)


def test_a_request_that_outlived_the_policy_waits_no_longer() -> None:
    """R-L3: by hand or with a text, a new one may go."""
    rules = replace(preset("consent-first"), request_expires_days=3)
    old = at(T0, ask("conversation"))
    given(old, rules=rules).when(request(), at=T0 + 3 * DAY).then(f.ConsentRequested)
    both = given(old, rules=rules).when(text("a"), at=T0 + 3 * DAY)
    both.then(f.MessageDeferred, f.ConsentRequested)


def test_at_most_two_requests_in_thirty_days() -> None:
    """R-F9: by hand and automatic ones, void ones too, as each was a text to the contact."""
    ended = f.ReplyNotUnderstood(ends_request=True)
    two = (at(T0, ask("conversation")), ended, at(T0 + 8 * DAY, ask("conversation")), ended)
    story = given(*two)
    story.when(request(), at=T0 + 30 * DAY - 1).refused(REFUSED, "request_limit_reached")
    given(*two).when(text("a"), at=T0 + 9 * DAY).then(f.MessageDeferred)
    given(*two).when(request(), at=T0 + 30 * DAY).then(f.ConsentRequested)
    void = (at(T0, STOP), at(T0 + 1, ask("conversation")), at(T0 + 2, ask("conversation")), START)
    given(*void).when(request(), at=T0 + DAY).refused(REFUSED, "request_limit_reached")


def test_the_limit_cannot_be_passed_by_naming_an_earlier_day() -> None:
    """R-F9: a request with a time of its own is counted with the later ones too."""
    two = [at(instant(days=day), ask("conversation")) for day in (20, 28)]
    ended = at(instant(days=29), f.ReplyNotUnderstood(ends_request=True))
    backdated = request(moment=instant(days=10))
    story = given(*two, ended).when(backdated, at=instant(days=55))
    story.refused(REFUSED, "request_limit_reached")


def test_a_reply_that_does_not_authorise_ends_the_request() -> None:
    """R-L3: `authorization` takes other words for a no; a new request may be sent."""
    story = given(whose=LEGAL).when(request("conversation"))
    story.asked("conversation").answers(Reason.CONSENT_PENDING)
    story.when(texts("other"))
    assert not story.standing.pending
    story.asked("conversation").answers(Reason.CONSENT_REQUIRED)
    assert story.asked("conversation").decision.status_label == "Not Authorized"
    story.when(request("conversation")).then(f.ConsentRequested)


def test_other_words_leave_the_request_elsewhere() -> None:
    """Section 7, `consent-first`: ask again, the request waits on; HELP never ends one."""
    assert given(ask("conversation")).when(texts("other")).standing.pending
    assert given(ask("conversation"), whose=LEGAL).when(texts("help")).standing.pending


def test_after_a_decline_no_request_under_authorization() -> None:
    """R-L3: in that preset none, elsewhere one may."""
    for no in (DECLINE, f.NegativeReceived()):
        declined = given(ask("conversation"), no, whose=LEGAL)
        declined.when(request("conversation")).refused(REFUSED, Reason.CONSENT_DECLINED)
    given(ask("conversation"), DECLINE).when(request()).then(f.ConsentRequested)


def test_a_stopped_number_may_be_asked_once_to_re_authorise() -> None:
    """R-L5: by a named user; the contact's yes re-authorises."""
    story = given(ask("conversation"), CONSENT, STOP, whose=LEGAL)
    story.when(request("conversation")).then(ask("conversation", again=True))
    assert story.asked("conversation").decision.status_label == "Pending Authorization"
    story.asked("conversation").answers(Reason.OPTED_OUT_BY_CONTACT)
    story.when(texts("yes")).asked("conversation").answers(Reason.CONSENTED)


def test_re_authorisation_is_once_per_stop() -> None:
    """R-L5: neither other words, nor days, nor a no-op STOP allow another; a new STOP does."""
    asked = (STOP, ask("conversation", again=True))
    for more in ((), (f.ReplyNotUnderstood(ends_request=True),), (STOP,)):
        story = given(*asked, *more, whose=LEGAL)
        story.when(request(), at=instant(days=90)).refused(REFUSED, "reauthorisation_used")
    given(*asked, START, STOP, whose=LEGAL).when(request()).then(f.ConsentRequested)


def test_a_re_authorisation_that_could_open_nothing_is_not_sent() -> None:
    """R-L5 with R-O2: within the margin of clocks its yes would count for nothing."""
    stop = at(T0, STOP)  # By the provider's clock; the request goes by the ledger's.
    soon = given(stop, whose=LEGAL).when(request(), at=T0 + 4 * MINUTE)
    soon.refused(REFUSED, "reauthorisation_too_early")
    later = given(stop, whose=LEGAL).when(request(), at=T0 + 5 * MINUTE)
    later.then(f.ConsentRequested).when(texts("yes"))
    assert later.standing.contact is None


def test_an_answer_after_the_expiry_is_no_answer_to_the_request() -> None:
    """R-L3: YES and NO mean nothing then, whatever the policy of today says; CONSENT still does."""
    asked = f.ConsentRequested(("conversation",), expires_at=T0 + DAY)
    for word, before, after in (("yes", "granted", "requested"), ("no", "declined", "requested")):
        for moment, consent in ((T0 + DAY - 1, before), (T0 + DAY, after)):
            story = given(at(T0, asked)).when(texts(word, moment), at=T0 + 2 * DAY)
            assert story.standing.consent("conversation") == consent, (word, moment)
    story = given(at(T0, asked)).when(texts("consent"), at=T0 + 2 * DAY)
    assert story.standing.consent("conversation") == "granted"


def test_a_re_authorising_request_that_never_arrived_may_be_repeated() -> None:
    """R-L5, R-F9: the contact has not been asked yet."""
    facts = (STOP, at(T0 + DAY, ask("recall", again=True)), failed(2, T0 + DAY))
    given(*facts, whose=LEGAL).when(request("recall")).then(ask("recall", again=True))


@pytest.mark.parametrize(
    ("story", "by", "reason"),
    [
        (given(STOP, whose=LEGAL), None, Reason.OPTED_OUT_BY_CONTACT),
        (given(STOP, SUPPRESSED, whose=LEGAL), "jo", Reason.OPTED_OUT_BY_CONTACT),
        (given(STOP, f.OptedOut(Source.AGENT), whose=LEGAL), "jo", Reason.OPTED_OUT_BY_AGENT),
        (given(STOP, f.RevocationSuspected(), whose=LEGAL), "jo", Reason.REVOCATION_UNDER_REVIEW),
        (given(STOP), "jo", Reason.OPTED_OUT_BY_CONTACT),
        (given(STOP, rules="recalls"), "jo", None),
    ],
)
def test_when_no_re_authorising_request_may_go(
    story: Story, by: str | None, reason: Reason | None
) -> None:
    """R-L5: nobody named, the carrier bars too, the agent bars, or the policy has it off."""
    story.when(request(by=by)).refused(REFUSED, reason)


def test_consent_on_a_form_after_the_stop_does_not_bar_re_authorisation() -> None:
    """R-L5: such a grant opens nothing while the STOP stands, so there is need to ask."""
    form = f.ConsentGranted(method=Method.WEB, purposes=("recall",))
    given(STOP, form, whose=LEGAL).when(request("recall")).then(ask("recall", again=True))
