"""Tell: what happened, as facts (contract section 4)."""

import asyncio
import json
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from api.auth import Caller, allow
from api.delivery_codes import read_code
from api.direct import DirectRoute
from api.inbound import Inbound, receive
from api.problems import Problem, of_claim, of_refusal, unknown_purpose
from api.responses import documented, reply
from api.schemas import tell as s
from api.service import Service
from api.submit import (
    Number,
    ServiceIn,
    digest,
    idempotency,
    of_row,
    read_number,
    receipt_fields,
    record,
    require_by,
    reserve,
    storable,
    told,
)
from consent_ledger import commands as c
from consent_ledger.carrier import is_known
from consent_ledger.decision import UnknownPurposeError
from consent_ledger.facts import Evidence, event_id, parse_event_id
from consent_ledger.ledger import INBOUND_CLAIM, MESSAGE_CLAIM, Claim, ClaimReusedError, Receipt
from consent_ledger.number import mask
from consent_ledger.phone_number import RefusedError
from consent_ledger.words import Basis, Channel, Level, Method, Role, Source

router = APIRouter(tags=["tell"], route_class=DirectRoute)
Sender = Annotated[Caller, Depends(allow(Role.SENDER))]
SenderOrAdmin = Annotated[Caller, Depends(allow(Role.SENDER, Role.ADMIN))]
SenderOrAgent = Annotated[Caller, Depends(allow(Role.SENDER, Role.AGENT))]
Staff = Annotated[Caller, Depends(allow(Role.AGENT, Role.ADMIN))]
Writer = Annotated[Caller, Depends(allow(Role.SENDER, Role.AGENT, Role.ADMIN))]
Admin = Annotated[Caller, Depends(allow(Role.ADMIN))]

RECEIPT: Final[dict[str, Any]] = {
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number_version": 3,
    "position": 42,
    "recorded": ["StopReceived", "ReplyIssued"],
}
OPAQUE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""Members of an evidence object that look like this may stand in an event; the whole of it goes to
the vault and leaves a digest."""
MEANS: Final = {
    "phone": Channel.PHONE,
    "email": Channel.EMAIL,
    "in_person": Channel.IN_PERSON,
    "web": Channel.WEB,
    "paper": Channel.PAPER,
    "sms": Channel.SMS,
}


@router.post(
    "/v1/inbound-messages",
    responses=documented(
        "How the text was understood, and the reply to send",
        {
            **RECEIPT,
            "understood_as": "stop",
            "reply": {"kind": "stop_confirmation", "to": "+14155550100", "text": "..."},
            "review_id": None,
        },
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
        message_id=body.message_id,
        media_count=body.media_count,
        at=body.received_at if provider_time else body.occurred_at,
        basis=Basis.PROVIDER if provider_time else Basis.SENDER,
        scope="api",
        correlation_id=body.correlation_id,
    )
    return reply(await receive(service, caller.account_id, text, await idempotency(request)))


@router.post("/v1/consents", responses=documented("What was recorded", RECEIPT))
async def consent(
    body: s.ConsentBody, request: Request, caller: SenderOrAdmin, service: ServiceIn
) -> Response:
    """Consent given on the web, on paper or by voice; never lifts an opt-out (R-F3)."""
    number = read_number(service, caller.account_id, body.number)
    evidence, words = _evidence(service, body.evidence)
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
        return await _recorded(request, service, caller, number, command, words)
    except UnknownPurposeError:
        raise unknown_purpose("purposes") from None


def _evidence(
    service: Service, given: str | dict[str, Any] | None
) -> tuple[Evidence | None, str | None]:
    """Ids and a digest for the event, and the whole for the vault."""
    if given is None:
        return None, None
    whole = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    ids = given if isinstance(given, dict) else {}
    whole = storable(whole)
    evidence = Evidence(
        text_digest=service.keyring.digest("words", whole.encode()).hex()[:32],
        form_id=_opaque(ids.get("form_id")),
        template_version=_opaque(ids.get("template_version")),
        disclosure_digest=_opaque(ids.get("disclosure_digest")),
        provider_message_id=_opaque(ids.get("provider_message_id")),
    )
    return evidence, whole


def _opaque(value: object) -> str | None:
    """An id that may stand in an event: short, and nothing that could be a phone number."""
    if not isinstance(value, str) or not OPAQUE_ID.fullmatch(value) or mask(value) != value:
        return None
    return value


@router.post(
    "/v1/consent-requests",
    status_code=201,
    responses=documented(
        "The request to send",
        {**RECEIPT, "request_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-4", "text": "..."},
        status=201,
        problems=(409,),
    ),
)
async def consent_request(
    body: s.ConsentRequestBody, request: Request, caller: SenderOrAgent, service: ServiceIn
) -> Response:
    """Ask for consent by hand; 409 with the reason where it may not be sent (R-F9)."""
    number = read_number(service, caller.account_id, body.number)
    command = c.RequestConsent(
        told=told(
            caller, body.occurred_at, body.sent_by or body.by, correlation_id=body.correlation_id
        ),
        purposes=tuple(dict.fromkeys(body.purposes)),
        location=body.location,
        sent_by=body.sent_by,
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


@router.post("/v1/opt-outs", responses=documented("What was recorded", RECEIPT))
async def opt_out(
    body: s.OptOutBody, request: Request, caller: Writer, service: ServiceIn
) -> Response:
    """Opt a number out: for the agent, or because the contact asked outside SMS (R-F6)."""
    number = read_number(service, caller.account_id, body.number)
    command = _opt_out(body, caller)
    return await _recorded(request, service, caller, number, command, body.reason)


def _opt_out(body: s.OptOutBody, caller: Caller) -> c.OptOut:
    contact = body.requested_by == "contact"
    channel = MEANS.get(body.means or "", Channel.OTHER) if body.means else Channel.API
    return c.OptOut(
        told=told(
            caller,
            body.occurred_at,
            require_by(body.by),
            channel=channel,
            correlation_id=body.correlation_id,
        ),
        source=Source.CONTACT if contact else Source.AGENT,
    )


@router.post("/v1/opt-ins", responses=documented("What was recorded", RECEIPT, problems=(409,)))
async def opt_in(
    body: s.OptInBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Take back an agent's opt-out; 409 where the contact or the carrier opted out (R-F6)."""
    number = read_number(service, caller.account_id, body.number)
    return await _recorded(request, service, caller, number, _opt_in(body, caller), body.reason)


