"""What the rows of the table ask in detail: places, users, systems of record, levels, hours."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import SendingNumber, User
from consent_ledger.decision import Question, decide
from consent_ledger.policy import Policy, amended, preset
from consent_ledger.standing import Standing
from consent_ledger.words import (
    Answer,
    Consent,
    Level,
    Method,
    Permission,
    Preference,
    Reason,
    Source,
)
from tests.story import DAY, OTHER_NUMBER, T0, account, at, given, instant, standing_of

EXPRESS = f.ConsentGranted(method=Method.WEB, purposes=("marketing", "recall"))
WRITTEN = f.ConsentGranted(
    method=Method.WEB, level=Level.EXPRESS_WRITTEN, purposes=("marketing", "recall")
)
LINE = UUID(int=77)


def says(value: Preference, system: str = "pms") -> f.MarketingPreferenceRecorded:
    """What a system of record says."""
    return f.MarketingPreferenceRecorded(system, value)


NOT_CONSENTED = says(Preference.NOT_CONSENTED)


@pytest.mark.parametrize(
    ("own", "groups", "permitted"),
    [
        (Permission.ALLOW, (Permission.DENY,), True),
        (Permission.DENY, (Permission.ALLOW,), False),
        (Permission.INHERIT, (Permission.ALLOW, Permission.DENY), False),
        (Permission.INHERIT, (Permission.ALLOW, Permission.INHERIT), True),
        (Permission.INHERIT, (), False),
    ],
)
def test_user_before_group_and_deny_wins_among_groups(
    own: Permission, groups: tuple[Permission, ...], permitted: bool
) -> None:
    """R-L2: the user's own word, then the groups', then the account's default."""
    named = {f"g{i}": each for i, each in enumerate(groups)}
    whose = account("authorization", users={"jo": User(own, tuple(named))}, groups=named)
    decision = decide(Standing(), Question("recall", sent_by="jo"), whose, instant())
    assert (decision.reason is not Reason.SENDER_NOT_PERMITTED) is permitted


def test_users_not_named_may_text_but_under_authorization() -> None:
    """R-L2: section 7's column 'users not named'."""
    question = Question("recall", sent_by="stranger")
    given(rules="recalls").asked(question).answers(Reason.NO_CONSENT_NEEDED)
    given(rules="authorization").asked(question).answers(Reason.SENDER_NOT_PERMITTED)


def test_nobody_named_by_hand_is_no_permitted_user() -> None:
    """R-L2: a manual text without `sent_by` goes only where users not named may text."""
    granted = replace(WRITTEN, purposes=("recall",))
    unnamed = Question("recall", manual=True)
    given(granted, rules="authorization").asked(unnamed).answers(Reason.SENDER_NOT_PERMITTED)
    given(granted, rules="recalls").asked(unnamed).answers(Reason.NO_CONSENT_NEEDED)
    given(granted, rules="authorization").asked("recall").answers(Reason.CONSENTED)


@pytest.mark.parametrize(
    ("location", "line", "purpose", "served"),
    [
        ("north", None, "conversation", True),
        ("north", None, "appointment_reminder", False),
        ("north", LINE, "conversation", True),
        ("south", LINE, "conversation", False),
        (None, LINE, "conversation", True),
        (None, UUID(int=5), "conversation", False),
        ("gone", None, "conversation", False),
        (None, None, "appointment_reminder", True),
    ],
)
def test_the_place_has_to_serve_the_purpose(
    location: str | None, line: UUID | None, purpose: str, served: bool
) -> None:
    """R-M10: a location that is gone, or none of whose numbers serves the purpose, is refused."""
    whose = account(
        "opt-out",
        locations={"north": "North", "south": "South"},
        sending_numbers={str(LINE): SendingNumber("north", ("conversation",))},
    )
    decision = decide(Standing(), Question(purpose, location, line), whose, instant())
    assert (decision.reason is not Reason.SENDING_NUMBER_NOT_ALLOWED) is served


def test_a_stop_on_another_number_of_the_contact_counts_under_consent_first_alone() -> None:
    """R-M5, R-M2: row 4 asks for STOP, not for any other opt-out, and for that preset."""
    stopped = standing_of(f.StopReceived())
    suppressed = standing_of(f.CarrierSuppressed("twilio", "21610"))
    named = Question("recall", contacts=((OTHER_NUMBER, suppressed), (OTHER_NUMBER, stopped)))
    found = given().asked(named).answers(Reason.OPTED_OUT_ON_OTHER_NUMBER, Answer.DENY).decision
    assert [mark.number_id for mark in found.evidence] == [OTHER_NUMBER]
    given(rules="recalls").asked(named).answers(Reason.NO_CONSENT_NEEDED)


