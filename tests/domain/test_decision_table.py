"""The table of rulebook section 3: every reason, in its order, and the first row that matches."""

from typing import Final

import pytest
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import Account, User
from consent_ledger.decision import Question, decide, unreadable
from consent_ledger.policy import Hours, Policy, preset
from consent_ledger.standing import Standing
from consent_ledger.words import (
    EXPLANATIONS,
    LIFTED_BY,
    Answer,
    Level,
    LiftedBy,
    Method,
    Permission,
    Preference,
    Reason,
    Source,
)
from tests.story import OTHER_NUMBER, account, instant, standing_of

PRESETS: Final = ("consent-first", "opt-out", "recalls", "authorization")
STRANGER: Final = User(Permission.DENY)
STOPPED: Final = standing_of(f.StopReceived())
NOT_CONSENTED: Final = f.MarketingPreferenceRecorded("pms", Preference.NOT_CONSENTED)
UNREADABLE: Final = f.MarketingPreferenceRecorded("pms", Preference.UNREADABLE)
CONSENTED: Final = f.MarketingPreferenceRecorded("pms", Preference.CONSENTED)
EVENING: Final = Hours(20, 21)


def _late(purpose: str) -> Policy:
    """Consent-first with one purpose that may go late in the evening only."""
    base = preset("consent-first")
    rule = replace(base.purposes[purpose], hours=EVENING)
    return replace(base, purposes={**base.purposes, purpose: rule}, time_zone="UTC")


MARKETING: Final = account(_late("marketing"), users={"eve": STRANGER})
RECALL: Final = account(_late("recall"))

# What bars a marketing text, the rulebook's rows 1 to 12 from the top; each is removed in turn.
BARS: Final[list[tuple[Reason, Answer, Source | None]]] = [
    (Reason.SENDER_NOT_PERMITTED, Answer.DENY, None),
    (Reason.SENDING_NUMBER_NOT_ALLOWED, Answer.DENY, None),
    (Reason.OPTED_OUT_BY_CONTACT, Answer.DENY, Source.CONTACT),
    (Reason.OPTED_OUT_ON_OTHER_NUMBER, Answer.DENY, Source.CONTACT),
    (Reason.OPTED_OUT_BY_SYSTEM, Answer.DENY, Source.SYSTEM),
    (Reason.OPTED_OUT_BY_AGENT, Answer.DENY, Source.AGENT),
    (Reason.REVOCATION_UNDER_REVIEW, Answer.DENY, Source.CONTACT),
    (Reason.PURPOSE_BLOCKED, Answer.DENY, Source.AGENT),
    (Reason.MARKETING_NOT_CONSENTED, Answer.DENY, None),
    (Reason.CONSENT_DECLINED, Answer.DENY, Source.CONTACT),
    (Reason.CONSENT_PENDING, Answer.DEFER, None),
    (Reason.CONSENT_REQUIRED, Answer.DEFER, None),
]
BARRING: Final[dict[Reason, f.Fact]] = {
    Reason.OPTED_OUT_BY_CONTACT: f.StopReceived(),
    Reason.OPTED_OUT_BY_SYSTEM: f.CarrierSuppressed("twilio", "21610"),
    Reason.OPTED_OUT_BY_AGENT: f.OptedOut(Source.AGENT),
    Reason.REVOCATION_UNDER_REVIEW: f.RevocationSuspected(),
    Reason.PURPOSE_BLOCKED: f.PurposeBlocked("marketing"),
    Reason.MARKETING_NOT_CONSENTED: NOT_CONSENTED,
}


def _barred_from(first: int) -> tuple[Standing, Question]:
    """A number and a question that every row from this one on would bar."""
    reasons = [reason for reason, _, _ in BARS[first:]]
    facts = [BARRING[reason] for reason in reasons if reason in BARRING]
    if Reason.CONSENT_DECLINED in reasons:
        facts.append(f.ConsentDeclined())
    if Reason.CONSENT_PENDING in reasons:
        # After a STOP only a re-authorising request can wait.
        stopped = Reason.OPTED_OUT_BY_CONTACT in reasons
        facts.append(f.ConsentRequested(("marketing",), reauthorises=stopped))
    question = Question(
        "marketing",
        location="gone" if Reason.SENDING_NUMBER_NOT_ALLOWED in reasons else None,
        sent_by="eve" if Reason.SENDER_NOT_PERMITTED in reasons else None,
        contacts=((OTHER_NUMBER, STOPPED),) if Reason.OPTED_OUT_ON_OTHER_NUMBER in reasons else (),
    )
    return standing_of(*facts), question


@pytest.mark.parametrize("row", range(len(BARS)), ids=lambda row: str(BARS[row][0]))
def test_the_first_row_that_matches_decides(row: int) -> None:
    """Rows 1 to 12 and 14: with all rows from one on matching, that one gives the answer."""
    reason, answer, source = BARS[row]
    standing, question = _barred_from(row)
    decision = decide(standing, question, MARKETING, instant(days=1))
    assert (decision.reason, decision.answer, decision.source) == (reason, answer, source)


