"""The account's dated policy (contract section 7, rulebook section 8)."""

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from api import render
from api.account_changes import CHANGED, change, current
from api.callers import Admin, Anyone
from api.problem_codes import KEYED
from api.responses import documented, reply
from api.schemas import account as s
from api.strict import StrictRoute
from api.submit import ServiceIn
from consent_ledger import account_facts as a
from consent_ledger.account import Account
from consent_ledger.facts import Fact
from consent_ledger.policy import PRESETS, PolicyVersion, amended

router = APIRouter(tags=["policy"], route_class=StrictRoute)


def _policy(found: PolicyVersion) -> dict[str, Any]:
    return {
        "version": found.version,
        "effective_from": render.instant(found.effective_from),
        "preset": found.policy.preset,
        "policy": _whole(found),
    }


def _whole(found: PolicyVersion) -> Any:
    """Every field of a policy, the defaults too."""
    policy = found.policy
    fields = {name: getattr(policy, name) for name in policy.__struct_fields__}
    fields["purposes"] = {
        name: {field: getattr(rule, field) for field in rule.__struct_fields__}
        for name, rule in policy.purposes.items()
    }
    return msgspec.to_builtins(fields)


POLICY: Final[dict[str, Any]] = {
    "version": 2,
    "effective_from": "2026-03-04T10:00:00Z",
    "preset": "consent-first",
    "policy": _whole(PolicyVersion(2, 0, PRESETS["consent-first"])),
}


@router.get(
    "/v1/policy",
    responses=documented(
        "The policy in force, and all versions", "PolicyNow", {**POLICY, "versions": [POLICY]}
    ),
)
async def get_policy(caller: Anyone, service: ServiceIn) -> Response:
    """The rules in force now, and every version with the time from which it holds."""
    account, now = await current(service, caller)
    versions = [_policy(found) for found in account.policies]
    return reply(_policy(account.policy_at(now)) | {"versions": versions})


@router.put(
    "/v1/policy",
    responses=documented(
        "What was recorded",
        "PolicyChanged",
        {**CHANGED, "policy_version": 2},
        *KEYED,
        "unknown-preset",
        "policy-refused",
    ),
)
async def put_policy(
    body: s.PolicyBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Adopts a policy: a preset and what differs from it, from now or a later time on."""
    policy = amended(body.preset, body.changes)

    def adopt(account: Account, now: int) -> list[Fact]:
        return [a.PolicyAdopted(policy, max(now, body.effective_from or now))]

    fields = await change(service, caller, adopt, request)
    account = service.account(caller.account_id)
    return reply(fields | {"policy_version": len(account.policies)})
