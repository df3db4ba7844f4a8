"""The account's API keys (contract section 7)."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.auth import INSERT_KEY, key_digests, new_key, new_key_id
from api.callers import Admin
from api.problem_codes import KEYED
from api.problems import Problem
from api.responses import documented, reply
from api.schemas import account as s
from api.schemas.base import OpaqueId
from api.strict import StrictRoute
from api.submit import ServiceIn, idempotency, keep_answer, kept_answer
from consent_ledger.store.accounts import LOCK
from consent_ledger.words import Role

router = APIRouter(tags=["account"], route_class=StrictRoute)

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


@router.get(
    "/v1/keys",
    responses=documented(
        "The keys, without their secrets", "KeyList", {"items": [KEY], "next_cursor": None}
    ),
)
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
    responses=documented(
        "The key, shown once",
        "NewKey",
        {"key_id": KEY["key_id"], "role": "sender", "name": "campaign tool", "key": "clk_..."},
        *KEYED,
        status=201,
    ),
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
    "/v1/keys/{key_id}",
    responses=documented("The key is revoked", "RevokedKey", REVOKED, "not-found"),
)
async def delete_key(key_id: OpaqueId, caller: Admin, service: ServiceIn) -> Response:
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
