"""The account's set-up: policy, locations, sending numbers, users, groups, keys (section 7)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from api import render
from api import schemas as s
from api.auth import INSERT_KEY, Caller, allow, key_digests, new_key, new_key_id
from api.problems import Problem
from api.responses import documented, reply
from api.secrets_at_rest import seal
from api.service import Service
from api.submit import ServiceIn, idempotency, keep_answer, kept_answer, read_number
from consent_ledger import account as a
from consent_ledger.account import Account
from consent_ledger.facts import Event, Fact
from consent_ledger.policy import PolicyVersion, amended
from consent_ledger.store.accounts import LOCK, AccountCommand, change_account
from consent_ledger.words import Permission, Role

router = APIRouter(tags=["account"])
Admin = Annotated[Caller, Depends(allow(Role.ADMIN))]
Reader = Annotated[Caller, Depends(allow(*Role))]

CHANGED: Final[dict[str, Any]] = {
    "account_version": 5,
    "position": 42,
    "recorded": ["PolicyAdopted"],
}


async def change(
    service: Service, caller: Caller, command: AccountCommand, request: Request
) -> dict[str, Any]:
    """Changes the caller's account: what was recorded, after its commit."""
    claims = await idempotency(request)
    async with service.connection() as conn, conn.transaction():
        await conn.execute(LOCK, (caller.account_id,))
        kept = await kept_answer(service, conn, caller, claims)
        if kept is not None:
            return {**kept, "recorded": []}
        account, events = await change_account(conn, caller.account_id, command, caller.key_id)
        answer = _changed(account, events)
        await keep_answer(service, conn, caller, claims, answer)
    service.accounts.keep(account)
    return answer


def _changed(account: Account, events: Sequence[Event]) -> dict[str, Any]:
    return {
        "account_version": account.version,
        "position": events[-1].position if events else None,
        "recorded": [event.topic for event in events],
    }


def _always(fact: Fact) -> AccountCommand:
    return lambda account, now: [fact]


async def _current(service: Service, caller: Caller) -> tuple[Account, int]:
    view = await service.reader.view(caller.account_id, [])
    return view.account, view.now


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
    "policy": {"unreachable_limit": 3, "purposes": {"recall": {"needs_consent": False}}},
}


@router.get(
    "/v1/policy",
    responses=documented("The policy in force, and all versions", {**POLICY, "versions": [POLICY]}),
)
async def get_policy(caller: Reader, service: ServiceIn) -> Response:
    """The rules in force now, and every version with the time from which it holds."""
    account, now = await _current(service, caller)
    versions = [_policy(found) for found in account.policies]
    return reply(_policy(account.policy_at(now)) | {"versions": versions})


@router.put("/v1/policy", responses=documented("What was recorded", CHANGED))
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


LOCATIONS: Final = {"items": [{"id": "main-street", "name": "Main Street Clinic"}]}


@router.get("/v1/locations", responses=documented("The locations", LOCATIONS))
async def get_locations(caller: Reader, service: ServiceIn) -> Response:
    """The account's locations."""
    account, _ = await _current(service, caller)
    items = [{"id": each, "name": name} for each, name in account.locations.items()]
    return reply({"items": items, "next_cursor": None})


