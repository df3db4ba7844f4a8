"""Endpoints that events are delivered to: signed, retried, replayable (contract section 6)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from api import render
from api.auth import Caller
from api.callers import Admin
from api.feed.addresses import RefusedUrlError, check_url
from api.feed.endpoints import FORMER_SECRET, NOW
from api.feed.signing import new_secret
from api.problem_codes import KEYED
from api.problems import Problem, invalid
from api.responses import documented, reply
from api.routes.feed import read_types
from api.schemas.feed import ReplayBody, WebhookEndpointBody
from api.secrets_at_rest import seal
from api.service import Service
from api.strict import StrictRoute
from api.submit import ServiceIn, idempotency, keep_answer, kept_answer
from consent_ledger.store.accounts import LOCK

router = APIRouter(tags=["webhook endpoints"], route_class=StrictRoute)

ENDPOINTS_LIMIT: Final = 50
"""Endpoints of an account: each reads the account's events for itself."""

PROGRESS: Final = (
    *("position", "disabled_because", "failures", "failing_since", "next_attempt_at"),
    *("last_attempt_at", "last_status", "last_error", "last_delivered_at"),
)
COLUMNS: Final = (
    *("endpoint_id", "url", "types", "user_id"),
    *PROGRESS,
    *("former_until", "created_at"),
)
SHOWN: Final = ", ".join(COLUMNS)
TIMES: Final = {name for name in COLUMNS if name.endswith(("_at", "_since", "_until"))}
LIST: Final = f"""
SELECT {SHOWN} FROM webhook_endpoints WHERE account_id = %s ORDER BY created_at, endpoint_id"""
ONE: Final = f"SELECT {SHOWN} FROM webhook_endpoints WHERE account_id = %s AND endpoint_id = %s"
COUNT: Final = "SELECT count(*) FROM webhook_endpoints WHERE account_id = %s"
INSERT: Final = f"""
INSERT INTO webhook_endpoints
    (endpoint_id, account_id, url, types, user_id, secret, position, created_at)
VALUES (%s, %s, %s, %s, %s, %s, ledger_horizon() - 1, {NOW}) RETURNING {SHOWN}"""
CHANGE: Final = f"""
UPDATE webhook_endpoints SET revision = revision + 1, {{}}
WHERE account_id = %(account)s AND endpoint_id = %(endpoint)s RETURNING {SHOWN}"""
ROTATE: Final = CHANGE.format(
    f"former_secret = secret, former_until = {NOW} + {FORMER_SECRET}, secret = %(secret)s"
)
REPLAY: Final = CHANGE.format(
    "position = least(%(after)s, ledger_horizon() - 1), next_attempt_at = NULL"
)
ENABLE: Final = CHANGE.format(
    "disabled_because = NULL, failures = 0, failing_since = NULL, next_attempt_at = NULL"
)
DELETE: Final = "DELETE FROM webhook_endpoints WHERE account_id = %s AND endpoint_id = %s"

ENDPOINT: Final[dict[str, Any]] = {
    "endpoint_id": "3f2b8c54-6a0e-4d0c-9a3b-0d8f5b8f3e11",
    "url": "https://hooks.example.com/consent",
    "types": ["StopReceived"],
    "user": None,
    "state": "enabled",
    "disabled_because": None,
    "position": 42,
    "failures": 0,
    "failing_since": None,
    "next_attempt_at": None,
    "last_attempt_at": "2026-03-04T10:00:01Z",
    "last_status": 204,
    "last_error": None,
    "last_delivered_at": "2026-03-04T10:00:01Z",
    "former_secret_until": None,
    "created_at": "2026-03-04T09:00:00Z",
}
WITH_SECRET: Final = {**ENDPOINT, "secret": "whsec_..."}

Act = Callable[[AsyncConnection[Any]], Awaitable[dict[str, Any]]]


@router.get(
    "/v1/webhook-endpoints",
    responses=documented(
        "How each is doing", "WebhookEndpointList", {"items": [ENDPOINT], "next_cursor": None}
    ),
)
async def get_webhook_endpoints(caller: Admin, service: ServiceIn) -> Response:
    """The account's endpoints: how far each has come, and what went wrong last."""
    async with service.connection() as conn:
        rows = await (await conn.execute(LIST, (caller.account_id,))).fetchall()
    return reply({"items": [_shown(row) for row in rows], "next_cursor": None})


