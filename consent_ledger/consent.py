"""Where consent stands for a purpose at an instant: what was granted, asked for, and has lapsed."""

from consent_ledger.policy import DAY, Policy, PurposeRule
from consent_ledger.standing import Grant, Request, Standing
from consent_ledger.words import LEVEL_RANK, STATUS_LABELS, Consent, Level


def consent_of(
    standing: Standing, purpose: str, rule: PurposeRule, at: int, policy: Policy
) -> Consent:
    """Where consent stands; a grant that has lapsed is none, nor a request that `policy` ended."""
    consent = standing.consent(purpose)
    lapsed = consent is Consent.GRANTED and live_grant(standing, purpose, rule, at) is None
    if lapsed or consent is Consent.REQUESTED:
        waits = waiting_request(standing, purpose, policy, at) is not None
        return Consent.REQUESTED if waits else Consent.NONE
    return consent


def status_label(
    standing: Standing, purpose: str, rule: PurposeRule, at: int, policy: Policy
) -> str:
    """The status shown (R-L1), the first that holds (rulebook section 7)."""
    authorized, pending, revoked, not_authorized = STATUS_LABELS
    granted = live_grant(standing, purpose, rule, at) is not None
    if granted and standing.opt_out_from(purpose) is None:
        return authorized
    if waiting_request(standing, purpose, policy, at) is not None:
        return pending
    return revoked if standing.stopped(purpose) is not None else not_authorized


def live_grant(standing: Standing, purpose: str, rule: PurposeRule, at: int) -> Grant | None:
    """The strongest grant that covers the purpose."""
    covering = live_grants(standing, purpose, rule, at)
    return covering[max(covering, key=LEVEL_RANK.__getitem__)] if covering else None


def live_grants(standing: Standing, purpose: str, rule: PurposeRule, at: int) -> dict[Level, Grant]:
    """The grants that cover the purpose: strong enough, neither suspended nor lapsed."""
    levels = standing.grants.get(purpose)
    if not levels:
        return {}
    return {
        level: grant
        for level, grant in levels.items()
        if not grant.suspended
        and LEVEL_RANK[level] >= LEVEL_RANK[rule.level]
        and not _lapsed(grant, level, rule, at)
    }


def _lapsed(grant: Grant, level: Level, rule: PurposeRule, at: int) -> bool:
    days = rule.consent_days.get(level)
    return days is not None and at >= grant.mark.at + days * DAY


def waiting_request(standing: Standing, purpose: str, policy: Policy, at: int) -> Request | None:
    """The request that waits and names the purpose, unless the policy's expiry ended it (R-L3)."""
    request = standing.asked_for(purpose)
    over = request is not None and has_expired(request, policy, at)
    return None if over else request


def has_expired(request: Request, policy: Policy, at: int) -> bool:
    """Whether the policy waits for a reply to this request no longer (R-L3)."""
    days = policy.request_expires_days
    by_policy = days is not None and at >= request.mark.at + days * DAY
    return by_policy or (request.expires_at is not None and at >= request.expires_at)
