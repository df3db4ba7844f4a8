"""What the domain answers, in the shapes of the contract."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from msgspec.structs import asdict

from consent_ledger.decision import Decision
from consent_ledger.facts import Event, event_id
from consent_ledger.words import EXPLANATIONS, LIFTED_BY

EPOCH: Final = datetime(1970, 1, 1)
"""In UTC, as every instant here; `isoformat` of an aware one would say +00:00 for Z."""

KEPT: Final = 1_024
"""Instants and seconds whose letters are kept: what is told of them is mostly told again, as of the
events of one transaction, and an answer's own second by many answers before it."""


@lru_cache(KEPT)
def instant(at: int | None) -> str | None:
    """Microseconds since 1970 as RFC 3339 in UTC, without a fraction that is zero."""
    if at is None:
        return None
    second, micros = divmod(at, 1_000_000)
    return f"{_second(second)}.{micros:06}Z" if micros else f"{_second(second)}Z"


@lru_cache(KEPT)
def _second(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).isoformat()


def _explanation(decision: Decision) -> str:
    said = EXPLANATIONS[decision.reason]
    return f"{decision.detail} {said}" if decision.detail else said


def decision_fields(decision: Decision, number_id: UUID | None) -> dict[str, Any]:
    """The fields of contract section 3 that are the decision's own."""
    since = instant(decision.since)
    return {
        "may_text": decision.may_text,
        "decision": decision.answer,
        "reason": decision.reason,
        "explanation": _explanation(decision),
        "lifted_by": LIFTED_BY[decision.reason],
        "source": decision.source,
        "since": since,
        "not_before": instant(decision.not_before),
        "consent": decision.consent,
        "opted_out": decision.opt_out_source is not None,
        "opt_out_source": decision.opt_out_source,
        "do_not_text": decision.do_not_text,
        "status_label": decision.status_label,
        "purpose": decision.purpose,
        "policy_version": decision.policy_version,
        "evidence": [
            {
                "event_id": event_id(owner, mark.version),
                "type": mark.topic,
                # Mostly the same instant, and to write one takes longer than the rest here.
                "occurred_at": since if mark.at == decision.since else instant(mark.at),
            }
            for mark in decision.evidence
            if (owner := mark.number_id or number_id) is not None
        ],
    }


def answer(
    decision: Decision, number_id: UUID, version: int, position: int, now: int
) -> dict[str, Any]:
    """The whole answer of contract section 3."""
    fields = decision_fields(decision, number_id)
    fields["number_id"] = number_id
    fields["number_version"] = version
    fields["position"] = position
    fields["answered_at"] = instant(now)
    return fields


def event(item: Event) -> dict[str, Any]:
    """An event as history and feed show it: envelope first, then what the fact says."""
    context, fact = item.context, item.fact
    evidence = context.evidence
    return {
        "event_id": item.event_id,
        "type": item.topic,
        "number_version": item.originator_version,
        "position": item.position,
        "occurred_at": instant(context.at),
        "occurred_at_basis": str(context.basis),
        "claimed_occurred_at": instant(context.claimed_at),
        "recorded_at": instant(item.recorded_at),
        "actor": {"kind": str(context.actor), "id": context.actor_id},
        "channel": str(context.channel),
        "sending_number_id": str(context.sending_number_id) if context.sending_number_id else None,
        "location_id": context.location_id,
        "message_id": context.message_id,
        "in_reply_to": context.in_reply_to,
        "policy_version": context.policy_version,
        "account_version": context.account_version,
        "lexicon_version": context.lexicon_version,
        "evidence": None if evidence is None else asdict(evidence),
        "correlation_id": context.correlation_id,
        "causation_id": context.causation_id,
        "data": asdict(fact),
    }
