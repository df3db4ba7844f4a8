"""Consent given outside SMS, and requests for it (contract section 4)."""

from fastapi import APIRouter, Request, Response

from api.callers import SenderOrAdmin, SenderOrAgent
from api.direct import DirectRoute
from api.problem_codes import TOLD
from api.problems import unknown_purpose
from api.responses import documented, reply
from api.schemas import tell as s
from api.submit import (
    ServiceIn,
    idempotency,
    read_number,
    receipt_fields,
    record,
    require_by,
    told,
)
from api.telling import RECEIPT, documented_receipt, read_evidence, recorded
from consent_ledger import commands as c
from consent_ledger.decision import UnknownPurposeError
from consent_ledger.facts import event_id
from consent_ledger.words import Channel, Level, Method

router = APIRouter(tags=["tell"], route_class=DirectRoute)


@router.post(
    "/v1/consents",
    responses=documented_receipt("ConsentGranted", "missing", "unknown-purpose"),
)
async def consent(
    body: s.ConsentBody, request: Request, caller: SenderOrAdmin, service: ServiceIn
) -> Response:
    """Consent given on the web, on paper or by voice; never lifts an opt-out (R-F3)."""
    number = read_number(service, caller.account_id, body.number)
    evidence, words = read_evidence(service, body.evidence)
    command = c.GiveConsent(
        told=told(
            caller,
            body.occurred_at,
            require_by(body.by),
            channel=Channel(body.method),
            correlation_id=body.correlation_id,
            evidence=evidence,
        ),
        purposes=tuple(dict.fromkeys(body.purposes)),
        level=Level(body.level),
        method=Method(body.method),
    )
    try:
        return await recorded(request, service, caller, number, command, words)
    except UnknownPurposeError:
        raise unknown_purpose("purposes") from None


@router.post(
    "/v1/consent-requests",
    status_code=201,
    responses=documented(
        "The request to send",
        "ConsentRequestReceipt",
        {
            **RECEIPT,
            "recorded": ["ConsentRequested"],
            "request_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-4",
            "text": "...",
        },
        *TOLD,
        "unknown-purpose",
        "consent-request-refused",
        status=201,
    ),
)
async def consent_request(
    body: s.ConsentRequestBody, request: Request, caller: SenderOrAgent, service: ServiceIn
) -> Response:
    """Ask for consent by hand; 409 with the reason where it may not be sent (R-F9)."""
    number = read_number(service, caller.account_id, body.number)
    # Who tells of a request sends it, unless they say who else does: R-L2 asks for the permission
    # of a person, whichever field names them.
    user = body.sent_by or body.by
    command = c.RequestConsent(
        told=told(caller, body.occurred_at, user, correlation_id=body.correlation_id),
        purposes=tuple(dict.fromkeys(body.purposes)),
        location=body.location,
        sent_by=user,
    )
    claims = await idempotency(request)
    try:
        receipt = await record(service, caller, number, command, claims=claims)
    except UnknownPurposeError:
        raise unknown_purpose("purposes") from None
    fields = receipt_fields(receipt)
    fields["request_id"] = event_id(receipt.number_id, receipt.answer.request or 0)
    fields["text"] = receipt.answer.text
    return reply(fields, 201)
