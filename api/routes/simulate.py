"""A policy tried before it is adopted (contract section 7)."""

from typing import Any, Final

from fastapi import APIRouter, Response

from api import render
from api.account_changes import current
from api.callers import Onlooker
from api.problems import invalid
from api.responses import documented, reply
from api.schemas.simulate import SimulationBody
from api.simulating import simulate
from api.strict import StrictRoute
from api.submit import ServiceIn
from consent_ledger.account import check_account_fact
from consent_ledger.account_facts import PolicyAdopted
from consent_ledger.policy import DAY, DAYS_LIMIT, amended
from consent_ledger.simulation import UNKNOWN, Outcome, Tally

router = APIRouter(tags=["policy"], route_class=StrictRoute)

LOOK_BACK: Final = 30 * DAY
"""How far back decisions are examined unless the caller says: a month has every kind of day."""
UNKNOWN_PURPOSE: Final = {"decision": None, "reason": "unknown-purpose"}
"""Where a policy lacks the purpose: the code of the problem that a question would get."""

SIMULATED: Final[dict[str, Any]] = {
    "policy_version": 1,
    "at": "2026-03-04T10:00:00Z",
    "numbers": {
        "examined": 2000,
        "changed": 700,
        "by_purpose": [
            {
                "purpose": "recall",
                "from": {"decision": "allow", "reason": "no_consent_needed"},
                "to": {"decision": "deny", "reason": "consent_required"},
                "numbers": 700,
            }
        ],
    },
    "past_decisions": {
        "since": "2026-02-02T10:00:00Z",
        "examined": 5000,
        "changed": 12,
        "by_purpose": [
            {
                "purpose": "recall",
                "from": {"decision": "allow", "reason": "no_consent_needed"},
                "to": {"decision": "deny", "reason": "consent_required"},
                "decisions": 12,
            }
        ],
    },
    "complete": True,
}


@router.post(
    "/v1/policy/simulate",
    responses=documented(
        "What the policy would change",
        "Simulation",
        SIMULATED,
        "unknown-preset",
        "policy-refused",
        "time-in-future",
        "time-too-early",
        "time-too-late",
    ),
)
async def simulate_policy(body: SimulationBody, caller: Onlooker, service: ServiceIn) -> Response:
    """How many numbers and past decisions a policy would change. Nothing is recorded."""
    policy = amended(body.preset, body.changes)
    # One at a time, so that several cannot add up to a burden on live questions.
    async with service.simulating:
        account, now = await current(service, caller)
        at = max(now, body.effective_from or now)
        check_account_fact(account, PolicyAdopted(policy, at), account.policies_from(now))
        since = now - LOOK_BACK if body.since is None else body.since
        _refuse_other_times(at, since, now)
        numbers, past = await simulate(service, account, policy, at, since, body.limit)
    found = {
        "policy_version": numbers.policy_version,
        "at": render.instant(at),
        "numbers": _tally(numbers, "numbers"),
        "past_decisions": {"since": render.instant(since), **_tally(past, "decisions")},
        "complete": numbers.complete and past.complete,
    }
    return reply(found)


def _refuse_other_times(at: int, since: int, now: int) -> None:
    if since > now:
        raise invalid("since", "time-in-future", "Decisions of the past need a past time.")
    if since < 0:
        raise invalid("since", "time-too-early", "No text was sent before 1970.")
    # The calendar ends at its own edge, where permitted hours would lead out of it.
    if at > now + DAYS_LIMIT * DAY:
        raise invalid("effective_from", "time-too-late", "Nothing can be told of so late a time.")


def _tally(tally: Tally, counted: str) -> dict[str, Any]:
    """The most frequent changes first."""
    rows: list[dict[str, Any]] = [
        {
            "purpose": change.purpose,
            "from": _outcome(change.before),
            "to": _outcome(change.after),
            counted: count,
        }
        for change, count in tally.changes.items()
    ]
    rows.sort(key=lambda row: (-row[counted], row["purpose"], str(row["from"]), str(row["to"])))
    return {"examined": tally.examined, "changed": tally.changed, "by_purpose": rows}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome == UNKNOWN:
        return UNKNOWN_PURPOSE
    return {"decision": str(outcome.answer), "reason": str(outcome.reason)}