BY_HAND: Final = Question("recall", manual=True)
OFFER: Final = Question("marketing")
REMINDER: Final = Question("appointment_reminder")
ALLOWED: Final = [
    (RECALL, BY_HAND, [NOT_CONSENTED], Reason.MARKETING_NOT_CONSENTED_NOTICE, Answer.CONFIRM),
    (RECALL, BY_HAND, [UNREADABLE], Reason.PREFERENCE_UNREADABLE_NOTICE, Answer.CONFIRM),
    (RECALL, BY_HAND, [], Reason.QUIET_HOURS, Answer.DEFER),
    (MARKETING, OFFER, [CONSENTED], Reason.QUIET_HOURS, Answer.DEFER),
    (account(), OFFER, [CONSENTED], Reason.CONSENTED, Answer.ALLOW),
    (account(), BY_HAND, [CONSENTED], Reason.NO_CONSENT_NEEDED, Answer.ALLOW),
    (account("opt-out"), OFFER, [], Reason.PRESUMED_BY_POLICY, Answer.ALLOW),
    (account("authorization"), REMINDER, [], Reason.CONSENT_REQUIRED, Answer.DENY),
]


@pytest.mark.parametrize(("whose", "question", "facts", "reason", "answer"), ALLOWED)
def test_the_lower_rows_in_their_order(
    whose: Account, question: Question, facts: list[f.Fact], reason: Reason, answer: Answer
) -> None:
    """Rows 12 to 15: a notice goes before quiet hours, quiet hours before a yes."""
    decision = decide(standing_of(*facts), question, whose, instant(days=1))
    assert (decision.reason, decision.answer) == (reason, answer)


def test_every_reason_is_produced_by_some_row() -> None:
    """The tables above leave no reason of the vocabulary out but the record that is unreadable."""
    produced = {reason for reason, _, _ in BARS} | {reason for *_, reason, _ in ALLOWED}
    assert produced | {Reason.RECORD_UNREADABLE} == set(Reason)


def test_what_cannot_be_read_is_denied() -> None:
    """An event that cannot be read is a deny, and shows the number as one not to text."""
    decision = unreadable("recall", 3)
    assert (decision.reason, decision.answer) == (Reason.RECORD_UNREADABLE, Answer.DENY)
    assert decision.do_not_text
    assert not decision.may_text


def test_only_allow_means_yes() -> None:
    """`may_text` is true for `allow` alone, and reasons of an allow have nobody to lift them."""
    yes = {Reason.CONSENTED, Reason.NO_CONSENT_NEEDED, Reason.PRESUMED_BY_POLICY}
    assert {reason for reason in Reason if LIFTED_BY[reason] is None} == yes


def test_every_reason_has_a_sentence() -> None:
    """A decision names a plain sentence for its reason."""
    assert set(EXPLANATIONS) == set(Reason)
    assert all(sentence.endswith(".") for sentence in EXPLANATIONS.values())


def test_who_can_lift_each_row() -> None:
    """The last column of the table, row by row."""
    lifted = [LIFTED_BY[reason] for reason, _, _ in BARS]
    assert lifted == [
        LiftedBy.ADMIN,
        LiftedBy.ADMIN,
        LiftedBy.CONTACT_START,
        LiftedBy.CONTACT_START,
        LiftedBy.CONTACT_START,
        LiftedBy.ADMIN,
        LiftedBy.ADMIN,
        LiftedBy.AGENT,
        LiftedBy.SYSTEM_OF_RECORD,
        LiftedBy.CONTACT_REPLY,
        LiftedBy.CONTACT_REPLY,
        LiftedBy.CONSENT_REQUEST,
    ]


PRESET_TABLE: Final = {
    ("consent-first", "conversation"): Reason.CONSENT_REQUIRED,
    ("consent-first", "appointment_reminder"): Reason.NO_CONSENT_NEEDED,
    ("consent-first", "recall"): Reason.NO_CONSENT_NEEDED,
    ("consent-first", "marketing"): Reason.CONSENT_REQUIRED,
    ("opt-out", "conversation"): Reason.NO_CONSENT_NEEDED,
    ("opt-out", "appointment_reminder"): Reason.NO_CONSENT_NEEDED,
    ("opt-out", "recall"): Reason.NO_CONSENT_NEEDED,
    ("opt-out", "marketing"): Reason.PRESUMED_BY_POLICY,
    ("recalls", "conversation"): Reason.NO_CONSENT_NEEDED,
    ("recalls", "appointment_reminder"): Reason.NO_CONSENT_NEEDED,
    ("recalls", "recall"): Reason.NO_CONSENT_NEEDED,
    ("recalls", "marketing"): Reason.CONSENT_REQUIRED,
} | {
    ("authorization", purpose): Reason.CONSENT_REQUIRED
    for purpose in ("conversation", "appointment_reminder", "recall", "marketing")
}


@pytest.mark.parametrize(("name", "purpose"), PRESET_TABLE)
def test_a_number_without_history_under_each_preset(name: str, purpose: str) -> None:
    """Section 7's table, R-V1, R-M1 and R-L3: what a number that nobody knows is answered."""
    decision = decide(Standing(), Question(purpose), account(name), instant())
    expected = PRESET_TABLE[name, purpose]
    assert decision.reason is expected
    if expected is Reason.CONSENT_REQUIRED:
        assert decision.answer is (Answer.DENY if name == "authorization" else Answer.DEFER)


@pytest.mark.parametrize("name", PRESETS)
def test_stop_bars_every_purpose_of_every_preset(name: str) -> None:
    """R-F1, R-M5, R-L4: after STOP nothing may go, whatever was consented to before."""
    every = tuple(preset(name).purposes)
    web = f.ConsentGranted(method=Method.WEB, level=Level.EXPRESS_WRITTEN, purposes=every)
    stopped = standing_of(web, f.StopReceived())
    for purpose in every:
        decision = decide(stopped, Question(purpose), account(name), instant(days=1))
        assert decision.reason is Reason.OPTED_OUT_BY_CONTACT
        assert (decision.consent, decision.status_label) == ("revoked", "Revoked")
        assert (decision.opt_out_source, decision.do_not_text) == ("contact", True)