def test_the_opt_out_shown_is_the_hardest_to_lift() -> None:
    """Section 1: contact before system before agent, whatever came first."""
    story = given(f.OptedOut(Source.AGENT), f.CarrierSuppressed("twilio", "21610"))
    assert story.asked("recall").decision.opt_out_source is Source.SYSTEM
    assert story.given(f.StopReceived()).asked("recall").decision.opt_out_source is Source.CONTACT


def test_not_consented_bars_marketing_until_the_contact_grants_later() -> None:
    """Row 9: only a grant of this purpose that covers it and is later lifts the bar."""
    given(WRITTEN, NOT_CONSENTED).asked("marketing").answers(
        Reason.MARKETING_NOT_CONSENTED, Answer.DENY
    )
    given(NOT_CONSENTED, EXPRESS).asked("marketing").answers(Reason.MARKETING_NOT_CONSENTED)
    given(NOT_CONSENTED, WRITTEN).asked("marketing").answers(Reason.CONSENTED)
    given(at(T0, NOT_CONSENTED), at(T0, WRITTEN)).asked("marketing").answers(
        Reason.MARKETING_NOT_CONSENTED
    )


def test_a_weaker_grant_that_is_later_lifts_the_bar_too() -> None:
    """Row 13: 'unless the contact granted later' asks when, not how firmly."""
    firm = replace(WRITTEN, purposes=("conversation",))
    weak = replace(EXPRESS, purposes=("conversation",))
    asked = Question("conversation", manual=True)
    given(firm, NOT_CONSENTED).asked(asked).answers(
        Reason.MARKETING_NOT_CONSENTED_NOTICE, Answer.CONFIRM
    )
    given(firm, NOT_CONSENTED, weak).asked(asked).answers(Reason.CONSENTED, Answer.ALLOW)


def test_a_grant_of_one_marketing_purpose_does_not_open_another() -> None:
    """Row 9: 'not consented' is about all marketing; a later grant counts for what it named."""
    rules = amended("opt-out", {"purposes": {"offers": {"marketing": True}}})
    offers = replace(WRITTEN, purposes=("offers",))
    story = given(NOT_CONSENTED, offers, rules=rules)
    story.asked("offers").answers(Reason.CONSENTED)
    story.asked("marketing").answers(Reason.MARKETING_NOT_CONSENTED)


def test_of_several_systems_of_record_the_strictest_counts() -> None:
    """Section 2: the latest word of each system, and of several systems the strictest."""
    story = given(says(Preference.NOT_CONSENTED, "a"), says(Preference.CONSENTED, "b"))
    story.asked("marketing").answers(Reason.MARKETING_NOT_CONSENTED)
    story.given(says(Preference.UNREADABLE, "a"))
    story.asked("marketing").answers(Reason.CONSENT_REQUIRED)
    story.given(says(Preference.CONSENTED, "a")).asked("marketing").answers(Reason.CONSENTED)


def test_consented_in_the_system_of_record_ends_the_wait_for_marketing_alone() -> None:
    """Rows 11 and 12: it counts as given for marketing, and for nothing else."""
    story = given(f.ConsentRequested(("marketing", "conversation")))
    story.asked("marketing").answers(Reason.CONSENT_PENDING, Answer.DEFER)
    story.given(says(Preference.CONSENTED))
    story.asked("marketing").answers(Reason.CONSENTED)
    story.asked("conversation").answers(Reason.CONSENT_PENDING)


def test_a_decline_outranks_what_a_system_of_record_says() -> None:
    """Row 10 comes before row 12: the contact's own word is stronger."""
    given(f.ConsentDeclined(), says(Preference.CONSENTED)).asked("marketing").answers(
        Reason.CONSENT_DECLINED, Answer.DENY
    )


