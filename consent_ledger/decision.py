"""The answer to 'may I text this number?': the rulebook's table, first row that matches.

A pure function of (standing, question, account, instant): the same inputs give the same answer
for ever. Every row of rulebook section 3 is one function here, in its order.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from consent_ledger.account import Account
from consent_ledger.consent import (
    consent_of,
    live_grant,
    live_grants,
    status_label,
    waiting_request,
)
from consent_ledger.hours import next_permitted
from consent_ledger.policy import Policy, PurposeRule
from consent_ledger.standing import Mark, Standing
from consent_ledger.words import (
    STATUS_LABELS,
    Answer,
    Consent,
    Preference,
    Reason,
    Source,
)


class UnknownPurposeError(ValueError):
    """The account's policy has no such purpose."""


class Question(msgspec.Struct, frozen=True):
    """What a sender asks. `contacts`: where the contact's other numbers stand (R-M5);
    `time_zone`: where the contact is, if the sender knows (row 14)."""

    purpose: str
    location: str | None = None
    sending_number_id: UUID | None = None
    sent_by: str | None = None
    manual: bool = False
    confirmed: bool = False
    contacts: tuple[tuple[UUID, Standing], ...] = ()
    time_zone: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer and what it rests on; times are microseconds since 1970, UTC.

    `detail` says what is particular about this answer: which part of the set-up refuses (R-M10),
    whose clock or word it rests on, or what else would lift it.
    """

    answer: Answer = msgspec.field(name="d")
    reason: Reason = msgspec.field(name="r")
    consent: Consent = msgspec.field(name="c")
    status_label: str = msgspec.field(name="l")
    purpose: str = msgspec.field(name="p")
    policy_version: int = msgspec.field(name="y")
    opt_out_source: Source | None = msgspec.field(default=None, name="o")
    do_not_text: bool = msgspec.field(default=False, name="n")
    source: Source | None = msgspec.field(default=None, name="s")
    since: int | None = msgspec.field(default=None, name="t")
    not_before: int | None = msgspec.field(default=None, name="b")
    evidence: tuple[Mark, ...] = msgspec.field(default=(), name="e")
    detail: str | None = msgspec.field(default=None, name="w")

    @property
    def may_text(self) -> bool:
        """True for `allow` alone."""
        return self.answer is Answer.ALLOW


class _Case(msgspec.Struct, frozen=True):
    standing: Standing
    question: Question
    account: Account
    policy: Policy
    rule: PurposeRule
    at: int


class _Verdict(msgspec.Struct, frozen=True):
    answer: Answer
    reason: Reason
    source: Source | None = None
    marks: tuple[Mark, ...] = ()
    not_before: int | None = None
    detail: str | None = None


_Row = Callable[[_Case], _Verdict | None]


def decide(standing: Standing, question: Question, account: Account, at: int) -> Decision:
    """The decision for a question at an instant; UnknownPurposeError for a purpose not defined."""
    found = _first(ROWS, standing, question, account, at)
    assert found is not None, "the last row always holds"
    return found


def bars_before_consent(
    standing: Standing, question: Question, account: Account, at: int
) -> Decision | None:
    """The decision of rows 1 to 8 and 14, which bind a request for consent too (R-F9)."""
    return _first(REQUEST_ROWS, standing, question, account, at)


def _first(
    rows: tuple[_Row, ...], standing: Standing, question: Question, account: Account, at: int
) -> Decision | None:
    """The decision of the first row that matches."""
    version = account.policy_at(at)
    rule = version.policy.purposes.get(question.purpose)
    if rule is None:
        raise UnknownPurposeError
    case = _Case(standing, question, account, version.policy, rule, at)
    for row in rows:
        verdict = row(case)
        if verdict is not None:
            return _decision(case, verdict, version.version)
    return None


def unreadable(purpose: str, policy_version: int) -> Decision:
    """The decision where the record cannot be read: never a yes (rulebook section 2)."""
    return Decision(
        Answer.DENY,
        Reason.RECORD_UNREADABLE,
        Consent.NONE,
        STATUS_LABELS[-1],
        purpose,
        policy_version,
        do_not_text=True,
    )


def _decision(case: _Case, verdict: _Verdict, policy_version: int) -> Decision:
    standing, purpose = case.standing, case.question.purpose
    opt_out = standing.opt_out_from(purpose)
    return Decision(
        answer=verdict.answer,
        reason=verdict.reason,
        consent=consent_of(standing, purpose, case.rule, case.at, case.policy),
        status_label=status_label(standing, purpose, case.rule, case.at, case.policy),
        purpose=purpose,
        policy_version=policy_version,
        opt_out_source=opt_out[0] if opt_out else None,
        do_not_text=opt_out is not None or bool(standing.reviews),
        source=verdict.source,
        since=verdict.marks[0].at if verdict.marks else None,
        not_before=verdict.not_before,
        evidence=verdict.marks,
        detail=verdict.detail,
    )


# --- the rows of rulebook section 3, in order --------------------------------------------------


def _sender_not_permitted(case: _Case) -> _Verdict | None:
    sent_by = case.question.sent_by
    if sent_by is None:
        # Nobody named is automated, unless somebody sends by hand and does not say who.
        permitted = not case.question.manual or case.policy.unnamed_users_may_text
    else:
        permitted = case.account.may_text(sent_by, case.policy)
    if permitted:
        return None
    return _Verdict(Answer.DENY, Reason.SENDER_NOT_PERMITTED)


def _sending_number_not_allowed(case: _Case) -> _Verdict | None:
    question = case.question
    detail = case.account.why_not_from(
        case.policy, question.purpose, question.location, question.sending_number_id
    )
    if detail is None:
        return None
    return _Verdict(Answer.DENY, Reason.SENDING_NUMBER_NOT_ALLOWED, detail=detail)


def _opted_out_by_contact(case: _Case) -> _Verdict | None:
    stop = case.standing.stopped(case.question.purpose)
    if stop is None:
        return None
    detail = _asked_once_more(case)
    return _Verdict(
        Answer.DENY, Reason.OPTED_OUT_BY_CONTACT, Source.CONTACT, (stop.mark,), detail=detail
    )


def _asked_once_more(case: _Case) -> str | None:
    # What waits under a STOP re-authorises: any other request was ended or void (R-F9, R-L5).
    if waiting_request(case.standing, case.question.purpose, case.policy, case.at) is None:
        return None
    return "The contact was asked once more, and CONSENT would lift this too."


def _opted_out_on_other_number(case: _Case) -> _Verdict | None:
    if not case.policy.stop_on_other_number_denies:
        return None
    marks = [
        replace(stop.mark, number_id=number_id)
        for number_id, standing in case.question.contacts
        if (stop := standing.stopped(case.question.purpose)) is not None
    ]
    if not marks:
        return None
    marks.sort(key=lambda mark: (mark.at, str(mark.number_id)))
    return _Verdict(Answer.DENY, Reason.OPTED_OUT_ON_OTHER_NUMBER, Source.CONTACT, tuple(marks))


def _opted_out_by_system(case: _Case) -> _Verdict | None:
    found = case.standing.system
    if found is None:
        return None
    return _Verdict(Answer.DENY, Reason.OPTED_OUT_BY_SYSTEM, Source.SYSTEM, (found.mark,))


def _opted_out_by_agent(case: _Case) -> _Verdict | None:
    found = case.standing.agent
    if found is None:
        return None
    return _Verdict(Answer.DENY, Reason.OPTED_OUT_BY_AGENT, Source.AGENT, (found.mark,))


def _revocation_under_review(case: _Case) -> _Verdict | None:
    if not case.standing.reviews or case.rule.exempt_from_review:
        return None
    marks = tuple(sorted(case.standing.reviews.values(), key=lambda mark: (mark.at, mark.version)))
    return _Verdict(Answer.DENY, Reason.REVOCATION_UNDER_REVIEW, Source.CONTACT, marks)


def _purpose_blocked(case: _Case) -> _Verdict | None:
    block = case.standing.blocks.get(case.question.purpose)
    if block is None:
        return None
    return _Verdict(Answer.DENY, Reason.PURPOSE_BLOCKED, Source.AGENT, (block,))


def _says_no(case: _Case, *purposes: str) -> Mark | None:
    """'Not consented' in a system of record, unless the contact granted one of these later."""
    said = case.standing.strictest_preference()
    if said is None or said[0] is not Preference.NOT_CONSENTED:
        return None
    return None if _granted_after(case, said[1], purposes) else said[1]


def _cannot_be_read(case: _Case) -> Mark | None:
    """The latest word of a system of record that hides its settings (R-B3)."""
    said = case.standing.preferences.values()
    marks = [mark for value, mark in said if value is Preference.UNREADABLE]
    return max(marks, key=lambda mark: (mark.at, mark.version), default=None)


def _granted_after(case: _Case, mark: Mark, purposes: tuple[str, ...]) -> bool:
    """Whether the contact granted later, weakly or strongly."""
    return any(
        grant.mark.at > mark.at
        for name in purposes
        if (rule := case.policy.purposes.get(name)) is not None
        for grant in live_grants(case.standing, name, rule, case.at).values()
    )


def _marketing_purposes(policy: Policy) -> list[str]:
    return [name for name, rule in policy.purposes.items() if rule.marketing]


def _marketing_not_consented(case: _Case) -> _Verdict | None:
    mark = _says_no(case, case.question.purpose) if case.rule.marketing else None
    if mark is None:
        return None
    return _Verdict(Answer.DENY, Reason.MARKETING_NOT_CONSENTED, marks=(mark,))


def _consent_declined(case: _Case) -> _Verdict | None:
    mark = case.standing.declined(case.question.purpose)
    if not case.rule.needs_consent or mark is None:
        return None
    return _Verdict(Answer.DENY, Reason.CONSENT_DECLINED, Source.CONTACT, (mark,))


def _given(case: _Case) -> Mark | None:
    """The grant that covers the purpose; for marketing a system of record's 'consented' counts."""
    grant = live_grant(case.standing, case.question.purpose, case.rule, case.at)
    if grant is not None:
        return grant.mark
    said = case.standing.strictest_preference()
    if case.rule.marketing and said is not None and said[0] is Preference.CONSENTED:
        return said[1]
    return None


