"""Where providers' webhooks arrive, and the secrets that sign them (contract section 4)."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from api import render
from api.callers import Admin
from api.problem_codes import KEYED
from api.problems import Problem, invalid
from api.providers.registry import PROVIDERS
from api.responses import documented, reply
from api.schemas.base import EndpointName
from api.schemas.provider_endpoints import EndpointBody, RotationBody
from api.secrets_at_rest import seal
from api.service import Service
from api.strict import StrictRoute
from api.submit import ServiceIn, idempotency, keep_answer, kept_answer
from consent_ledger.policy import DAY
from consent_ledger.store.accounts import LOCK
from consent_ledger.store.moment import NOW

router = APIRouter(tags=["provider endpoints"], route_class=StrictRoute)

SHOWN: Final = f"""endpoint, provider, (extract(epoch FROM created_at) * 1000000)::bigint,
    CASE WHEN former_until > {NOW} THEN former_until END"""
PUT_ENDPOINT: Final = """
INSERT INTO provider_endpoints (endpoint, account_id, provider, secret) VALUES (%s, %s, %s, %s)
ON CONFLICT (endpoint) DO UPDATE
SET provider = excluded.provider, secret = excluded.secret, former_secret = NULL,
    former_until = NULL
WHERE provider_endpoints.account_id = excluded.account_id"""
LIST: Final = f"SELECT {SHOWN} FROM provider_endpoints WHERE account_id = %s ORDER BY endpoint"
FIND: Final = "SELECT provider FROM provider_endpoints WHERE account_id = %s AND endpoint = %s"
ROTATE: Final = f"""
UPDATE provider_endpoints
SET former_secret = secret, former_until = {NOW} + %s, secret = %s
WHERE account_id = %s AND endpoint = %s RETURNING {SHOWN}"""
DELETE: Final = "DELETE FROM provider_endpoints WHERE account_id = %s AND endpoint = %s"

URL: Final = "https://consent.example.com/v1/webhooks/twilio/clinic"
ENDPOINT: Final[dict[str, Any]] = {
    "endpoint": "clinic",
    "provider": "twilio",
    "url": URL,
    "created_at": "2026-03-04T10:00:00Z",
    "former_secret_until": None,
}


@router.get(
    "/v1/provider-endpoints",
    responses=documented(
        "The endpoints, without their secrets",
        "ProviderEndpointList",
        {"items": [ENDPOINT], "next_cursor": None},
    ),
)
async def get_endpoints(caller: Admin, service: ServiceIn) -> Response:
    """Where the account's providers deliver."""
    async with service.connection() as conn:
        rows = await (await conn.execute(LIST.encode(), (caller.account_id,))).fetchall()
    return reply({"items": [_shown(service, row) for row in rows], "next_cursor": None})


@router.put(
    "/v1/provider-endpoints/{endpoint}",
    responses=documented(
        "Where the provider's webhooks arrive",
        "ProviderEndpointNamed",
        {"endpoint": "clinic", "provider": "twilio", "url": URL},
        "secret-unusable",
        "endpoint-taken",
    ),
)
async def put_endpoint(
    endpoint: EndpointName, body: EndpointBody, caller: Admin, service: ServiceIn
) -> Response:
    """Names the secret that signs a provider's webhooks to this endpoint; no other counts then."""
    _check_secret(body.provider, body.secret)
    sealed = seal(service.keyring, body.secret)
    async with service.connection() as conn:
        params = (endpoint, caller.account_id, body.provider, sealed)
        done = await conn.execute(PUT_ENDPOINT, params)
    if done.rowcount == 0:
        raise Problem(409, "endpoint-taken", "Another account has an endpoint of this name.")
    url = _url(service, body.provider, endpoint)
    return reply({"endpoint": endpoint, "provider": body.provider, "url": url})


@router.post(
    "/v1/provider-endpoints/{endpoint}/rotate",
    responses=documented(
        "How long the secret before this one counts",
        "ProviderEndpoint",
        {**ENDPOINT, "former_secret_until": "2026-03-05T10:00:00Z"},
        *KEYED,
        "not-found",
        "secret-unusable",
    ),
)
async def rotate_endpoint(
    endpoint: EndpointName, body: RotationBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """A new secret; the one before counts beside it for a while, older ones no more."""
    claims = await idempotency(request)
    async with service.connection() as conn, conn.transaction():
        await conn.execute(LOCK, (caller.account_id,))
        kept = await kept_answer(service, conn, caller, claims)
        if kept is not None:
            return reply(kept)
        found = await conn.execute(FIND, (caller.account_id, endpoint))
        row = await found.fetchone()
        if row is None:
            raise _not_found()
        _check_secret(row[0], body.secret)
        answer = await _rotate(service, conn, (caller.account_id, endpoint), body)
        await keep_answer(service, conn, caller, claims, answer)
    return reply(answer)


@router.delete(
    "/v1/provider-endpoints/{endpoint}",
    responses=documented(
        "It is gone",
        "ProviderEndpointDeleted",
        {"endpoint": "clinic", "deleted": True},
        "not-found",
    ),
)
async def delete_endpoint(endpoint: EndpointName, caller: Admin, service: ServiceIn) -> Response:
    """Closes an endpoint and forgets its secrets; its provider gets 404 from then on."""
    async with service.connection() as conn:
        done = await conn.execute(DELETE, (caller.account_id, endpoint))
    if done.rowcount == 0:
        raise _not_found()
    return reply({"endpoint": endpoint, "deleted": True})


async def _rotate(
    service: Service, conn: AsyncConnection[Any], place: tuple[object, str], body: RotationBody
) -> dict[str, Any]:
    sealed = seal(service.keyring, body.secret)
    params = (body.overlap_hours * DAY // 24, sealed, *place)
    return _shown(service, await (await conn.execute(ROTATE.encode(), params)).fetchone())


def _check_secret(provider: str, secret: str) -> None:
    problem = PROVIDERS[provider].check_secret(secret)
    if problem is not None:
        raise invalid("secret", "secret-unusable", f"The secret {problem}.")


def _url(service: Service, provider: str, endpoint: str) -> str:
    return f"{service.settings.base_url}/v1/webhooks/{provider}/{endpoint}"


def _shown(service: Service, row: Any) -> dict[str, Any]:
    endpoint, provider, created_at, former_until = row
    return {
        "endpoint": endpoint,
        "provider": provider,
        "url": _url(service, provider, endpoint),
        "created_at": render.instant(created_at),
        "former_secret_until": render.instant(former_until),
    }


def _not_found() -> Problem:
    return Problem(404, "not-found", "No endpoint has this name.")
