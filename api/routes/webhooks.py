"""Providers' own requests, their signatures checked (contract section 4)."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.inbound import Inbound, receive
from api.problems import Problem
from api.providers import twilio
from api.responses import WITHOUT_KEY
from api.routes.tell import report_claim, sent_as
from api.schemas.base import EndpointName
from api.secrets_at_rest import unseal
from api.service import Service
from api.submit import ServiceIn, read_number, record, told
from consent_ledger import commands as c
from consent_ledger.carrier import classify
from consent_ledger.words import ActorKind, Basis, Channel, Role

router = APIRouter(tags=["webhooks"])

FIND: Final = """
SELECT account_id, secret FROM provider_endpoints WHERE endpoint = %s AND provider = %s"""
FIELDS: Final = 200
"""Fields of a form; Twilio sends some thirty."""


@router.post(
    "/v1/webhooks/twilio/{endpoint}",
    responses={
        200: {"description": "TwiML", "content": {"application/xml": {"example": "<Response/>"}}},
        403: {"description": "The signature does not match"},
    },
    openapi_extra={
        **WITHOUT_KEY,
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {"type": "object"},
                    "example": {
                        "MessageSid": "SM1",
                        "From": "+14155550100",
                        "To": "+14155550199",
                        "Body": "STOP",
                    },
                }
            }
        },
    },
)
async def twilio_webhook(endpoint: EndpointName, request: Request, service: ServiceIn) -> Response:
    """Twilio's inbound message or status callback; answered in TwiML with the reply to send."""
    account_id, secret = await _endpoint(service, endpoint, "twilio")
    body = await request.body()
    form = _form(body)
    url = service.settings.base_url + request.url.path
    if request.url.query:
        url += f"?{request.url.query}"
    signature = request.headers.get(twilio.SIGNATURE_HEADER, "")
    if not twilio.verify([secret], url, form, body, signature):
        raise Problem(403, "signature-mismatch", "The request's signature does not match.")
    try:
        if twilio.is_delivery_report(form):
            await _report(service, account_id, twilio.read_report(form))
            return Response(twilio.answer(None), media_type=twilio.CONTENT_TYPE)
        text = twilio.read(form)
    except twilio.MalformedRequest as error:
        raise Problem(422, "webhook-malformed", f"The field {error.field} is not there.") from None
    inbound = Inbound(
        sender=text.sender,
        to=text.to,
        body=text.body,
        message_id=text.message_id,
        media_count=text.media_count,
        at=None,
        basis=Basis.PROVIDER,
        scope="twilio",
        answered_by_provider=text.opt_out_type is not None,
    )
    answer = await receive(service, account_id, inbound)
    reply = answer["reply"]
    text_to_send = reply["text"] if reply else None
    return Response(twilio.answer(text_to_send), media_type=twilio.CONTENT_TYPE)


def _form(body: bytes) -> Sequence[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"
        )
    except ValueError:
        raise Problem(400, "webhook-malformed", "The body is not a form.") from None


async def _endpoint(service: Service, endpoint: str, provider: str) -> tuple[UUID, str]:
    async with service.connection() as conn:
        row = await (await conn.execute(FIND, (endpoint, provider))).fetchone()
        if row is None:
            raise Problem(404, "not-found", "No endpoint has this name.")
        await service.accounts.at(conn, row[0], 0)
    return row[0], unseal(service.keyring, bytes(row[1]))


async def _report(service: Service, account_id: UUID, report: twilio.DeliveryReport) -> None:
    if not report.final:
        return
    caller = Caller(account_id, Role.SENDER, "twilio")
    number = read_number(service, account_id, report.recipient, "To")
    code = report.code or report.status
    about = told(caller, None, channel=Channel.WEBHOOK, actor=ActorKind.SYSTEM)
    command = c.ReportDelivery(
        told=about,
        provider="twilio",
        code=code,
        delivery_class=str(classify("twilio", code)),
        message_id=report.message_id,
        refers_to=await sent_as(service, caller, number, report.message_id),
    )
    await record(service, caller, number, command, claims=report_claim(command, number))
