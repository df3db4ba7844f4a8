"""Tell: what happened, as facts (contract section 4)."""

from fastapi import APIRouter, Request, Response

from api.callers import Admin, Sender, SenderOrAdmin, Staff, Teller
from api.direct import DirectRoute
from api.ids import opaque
from api.inbound import Inbound, receive
from api.problem_codes import KEYED
from api.responses import documented, reply
from api.schemas import tell as s
from api.submit import (
    ServiceIn,
    idempotency,
    read_number,
    require_by,
    told,
)
from api.telling import RECEIPT, documented_receipt, read_evidence, recorded
from consent_ledger import commands as c
from consent_ledger.words import Basis

router = APIRouter(tags=["tell"], route_class=DirectRoute)


@router.post(
    "/v1/inbound-messages",
    responses=documented(
        "How the text was understood, and the reply to send",
        "InboundReceipt",
        {
            **RECEIPT,
            "understood_as": "stop",
            "reply": {"kind": "stop_confirmation", "to": "+14155550100", "text": "..."},
            "review_id": None,
        },
        *KEYED,
    ),
)
async def inbound_message(
    body: s.InboundBody, request: Request, caller: Sender, service: ServiceIn
) -> Response:
    """A text from a contact; a words' claimed time in the future is never a reason to refuse."""
    provider_time = body.received_at is not None
    text = Inbound(
        sender=body.sender,
        to=body.to,
        body=body.body,
        message_id=opaque(body.message_id),
        media_count=body.media_count,
        at=body.received_at if provider_time else body.occurred_at,
        basis=Basis.PROVIDER if provider_time else Basis.SENDER,
        scope="api",
        correlation_id=None if body.correlation_id is None else opaque(body.correlation_id),
    )
    return reply(await receive(service, caller.account_id, text, await idempotency(request)))


@router.post(
    "/v1/purpose-blocks",
    responses=documented_receipt("PurposeBlocked", "missing", "unknown-purpose"),
)
async def purpose_block(
    body: s.PurposeBlockBody, request: Request, caller: Staff, service: ServiceIn
) -> Response:
    """Put a number on the blocked list for a purpose, or take it off (R-B1)."""
    number = read_number(service, caller.account_id, body.number)
    command = c.BlockPurpose(
        told(caller, body.occurred_at, require_by(body.by), correlation_id=body.correlation_id),
        body.purpose,
        body.blocked,
    )
    return await recorded(request, service, caller, number, command)


@router.post(
    "/v1/preferences",
    responses=documented_receipt("MarketingPreferenceRecorded"),
)
async def preference(
    body: s.PreferenceBody, request: Request, caller: SenderOrAdmin, service: ServiceIn
) -> Response:
    """What a system of record says of marketing (R-B2, R-B3)."""
    number = read_number(service, caller.account_id, body.number)
    about = told(caller, body.occurred_at, body.by, correlation_id=body.correlation_id)
    command = c.RecordPreference(about, body.system, body.value)
    return await recorded(request, service, caller, number, command)


@router.post(
    "/v1/time-zones",
    responses=documented_receipt("TimeZoneRecorded"),
)
async def time_zone(
    body: s.TimeZoneBody, request: Request, caller: Teller, service: ServiceIn
) -> Response:
    """Where the contact lives, so that permitted hours are read on their clock (row 14)."""
    number = read_number(service, caller.account_id, body.number)
    about = told(caller, body.occurred_at, body.by, correlation_id=body.correlation_id)
    return await recorded(request, service, caller, number, c.RecordTimeZone(about, body.time_zone))


@router.post(
    "/v1/reassignments",
    responses=documented_receipt("NumberReassigned", "disconnected-on-not-past"),
)
async def reassignment(
    body: s.ReassignmentBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """The number was disconnected: what its last holder agreed to is void (R-F8)."""
    number = read_number(service, caller.account_id, body.number)
    evidence, words = read_evidence(service, body.evidence)
    about = told(
        caller, body.occurred_at, body.by, correlation_id=body.correlation_id, evidence=evidence
    )
    command = c.Reassign(about, body.disconnected_on)
    return await recorded(request, service, caller, number, command, words)