@router.post(
    "/v1/webhook-endpoints",
    status_code=201,
    responses=documented(
        "The endpoint, its secret shown once",
        "WebhookEndpointWithSecret",
        WITH_SECRET,
        *KEYED,
        "webhook-url-refused",
        "unknown-type",
        "webhook-endpoint-limit",
        status=201,
    ),
)
async def post_webhook_endpoint(
    body: WebhookEndpointBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Delivers events from now on to a URL; the secret is shown now and never again."""
    try:
        check_url(body.url, service.settings.webhook_private_addresses)
    except RefusedUrlError as error:
        raise invalid("url", "webhook-url-refused", str(error)) from None
    types = None if body.types is None else sorted(read_types(body.types, "types"))
    secret = new_secret()

    async def insert(conn: AsyncConnection[Any]) -> dict[str, Any]:
        count = await (await conn.execute(COUNT, (caller.account_id,))).fetchone()
        if count is not None and count[0] >= ENDPOINTS_LIMIT:
            raise Problem(
                409, "webhook-endpoint-limit", f"An account has at most {ENDPOINTS_LIMIT}."
            )
        sealed = seal(service.keyring, secret)
        params = (uuid4(), caller.account_id, body.url, types, body.user, sealed)
        row = await (await conn.execute(INSERT, params)).fetchone()
        return _shown(row) | {"secret": secret}

    return reply(await _once(service, caller, request, insert), 201)


@router.get(
    "/v1/webhook-endpoints/{endpoint_id}",
    responses=documented("How it is doing", "WebhookEndpoint", ENDPOINT, "not-found"),
)
async def get_webhook_endpoint(endpoint_id: UUID, caller: Admin, service: ServiceIn) -> Response:
    """One endpoint: how far it has come, and what went wrong last."""
    async with service.connection() as conn:
        row = await (await conn.execute(ONE, (caller.account_id, endpoint_id))).fetchone()
    return reply(_found(row))


@router.delete(
    "/v1/webhook-endpoints/{endpoint_id}",
    responses=documented(
        "It is gone",
        "WebhookEndpointDeleted",
        {"endpoint_id": ENDPOINT["endpoint_id"], "deleted": True},
        "not-found",
    ),
)
async def delete_webhook_endpoint(endpoint_id: UUID, caller: Admin, service: ServiceIn) -> Response:
    """Ends the deliveries to an endpoint, and forgets it and its secret."""
    async with service.connection() as conn:
        done = await conn.execute(DELETE, (caller.account_id, endpoint_id))
    if done.rowcount == 0:
        raise _not_found()
    return reply({"endpoint_id": str(endpoint_id), "deleted": True})


@router.post(
    "/v1/webhook-endpoints/{endpoint_id}/rotate",
    responses=documented(
        "The new secret, shown once", "WebhookEndpointWithSecret", WITH_SECRET, *KEYED, "not-found"
    ),
)
async def rotate_secret(
    endpoint_id: UUID, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """A new secret; for a day every delivery is signed by the one before, too."""
    secret = new_secret()
    sealed = seal(service.keyring, secret)

    async def rotate(conn: AsyncConnection[Any]) -> dict[str, Any]:
        return await _change(conn, caller, endpoint_id, ROTATE, secret=sealed) | {"secret": secret}

    return reply(await _once(service, caller, request, rotate))


@router.post(
    "/v1/webhook-endpoints/{endpoint_id}/replay",
    responses=documented("It is told again", "WebhookEndpoint", ENDPOINT, *KEYED, "not-found"),
)
async def replay(
    endpoint_id: UUID, body: ReplayBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Delivers every event after a position, again, with the ids that they had before."""

    async def go_back(conn: AsyncConnection[Any]) -> dict[str, Any]:
        return await _change(conn, caller, endpoint_id, REPLAY, after=body.after)

    return reply(await _once(service, caller, request, go_back))


@router.post(
    "/v1/webhook-endpoints/{endpoint_id}/enable",
    responses=documented("It is delivered to", "WebhookEndpoint", ENDPOINT, *KEYED, "not-found"),
)
async def enable(
    endpoint_id: UUID, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Goes on at once where an endpoint was disabled, or waits for its next attempt."""

    async def go_on(conn: AsyncConnection[Any]) -> dict[str, Any]:
        return await _change(conn, caller, endpoint_id, ENABLE)

    return reply(await _once(service, caller, request, go_on))


async def _once(service: Service, caller: Caller, request: Request, act: Act) -> dict[str, Any]:
    """Acts in one transaction, once for each idempotency key."""
    claims = await idempotency(request)
    async with service.connection() as conn, conn.transaction():
        await conn.execute(LOCK, (caller.account_id,))
        kept = await kept_answer(service, conn, caller, claims)
        if kept is not None:
            return kept
        answer = await act(conn)
        await keep_answer(service, conn, caller, claims, answer)
    return answer


async def _change(
    conn: AsyncConnection[Any], caller: Caller, endpoint_id: UUID, statement: str, **more: Any
) -> dict[str, Any]:
    params = {"account": caller.account_id, "endpoint": endpoint_id, **more}
    return _found(await (await conn.execute(statement.encode(), params)).fetchone())


def _found(row: Any) -> dict[str, Any]:
    if row is None:
        raise _not_found()
    return _shown(row)


def _not_found() -> Problem:
    return Problem(404, "not-found", "No webhook endpoint has this id.")


def _shown(row: Any) -> dict[str, Any]:
    """An endpoint without its secrets."""
    found = dict(zip(COLUMNS, row, strict=True))
    told = {name: render.instant(at) if name in TIMES else at for name, at in found.items()}
    disabled = found["disabled_because"] is not None
    return {
        "endpoint_id": str(found["endpoint_id"]),
        "url": told["url"],
        "types": told["types"],
        "user": told["user_id"],
        "state": "disabled" if disabled else "enabled",
        **{name: told[name] for name in PROGRESS},
        "former_secret_until": told["former_until"],
        "created_at": told["created_at"],
    }
