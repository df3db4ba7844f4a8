"""Held texts are handed out, each to one claimant, or taken back (contract section 5)."""

import asyncio
import contextlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api import render
from api.auth import Caller, allow
from api.direct import DirectRoute
from api.held_texts import Waiting, find_releasable
from api.problems import Problem
from api.responses import documented, reply
from api.routes.messages import find_message
from api.schemas import messages as s
from api.schemas.base import OpaqueId
from api.service import Service
from api.submit import (
    ServiceIn,
    idempotency,
    keep_answer,
    kept_answer,
    receipt_fields,
    told,
)
from consent_ledger import commands as c
from consent_ledger.held import Held
from consent_ledger.ledger import Claim, Receipt, Submission, UnavailableError
from consent_ledger.phone_number import RefusedError
from consent_ledger.words import MessageState, Role

router = APIRouter(tags=["messages"], route_class=DirectRoute)
Sender = Annotated[Caller, Depends(allow(Role.SENDER))]
SenderOrAgent = Annotated[Caller, Depends(allow(Role.SENDER, Role.AGENT))]


@router.post(
    "/v1/messages/release-next",
    responses=documented(
        "Messages to send now",
        {"items": [{"message_id": "text-1", "number": "+14155550100", "purpose": "recall"}]},
    ),
)
async def release_next(
    body: s.ReleaseNextBody, request: Request, caller: Sender, service: ServiceIn
) -> Response:
    """Up to `limit` of the oldest messages that may go now, each for this claimant alone."""
    claims = await idempotency(request)
    async with service.connection() as conn:
        kept = await kept_answer(service, conn, caller, claims)
    if kept is not None:
        return reply(kept)
    answer = {"items": await _hand_out(service, caller, body)}
    # What was released is this claimant's, whether or not the answer can be kept for a repetition.
    with contextlib.suppress(UnavailableError):
        async with service.connection() as conn:
            await keep_answer(service, conn, caller, claims, answer)
    return reply(answer)


async def _hand_out(
    service: Service, caller: Caller, body: s.ReleaseNextBody
) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    expired: list[Waiting] = []
    after = 0
    while len(items) < body.limit:
        found, last = await find_releasable(
            service, caller.account_id, after, body.limit - len(items), expired
        )
        # Together, so that they share commits; a message of an erased person has nobody to go to.
        tries = [_try(service, caller, each, body.claimed_by) for each in found if each.number]
        tried = await asyncio.gather(*tries, return_exceptions=True)
        items += [item for item in tried if isinstance(item, dict)]
        failed = [each for each in tried if isinstance(each, BaseException)]
        if failed and not items:
            raise failed[0]
        if failed or last is None:
            # What was released has to be handed out now: nobody else will get it.
            break
        after = last
    # What outlived its expiry is ended on the way, or every list would read it again.
    ended = (_try(service, caller, each, body.claimed_by) for each in expired)
    await asyncio.gather(*ended, return_exceptions=bool(items))
    return items


async def _try(
    service: Service, caller: Caller, waiting: Waiting, claimant: str
) -> dict[str, Any] | None:
    try:
        receipt = await _release(
            service, caller, waiting.number_id, waiting.held, waiting.held.message_id, claimant
        )
    except RefusedError:
        return None
    # A claimant who asks again is not handed the same text twice.
    released = receipt.answer.state is MessageState.RELEASED and bool(receipt.recorded)
    return _handed_out(waiting) if released else None


def _handed_out(waiting: Waiting) -> dict[str, Any]:
    return {
        "message_id": waiting.held.message_id,
        "number": waiting.number,
        "purpose": waiting.held.asked.purpose,
    }


async def _release(
    service: Service,
    caller: Caller,
    number_id: UUID,
    held: Held | None,
    message_id: str,
    claimant: str,
    claims: tuple[Claim, ...] = (),
) -> Receipt:
    command = c.ReleaseMessage(told(caller, None, claimant), message_id, claimant)
    contacts = tuple((i,) for i in held.asked.contacts) if held is not None else ()
    return await service.writer.record(
        Submission(caller.account_id, (number_id,), None, command, claims=claims, contacts=contacts)
    )


@router.post(
    "/v1/messages/{message_id:path}/release",
    responses=documented(
        "The message is this claimant's to send",
        {"state": "released", "message_id": "text-1", "number": "+14155550100"},
        problems=(404, 409),
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
    receipt = await _release(
        service,
        caller,
        message.number_id,
        message.held,
        message_id,
        body.claimed_by,
        await idempotency(request),
    )
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
    responses=documented("The message will never go", {"state": "cancelled"}, problems=(404, 409)),
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
