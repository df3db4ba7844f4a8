"""Policies, and what one would change (contract section 7)."""

from typing import Annotated

from pydantic import Field

from api.schemas.answers.account import AccountChanged
from api.schemas.answers.base import Answered, Moment
from consent_ledger.words import Answer, Level, RevokeScope


class PolicyChanged(AccountChanged):
    """What was recorded of the policy."""

    policy_version: int
    """The version that was adopted."""


class PermittedHours(Answered):
    """Permitted hours, on the contact's clock."""

    start: int
    """The first hour."""
    end: int
    """The hour from which it is too late."""
    sunday_start: int | None
    """The first hour on a Sunday, where it is another."""


class RuleOfPurpose(Answered):
    """What a purpose asks for."""

    needs_consent: bool
    """Texts of it need the contact's consent."""
    marketing: bool
    """It is marketing: the system of record has a say."""
    level: Level
    """The weakest consent that covers it."""
    consent_days: dict[str, int]
    """How many days consent lasts, by level; not named is for ever."""
    exempt_from_review: bool
    """It goes on while a person reads a suspected revocation."""
    hours: PermittedHours | None
    """When it may go; null is always."""


class WholePolicy(Answered):
    """Every field of a policy: docs/reference/policy.md has what each settles."""

    preset: str
    """The preset that it began with."""
    purposes: dict[str, RuleOfPurpose]
    """What each purpose asks for."""
    missing_consent_denies: bool
    """Missing consent denies instead of deferring."""
    other_words_end_request: bool
    """Words that are no answer end a request that waits."""
    unnamed_users_may_text: bool
    """A user without “Allow SMS” of their own or of a group may text."""
    reauthorise_after_stop: bool
    """After a STOP one request to come back may be sent."""
    request_after_decline: bool
    """A new request may follow a DECLINE."""
    unreachable_limit: int
    """Reports of “unreachable” in a row that suppress a number."""
    stop_on_other_number_denies: bool
    """A STOP on another number of the contact's denies."""
    conversation_numbers_exclusive: bool
    """A number for conversations may not serve appointment reminders."""
    requests_allowed: int
    """Requests for consent in a window."""
    requests_days: int
    """The days of that window."""
    request_repeat_days: int
    """Days after which a request that waits may be repeated by hand."""
    request_expires_days: int | None
    """Days after which a request waits no longer; null is never."""
    time_zone: str | None
    """The clock of permitted hours where nothing better is known."""
    revoke_scope: RevokeScope
    """How far a STOP reaches."""


class PolicyVersion(Answered):
    """A policy, and from when it holds."""

    version: int
    """Its number, from 1 on."""
    effective_from: Moment
    """From when it holds."""
    preset: str
    """The preset that it began with."""
    policy: WholePolicy
    """The rules, whole."""


class PolicyNow(PolicyVersion):
    """The policy in force, and every version."""

    versions: list[PolicyVersion]
    """Every version, those to come too, in the order in which they were adopted."""


class Outcome(Answered):
    """An answer as one of the two policies gives it."""

    decision: Answer | None
    """The decision; null where the policy lacks the purpose."""
    reason: str
    """The reason; `unknown-purpose` where the policy lacks the purpose."""


class NumbersChanged(Answered):
    """Numbers whose answer would change in one way."""

    purpose: str
    """The purpose."""
    from_: Annotated[Outcome, Field(alias="from", description="The answer now.")]
    to: Outcome
    """The answer under the policy tried."""
    numbers: int
    """How many."""


class NumbersTally(Answered):
    """What would change for the numbers of the account."""

    examined: int
    """Numbers examined."""
    changed: int
    """Numbers of which some answer would change."""
    by_purpose: list[NumbersChanged]
    """The most frequent changes first."""


class DecisionsChanged(Answered):
    """Past decisions that would have been others in one way."""

    purpose: str
    """The purpose."""
    from_: Annotated[Outcome, Field(alias="from", description="The answer that was given.")]
    to: Outcome
    """The answer under the policy tried."""
    decisions: int
    """How many."""


class DecisionsTally(Answered):
    """What would have changed for texts that were asked about."""

    since: Moment
    """From when on decisions were examined."""
    examined: int
    """Decisions examined."""
    changed: int
    """Decisions that would have been others."""
    by_purpose: list[DecisionsChanged]
    """The most frequent changes first."""


class Simulation(Answered):
    """What a policy would change. Nothing was recorded."""

    policy_version: int
    """The version that it was compared with."""
    at: Moment
    """The instant at which it was tried."""
    numbers: NumbersTally
    """The numbers."""
    past_decisions: DecisionsTally
    """Past decisions."""
    complete: bool
    """Whether all there is was examined; `limit` and `since` bound it."""