def _opt_in(body: s.OptInBody, caller: Caller) -> c.OptIn:
    by = require_by(body.by)
    return c.OptIn(told(caller, body.occurred_at, by, correlation_id=body.correlation_id))


BATCHED: Final = {"results": [{**RECEIPT, "recorded": ["OptedOut"]}]}


@router.post("/v1/opt-outs/batch", responses=documented("A verdict for each row", BATCHED))
async def opt_out_batch(
    body: s.OptOutBatchBody, request: Request, caller: Writer, service: ServiceIn
) -> Response:
    """Many opt-outs at once, each with its own verdict."""

    claims = await idempotency(request)
    await reserve(service, caller, claims)

    async def one(row: int, item: s.OptOutBody) -> dict[str, Any]:
        number = read_number(service, caller.account_id, item.number)
        command = _opt_out(item, caller)
        receipt = await record(
            service, caller, number, command, claims=of_row(claims, row), words=item.reason
        )
        return receipt_fields(receipt)

    return reply({"results": await _each(one, body.items)})


@router.post("/v1/opt-ins/batch", responses=documented("A verdict for each row", BATCHED))
async def opt_in_batch(
    body: s.OptInBatchBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Many opt-ins at once, each with its own verdict."""

    claims = await idempotency(request)
    await reserve(service, caller, claims)

    async def one(row: int, item: s.OptInBody) -> dict[str, Any]:
        number = read_number(service, caller.account_id, item.number)
        command = _opt_in(item, caller)
        receipt = await record(
            service, caller, number, command, claims=of_row(claims, row), words=item.reason
        )
        return receipt_fields(receipt)

    return reply({"results": await _each(one, body.items)})


async def _each(one: Any, items: list[Any]) -> list[dict[str, Any]]:
    """Each row's verdict: what was recorded, or its problem. In order, so that rows about the
    same number take effect as written."""
    pending = [asyncio.ensure_future(_verdict(one, row, item)) for row, item in enumerate(items)]
    return list(await asyncio.gather(*pending))


async def _verdict(one: Any, row: int, item: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = await one(row, item)
    except Problem as problem:
        return _error(problem)
    except RefusedError as refusal:
        return _error(of_refusal(refusal))
    except ClaimReusedError as error:
        return _error(of_claim(error))
    return found


def _error(problem: Problem) -> dict[str, Any]:
    return {
        "error": {
            "status": problem.status,
            "code": problem.code,
            "detail": problem.detail,
            **problem.extra,
        }
    }


@router.post(
    "/v1/carrier-reports",
    responses=documented("How the report was classified", {**RECEIPT, "class": "opted_out"}),
)
async def carrier_report(
    body: s.CarrierReportBody, request: Request, caller: Sender, service: ServiceIn
) -> Response:
    """The fate of a text; only what says so of the phone itself suppresses (R-F7)."""
    number = read_number(service, caller.account_id, body.number)
    delivery_class = read_code(body.provider, body.code)
    refers_to = await sent_as(service, caller, number, body.message_id)
    command = c.ReportDelivery(
        told=told(caller, body.occurred_at, body.by, correlation_id=body.correlation_id),
        provider=body.provider,
        code=body.code,
        delivery_class=str(delivery_class),
        message_id=body.message_id,
        refers_to=refers_to,
    )
    claims = (*report_claim(command, number), *await idempotency(request))
    receipt = await record(service, caller, number, command, claims=claims)
    fields = receipt_fields(receipt)
    known = is_known(body.provider, body.code)
    return reply({**fields, "class": receipt.answer.delivery_class, "known_code": known})


def report_claim(command: c.ReportDelivery, number: Number) -> tuple[Claim, ...]:
    """The claim of a report on a text that has an id: delivered again it is one fact (R-O1)."""
    if command.message_id is None:
        return ()
    said = ("report", command.provider, command.message_id, command.code)
    key = digest(*(part.encode() for part in said), number.ids[-1].bytes)
    return (Claim(INBOUND_CLAIM, key),)


FIND_MESSAGE: Final = """
SELECT version FROM claims WHERE account_id = %s AND kind = %s AND key = %s
    AND number_id = ANY(%s)"""


async def sent_as(
    service: Service, caller: Caller, number: Number, message_id: str | None
) -> int | None:
    """The version of the event that sent a text: a message, or a request by its request id."""
    if message_id is None:
        return None
    try:
        number_id, version = parse_event_id(message_id)
        if number_id in number.ids:
            return version
    except ValueError:
        pass
    params = (caller.account_id, MESSAGE_CLAIM, digest(message_id.encode()), list(number.ids))
    async with service.connection() as conn:
        row = await (await conn.execute(FIND_MESSAGE, params)).fetchone()
    return row[0] if row else None


@router.post("/v1/purpose-blocks", responses=documented("What was recorded", RECEIPT))
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
    return await _recorded(request, service, caller, number, command)


@router.post("/v1/preferences", responses=documented("What was recorded", RECEIPT))
async def preference(
    body: s.PreferenceBody, request: Request, caller: SenderOrAdmin, service: ServiceIn
) -> Response:
    """What a system of record says of marketing (R-B2, R-B3)."""
    number = read_number(service, caller.account_id, body.number)
    about = told(caller, body.occurred_at, body.by, correlation_id=body.correlation_id)
    command = c.RecordPreference(about, body.system, body.value)
    return await _recorded(request, service, caller, number, command)


@router.post("/v1/time-zones", responses=documented("What was recorded", RECEIPT))
async def time_zone(
    body: s.TimeZoneBody, request: Request, caller: Writer, service: ServiceIn
) -> Response:
    """Where the contact lives, so that permitted hours are read on their clock (row 14)."""
    number = read_number(service, caller.account_id, body.number)
    about = told(caller, body.occurred_at, body.by, correlation_id=body.correlation_id)
    return await _recorded(
        request, service, caller, number, c.RecordTimeZone(about, body.time_zone)
    )


@router.post("/v1/reassignments", responses=documented("What was recorded", RECEIPT))
async def reassignment(
    body: s.ReassignmentBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """The number was disconnected: what its last holder agreed to is void (R-F8)."""
    number = read_number(service, caller.account_id, body.number)
    evidence, words = _evidence(service, body.evidence)
    about = told(
        caller, body.occurred_at, body.by, correlation_id=body.correlation_id, evidence=evidence
    )
    command = c.Reassign(about, body.disconnected_on)
    return await _recorded(request, service, caller, number, command, words)


async def _recorded(
    request: Request,
    service: Service,
    caller: Caller,
    number: Number,
    command: c.Command,
    words: str | None = None,
) -> Response:
    claims: tuple[Claim, ...] = await idempotency(request)
    receipt: Receipt = await record(service, caller, number, command, claims=claims, words=words)
    return reply(receipt_fields(receipt))