def _consent_pending(case: _Case) -> _Verdict | None:
    if not case.rule.needs_consent or _given(case) is not None:
        return None
    request = waiting_request(case.standing, case.question.purpose, case.policy, case.at)
    if request is None:
        return None
    return _Verdict(Answer.DEFER, Reason.CONSENT_PENDING, marks=(request.mark,))


def _consent_required(case: _Case) -> _Verdict | None:
    if not case.rule.needs_consent or _given(case) is not None:
        return None
    answer = Answer.DENY if case.policy.missing_consent_denies else Answer.DEFER
    return _Verdict(answer, Reason.CONSENT_REQUIRED)


def _notice(case: _Case) -> _Verdict | None:
    question = case.question
    if case.rule.marketing or not question.manual or question.confirmed:
        return None
    mark = _says_no(case, question.purpose, *_marketing_purposes(case.policy))
    if mark is not None:
        return _Verdict(Answer.CONFIRM, Reason.MARKETING_NOT_CONSENTED_NOTICE, marks=(mark,))
    mark = _cannot_be_read(case)
    if mark is not None:
        return _Verdict(Answer.CONFIRM, Reason.PREFERENCE_UNREADABLE_NOTICE, marks=(mark,))
    return None


def _quiet_hours(case: _Case) -> _Verdict | None:
    # The number's own zone is the surer one; the account's is for all that nobody knows of.
    zone = case.question.time_zone or case.standing.time_zone or case.policy.time_zone
    if case.rule.hours is None or zone is None:
        return None
    opens = next_permitted(case.at, case.rule.hours, ZoneInfo(zone))
    if opens <= case.at:
        return None
    detail = f"The contact's time zone is taken to be {zone}."
    return _Verdict(Answer.DEFER, Reason.QUIET_HOURS, not_before=opens, detail=detail)