def test_a_notice_is_for_the_person_sending_another_purpose() -> None:
    """R-B2: manual and not yet confirmed asks; automated, or confirmed, sends."""
    story = given(NOT_CONSENTED, rules="recalls")
    story.asked(Question("recall", manual=True)).answers(
        Reason.MARKETING_NOT_CONSENTED_NOTICE, Answer.CONFIRM
    )
    story.asked("recall").answers(Reason.NO_CONSENT_NEEDED, Answer.ALLOW)
    confirmed = Question("recall", manual=True, confirmed=True)
    story.asked(confirmed).answers(Reason.NO_CONSENT_NEEDED, Answer.ALLOW)
    story.given(replace(WRITTEN, purposes=("recall",)))
    story.asked(Question("recall", manual=True)).answers(Reason.NO_CONSENT_NEEDED)


def test_an_unreadable_preference_is_shown_and_never_blocks() -> None:
    """R-B3: `confirm` by hand, `allow` automated; a grant does not make it readable."""
    story = given(says(Preference.UNREADABLE), WRITTEN, rules="recalls")
    by_hand = Question("recall", manual=True)
    story.asked(by_hand).answers(Reason.PREFERENCE_UNREADABLE_NOTICE, Answer.CONFIRM)
    story.asked("recall").answers(Reason.NO_CONSENT_NEEDED, Answer.ALLOW)
    overridden = given(says(Preference.NOT_CONSENTED, "a"), says(Preference.UNREADABLE), WRITTEN)
    overridden.asked(by_hand).answers(Reason.PREFERENCE_UNREADABLE_NOTICE)


def test_marketing_needs_consent_in_writing() -> None:
    """R-F3: `express` does not cover marketing, `express_written` does."""
    given(EXPRESS).asked("marketing").answers(Reason.CONSENT_REQUIRED, Answer.DEFER)
    given(WRITTEN).asked("marketing").answers(Reason.CONSENTED, Answer.ALLOW)
    assert given(EXPRESS).asked("marketing").decision.consent is Consent.NONE


def test_consent_lapses_after_the_days_of_its_level() -> None:
    """Row 12, section 8: implied consent of two years lapses, express consent does not."""
    days = {"implied": 730}
    rules = amended("authorization", {"purposes": {"recall": {"consent_days": days}}})
    implied = f.ConsentGranted(method=Method.IMPORT, level=Level.IMPLIED, purposes=("recall",))
    story = given(at(T0, implied), rules=rules)
    story.asked("recall", at=T0 + 730 * DAY - 1).answers(Reason.CONSENTED)
    lapsed = story.asked("recall", at=T0 + 730 * DAY)
    lapsed.answers(Reason.CONSENT_REQUIRED, Answer.DENY)
    assert (lapsed.decision.consent, lapsed.decision.status_label) == ("none", "Not Authorized")
    given(at(T0, EXPRESS), rules=rules).asked("recall", at=T0 + 900 * DAY).answers(Reason.CONSENTED)


def test_the_status_shown_is_the_first_that_holds() -> None:
    """R-L1: Authorized, Pending Authorization, Revoked, Not Authorized; for the purpose asked."""
    ask, again = f.ConsentRequested(("recall",)), f.ConsentRequested(("recall",), reauthorises=True)
    grant = f.ConsentGranted()

    def label(*facts: f.Fact, purpose: str = "recall") -> str:
        return given(*facts, rules="authorization").asked(purpose).decision.status_label

    assert label() == "Not Authorized"
    assert label(ask) == "Pending Authorization"
    assert label(ask, purpose="conversation") == "Not Authorized"
    assert label(ask, grant) == "Authorized"
    assert label(ask, grant, f.OptedOut(Source.AGENT)) == "Not Authorized"
    assert label(ask, grant, f.StopReceived()) == "Revoked"
    assert label(ask, grant, f.StopReceived(), again) == "Pending Authorization"
    assert label(ask, f.ConsentDeclined()) == "Not Authorized"


def test_a_request_that_outlived_the_policy_is_no_longer_waiting() -> None:
    """R-L3: pending until the policy's expiry, in the answer, the consent and the status alike."""
    rules: Policy = replace(preset("authorization"), request_expires_days=10)
    story = given(at(T0, f.ConsentRequested(("recall",))), rules=rules)
    story.asked("recall", at=T0 + 10 * DAY - 1).answers(Reason.CONSENT_PENDING, Answer.DEFER)
    over = story.asked("recall", at=T0 + 10 * DAY).answers(Reason.CONSENT_REQUIRED).decision
    assert (over.consent, over.status_label) == (Consent.NONE, "Not Authorized")
