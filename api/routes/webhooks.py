"""Providers' own requests, their signatures checked (contract section 4)."""

import time
from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.auth import Caller
from api.problems import Problem
from api.providers import base
from api.providers.registry import PROVIDERS
from api.responses import WITHOUT_KEY, problems, schema_of
from api.schemas.base import EndpointName
from api.secrets_at_rest import unseal
from api.service import Service
from api.submit import ServiceIn, digest, reserve
from api.webhook_facts import Told, record_all
from consent_ledger.ledger import IDEMPOTENCY_CLAIM, Claim, ClaimReusedError
from consent_ledger.store.moment import NOW
from consent_ledger.words import Role

router = APIRouter(tags=["webhooks"])

FIND: Final = f"""
SELECT account_id, secret, CASE WHEN former_until > {NOW} THEN former_secret END
FROM provider_endpoints WHERE endpoint = %s AND provider = %s"""

ProviderName = Annotated[str, Path(json_schema_extra={"enum": list(PROVIDERS)})]

FORM: Final = {
    "MessageSid": "SM1",
    "From": "+14155550100",
    "To": "+14155550199",
    "Body": "STOP",
}
OBJECT: Final[dict[str, Any]] = {
    "type": "message.received",
    "data": {"from": "+14155550100", "to": "+14155550199", "body": "STOP", "message_id": "m-1"},
}
ANY_JSON: Final[dict[str, Any]] = {
    "anyOf": [{"type": "object"}, {"type": "array", "items": {}}],
    "description": "As the provider sends it; the form of the example is the standard one.",
}
REPLIES: Final = {
    "replies": [{"kind": "stop_confirmation", "to": "+14155550100", "text": "..."}],
}


@router.post(
    "/v1/webhooks/{provider}/{endpoint}",
    responses={
        200: {
            "description": "What to send, in the provider's own form where it has one",
            "content": {
                "application/xml": {"schema": {"type": "string"}, "example": "<Response/>"},
                "application/json": {"schema": schema_of("WebhookReplies"), "example": REPLIES},
            },
        },
        **problems(
            "credentials-missing",
            "signature-mismatch",
            "not-found",
            "webhook-malformed",
            "body-too-large",
            "internal-error",
            "unavailable",
        ),
    },
    openapi_extra={
        **WITHOUT_KEY,
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {"type": "object"},
                    "example": FORM,
                },
                "application/json": {"schema": ANY_JSON, "example": OBJECT},
            }
        },
    },
)
async def webhook(
    provider: ProviderName, endpoint: EndpointName, request: Request, service: ServiceIn
) -> Response:
    """A provider's texts and delivery reports, let in by its signature alone."""
    account_id, secrets = await _endpoint(service, endpoint, provider)
    known = PROVIDERS[provider]
    asked = await _asked(service, request)
    certificate = known.certificate_url(asked, secrets)
    if certificate is not None:
        asked = replace(asked, certificate=await service.amazon.certificate(certificate))
    if not known.verify(asked, secrets):
        raise _challenge() if known.awaits_challenge(asked) else _mismatch()
    try:
        facts = known.read(asked)
    except base.Malformed as error:
        raise Problem(422, "webhook-malformed", f"T{str(error)[1:]}.") from None
    await _keep_nonce(service, Caller(account_id, Role.SENDER, provider), known.nonce(asked), asked)
    told = Told(account_id, provider, known.codes, asked.now)
    replies = await record_all(service, told, facts)
    answer = known.answer(replies)
    return Response(answer.body, media_type=answer.media_type)


def _challenge() -> Problem:
    return Problem(
        401,
        "credentials-missing",
        "Send the endpoint's user and password.",
        headers={"WWW-Authenticate": 'Basic realm="consent-ledger"'},
    )


def _mismatch() -> Problem:
    return Problem(403, "signature-mismatch", "The request's signature does not match.")


async def _endpoint(service: Service, endpoint: str, provider: str) -> tuple[UUID, tuple[str, ...]]:
    """The account of an endpoint and the secrets that count, the newest first."""
    row = None
    if provider in PROVIDERS:
        async with service.connection() as conn:
            row = await (await conn.execute(FIND, (endpoint, provider))).fetchone()
            if row is not None:
                await service.accounts.at(conn, row[0], 0)
    if row is None:
        raise Problem(404, "not-found", "No endpoint has this name.")
    sealed = (bytes(each) for each in row[1:] if each is not None)
    return row[0], tuple(unseal(service.keyring, each) for each in sealed)


async def _asked(service: Service, request: Request) -> base.Request:
    """The request at the address that the provider called: from the settings, never from Host."""
    url = service.settings.base_url + request.url.path
    if request.url.query:
        url += f"?{request.url.query}"
    return base.Request(url, dict(request.headers), await request.body(), time.time())


async def _keep_nonce(
    service: Service, caller: Caller, nonce: str | None, asked: base.Request
) -> None:
    """A nonce stands on the body that it first came with, where the signature does not say so."""
    if nonce is None:
        return
    key = digest(b"nonce", caller.key_id.encode(), nonce.encode("utf-8", "surrogatepass"))
    try:
        await reserve(service, caller, (Claim(IDEMPOTENCY_CLAIM, key, digest(asked.body)),))
    except ClaimReusedError:
        raise _mismatch() from None