def _allowed(case: _Case) -> _Verdict:
    grant = live_grant(case.standing, case.question.purpose, case.rule, case.at)
    if case.rule.needs_consent:
        mark = _given(case)
        detail = None if grant else "This rests on the system of record alone."
        return _Verdict(
            Answer.ALLOW, Reason.CONSENTED, marks=(mark,) if mark else (), detail=detail
        )
    if not case.rule.marketing:
        return _Verdict(Answer.ALLOW, Reason.NO_CONSENT_NEEDED)
    if grant is not None:
        return _Verdict(Answer.ALLOW, Reason.CONSENTED, marks=(grant.mark,))
    return _Verdict(Answer.ALLOW, Reason.PRESUMED_BY_POLICY)


REQUEST_ROWS: Final[tuple[_Row, ...]] = (
    _sender_not_permitted,
    _sending_number_not_allowed,
    _opted_out_by_contact,
    _opted_out_on_other_number,
    _opted_out_by_system,
    _opted_out_by_agent,
    _revocation_under_review,
    _purpose_blocked,
    _quiet_hours,
)
"""The rows that bind a request for consent: 1 to 8 and 14 (R-F9)."""

ROWS: Final[tuple[_Row, ...]] = (
    *REQUEST_ROWS[:-1],
    _marketing_not_consented,
    _consent_declined,
    _consent_pending,
    _consent_required,
    _notice,
    _quiet_hours,
    _allowed,
)
"""The whole table, rows 1 to 15."""
