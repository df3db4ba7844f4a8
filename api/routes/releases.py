"""Held texts are handed out, each to one claimant, or taken back (contract section 5)."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api import render
from api.callers import Sender, SenderOrAgent
from api.direct import DirectRoute
from api.handing_out import hand_out, release_text
from api.held_texts import find_message
from api.problem_codes import KEYED
from api.problems import Problem
from api.responses import documented, reply
from api.schemas import messages as s
from api.schemas.base import OpaqueId
from api.submit import (
    ServiceIn,
    idempotency,
    receipt_fields,
    told,
)
from api.telling import RECEIPT
from consent_ledger import commands as c
from consent_ledger.ledger import Receipt, Submission
from consent_ledger.words import MessageState

router = APIRouter(tags=["messages"], route_class=DirectRoute)

HELD: Final = (*KEYED, "not-found", "already-released", "not-releasable")
"""The problems of a route that ends the wait of a text."""


@router.post(
    "/v1/messages/release-next",
    responses=documented(
        "Messages to send now",
        "HandedOutList",
        {"items": [{"message_id": "text-1", "number": "+14155550100", "purpose": "recall"}]},
        *KEYED,
    ),
)
async def release_next(
    body: s.ReleaseNextBody, request: Request, caller: Sender, service: ServiceIn
) -> Response:
    """Up to `limit` of the oldest messages that may go now, each for this claimant alone."""
    claims = await idempotency(request)
    items = await hand_out(service, caller, body.claimed_by, body.limit, claims)
    return reply({"items": items})


@router.post(
    "/v1/messages/{message_id:path}/release",
    responses=documented(
        "The message is this claimant's to send",
        "Released",
        {
            **RECEIPT,
            "recorded": ["MessageReleased"],
            "message_id": "text-1",
            "state": "released",
            "claimed_by": "worker-1",
            "number": "+14155550100",
            "purpose": "recall",
        },
        *HELD,
    ),
)
async def release(
    message_id: OpaqueId,
    body: s.ReleaseBody,
    request: Request,
    caller: Sender,
    service: ServiceIn,
) -> Response:
    """Decided again at this instant; handed to exactly one claimant."""
    message = await find_message(service, caller, message_id)
    if message.number is None:
        raise Problem(409, "not-releasable", "The person was erased: there is no number to text.")
    command = c.ReleaseMessage(told(caller, None, body.claimed_by), message_id, body.claimed_by)
    claims = await idempotency(request)
    receipt = await release_text(service, caller, message.number_id, message.held, command, claims)
    answer = receipt.answer
    if answer.state is not MessageState.RELEASED:
        raise _not_releasable(receipt)
    return reply(
        {
            **receipt_fields(receipt),
            "message_id": message_id,
            "state": "released",
            "claimed_by": body.claimed_by,
            "number": message.number,
            "purpose": answer.purpose,
        }
    )


def _not_releasable(receipt: Receipt) -> Problem:
    answer = receipt.answer
    fields: dict[str, Any] = {}
    # Where the number may be texted again but this text is over, a yes would be misread.
    if answer.decision is not None and not answer.decision.may_text:
        fields = render.decision_fields(answer.decision, receipt.number_id)
    fields |= receipt_fields(receipt)
    fields.setdefault("may_text", False)
    return Problem(
        409,
        "not-releasable",
        "This text may not go, or not yet.",
        **fields,
        state=str(answer.state),
    )


@router.post(
    "/v1/messages/{message_id:path}/cancel",
    responses=documented(
        "The message will never go",
        "Cancelled",
        {
            **RECEIPT,
            "recorded": ["MessageCancelled"],
            "message_id": "text-1",
            "state": "cancelled",
        },
        *HELD,
    ),
)
async def cancel(
    message_id: OpaqueId, request: Request, caller: SenderOrAgent, service: ServiceIn
) -> Response:
    """The sender takes a held message back; again is no error."""
    message = await find_message(service, caller, message_id)
    command = c.CancelMessage(told(caller, None), message_id)
    receipt = await service.writer.record(
        Submission(
            caller.account_id,
            (message.number_id,),
            None,
            command,
            claims=await idempotency(request),
        )
    )
    fields = receipt_fields(receipt)
    return reply({**fields, "message_id": message_id, "state": str(receipt.answer.state)})