@router.post("/v1/locations", responses=documented("What was recorded", CHANGED))
async def post_location(
    body: s.LocationBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Defines a location, or renames it."""
    return reply(
        await change(service, caller, _always(a.LocationDefined(body.id, body.name)), request)
    )


@router.delete(
    "/v1/locations/{location_id:path}", responses=documented("What was recorded", CHANGED)
)
async def delete_location(
    location_id: s.OpaqueId, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Removes a location; texts from it are refused from then on (R-M10)."""

    def remove(account: Account, now: int) -> list[Fact]:
        if location_id not in account.locations:
            raise Problem(404, "not-found", "No location has this id.")
        return [a.LocationRemoved(location_id)]

    return reply(await change(service, caller, remove, request))


SENDING_NUMBER: Final[dict[str, Any]] = {
    "sending_number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number": "+14155550199",
    "location": "main-street",
    "purposes": ["conversation"],
}


@router.get(
    "/v1/sending-numbers", responses=documented("The sending numbers", {"items": [SENDING_NUMBER]})
)
async def get_sending_numbers(caller: Reader, service: ServiceIn) -> Response:
    """The numbers the account sends from."""
    account, _ = await _current(service, caller)
    ids = [UUID(each) for each in account.sending_numbers]
    async with service.connection() as conn:
        rows = await conn.execute(
            "SELECT number_id, e164 FROM numbers WHERE number_id = ANY(%s)", (ids,)
        )
        numbers = {str(row[0]): row[1] for row in await rows.fetchall()}
    items = [
        {
            "sending_number_id": each,
            "number": numbers.get(each),
            "location": found.location_id,
            "purposes": list(found.purposes),
        }
        for each, found in account.sending_numbers.items()
    ]
    return reply({"items": items, "next_cursor": None})


KEEP_NUMBER: Final = """
INSERT INTO numbers (number_id, account_id, e164) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""


@router.post("/v1/sending-numbers", responses=documented("What was recorded", CHANGED))
async def post_sending_number(
    body: s.SendingNumberBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Defines a number the account sends from: where it belongs and what it serves (R-M10)."""
    number = read_number(service, caller.account_id, body.number)
    number_id = number.ids[-1]
    fact = a.SendingNumberDefined(number_id, body.location, tuple(dict.fromkeys(body.purposes)))
    fields = await change(service, caller, _always(fact), request)
    async with service.connection() as conn:
        await conn.execute(KEEP_NUMBER, (number_id, caller.account_id, number.e164))
    return reply(fields | {"sending_number_id": str(number_id)})


@router.delete(
    "/v1/sending-numbers/{sending_number_id}",
    responses=documented("What was recorded", CHANGED, problems=(404,)),
)
async def delete_sending_number(
    sending_number_id: UUID, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Removes a number the account sends from."""

    def remove(account: Account, now: int) -> list[Fact]:
        if str(sending_number_id) not in account.sending_numbers:
            raise Problem(404, "not-found", "No sending number has this id.")
        return [a.SendingNumberRemoved(sending_number_id)]

    return reply(await change(service, caller, remove, request))


@router.put(
    "/v1/users/{user_id:path}/permission", responses=documented("What was recorded", CHANGED)
)
async def put_user(
    user_id: s.OpaqueId,
    body: s.PermissionBody,
    request: Request,
    caller: Admin,
    service: ServiceIn,
) -> Response:
    """'Allow SMS' of a user, and their groups (R-L2); groups not given stay as they are."""

    def permit(account: Account, now: int) -> list[Fact]:
        kept = account.users[user_id].groups if user_id in account.users else ()
        groups = tuple(dict.fromkeys(body.groups)) if body.groups is not None else kept
        return [a.UserPermissionSet(user_id, Permission(body.permission), groups)]

    return reply(await change(service, caller, permit, request))


@router.put(
    "/v1/groups/{group_id:path}/permission", responses=documented("What was recorded", CHANGED)
)
async def put_group(
    group_id: s.OpaqueId,
    body: s.GroupPermissionBody,
    request: Request,
    caller: Admin,
    service: ServiceIn,
) -> Response:
    """'Allow SMS' of a group (R-L2)."""
    fact = a.GroupPermissionSet(group_id, Permission(body.permission))
    return reply(await change(service, caller, _always(fact), request))


LIST_KEYS: Final = """
SELECT key_id, role, name, created_at, revoked_at FROM api_keys WHERE account_id = %s
ORDER BY created_at, key_id"""


KEY: Final[dict[str, Any]] = {
    "key_id": "9f86d081884c",
    "role": "sender",
    "name": "campaign tool",
    "created_at": "2026-03-04T10:00:00Z",
    "revoked_at": None,
}


@router.get("/v1/keys", responses=documented("The keys, without their secrets", {"items": [KEY]}))
async def get_keys(caller: Admin, service: ServiceIn) -> Response:
    """The account's API keys."""
    async with service.connection() as conn:
        rows = await (await conn.execute(LIST_KEYS, (caller.account_id,))).fetchall()
    names = ("key_id", "role", "name", "created_at", "revoked_at")
    items = [dict(zip(names, row, strict=True)) for row in rows]
    return reply({"items": items, "next_cursor": None})


@router.post(
    "/v1/keys",
    status_code=201,
    responses=documented("The key, shown once", {"key_id": "a1", "key": "clk_..."}, status=201),
)
async def post_key(
    body: s.KeyBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Makes an API key; it is shown now and never again."""
    key, key_id = new_key(Role(body.role)), new_key_id()
    digest = key_digests(service.keyring, key)[0]
    claims = await idempotency(request)
    async with service.connection() as conn, conn.transaction():
        await conn.execute(LOCK, (caller.account_id,))
        kept = await kept_answer(service, conn, caller, claims)
        if kept is not None:
            return reply(kept, 201)
        await conn.execute(INSERT_KEY, (digest, caller.account_id, key_id, body.role, body.name))
        answer = {"key_id": key_id, "role": body.role, "name": body.name, "key": key}
        await keep_answer(service, conn, caller, claims, answer)
    return reply(answer, 201)


REVOKED: Final = {"key_id": "9f86d081884c", "revoked": True}


@router.delete(
    "/v1/keys/{key_id}", responses=documented("The key is revoked", REVOKED, problems=(404,))
)
async def delete_key(key_id: s.OpaqueId, caller: Admin, service: ServiceIn) -> Response:
    """Revokes an API key."""
    async with service.connection() as conn:
        done = await conn.execute(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) "
            "WHERE account_id = %s AND key_id = %s",
            (caller.account_id, key_id),
        )
        if done.rowcount == 0:
            raise Problem(404, "not-found", "No key has this id.")
    return reply({"key_id": key_id, "revoked": True})


PUT_ENDPOINT: Final = """
INSERT INTO provider_endpoints (endpoint, account_id, provider, secret) VALUES (%s, %s, %s, %s)
ON CONFLICT (endpoint) DO UPDATE SET provider = excluded.provider, secret = excluded.secret
WHERE provider_endpoints.account_id = excluded.account_id"""


@router.put(
    "/v1/provider-endpoints/{endpoint}",
    responses=documented("Where the provider's webhooks arrive", {"url": "https://..."}),
)
async def put_endpoint(
    endpoint: s.EndpointName, body: s.EndpointBody, caller: Admin, service: ServiceIn
) -> Response:
    """Names the secret that signs a provider's webhooks to this endpoint; kept encrypted."""
    sealed = seal(service.keyring, body.secret)
    async with service.connection() as conn:
        params = (endpoint, caller.account_id, body.provider, sealed)
        done = await conn.execute(PUT_ENDPOINT, params)
    if done.rowcount == 0:
        raise Problem(409, "endpoint-taken", "Another account has an endpoint of this name.")
    url = f"{service.settings.base_url}/v1/webhooks/{body.provider}/{endpoint}"
    return reply({"endpoint": endpoint, "provider": body.provider, "url": url})
