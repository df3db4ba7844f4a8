"""What became of a text, in the words of its provider (contract section 4, R-F7)."""

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.callers import Sender
from api.delivery_codes import read_code
from api.direct import DirectRoute
from api.held_texts import message_claim
from api.problem_codes import TOLD
from api.responses import documented, reply
from api.schemas import tell as s
from api.service import Service
from api.submit import (
    Number,
    ServiceIn,
    digest,
    idempotency,
    read_number,
    receipt_fields,
    record,
    told,
)
from api.telling import RECEIPT
from consent_ledger import commands as c
from consent_ledger.carrier import is_known
from consent_ledger.facts import parse_event_id
from consent_ledger.ledger import INBOUND_CLAIM, Claim

router = APIRouter(tags=["tell"], route_class=DirectRoute)


@router.post(
    "/v1/carrier-reports",
    responses=documented(
        "How the report was classified",
        "CarrierReceipt",
        {**RECEIPT, "recorded": ["DeliveryReported"], "class": "opted_out", "known_code": True},
        *TOLD,
    ),
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
    key = message_claim(message_id).key
    found = await service.messages.find(caller.account_id, key, message_id)
    return found.version if found is not None and found.number_id in number.ids else None
