"""Messages: send now, hold, release (contract section 5)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec.structs import replace

from api import render
from api.callers import Anyone, SenderOrAgent
from api.direct import DirectRoute
from api.held_texts import Waiting, find_message, find_releasable, message_claim, numbers_of
from api.paging import read_place
from api.problem_codes import ASKED, KEYED
from api.problems import invalid
from api.questions import read_question
from api.responses import documented, reply
from api.schemas import messages as s
from api.schemas.base import OpaqueId
from api.service import Service
from api.submit import (
    Number,
    ServiceIn,
    idempotency,
    receipt_fields,
    record,
    told,
)
from consent_ledger import commands as c
from consent_ledger.facts import event_id
from consent_ledger.held import ASKED_STATES, Asked
from consent_ledger.ledger import Receipt
from consent_ledger.store.log import read_stream
from consent_ledger.store.messages import Message
from consent_ledger.words import MessageState

router = APIRouter(tags=["messages"], route_class=DirectRoute)

PAGE_LIMIT: Final = 1000
"""Messages on a page of a list."""

MESSAGE: Final[dict[str, Any]] = {
    "message_id": "text-1",
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "state": "releasable",
    "purpose": "conversation",
    "reason": "consent_required",
    "asked_at": "2026-03-04T10:00:00Z",
    "expires_at": None,
    "claimed_by": None,
    "ended_at": None,
}
ANSWER: Final[dict[str, Any]] = {
    "may_text": False,
    "decision": "defer",
    "reason": "consent_required",
    "explanation": "No consent on record covers this purpose. Ask for it first.",
    "lifted_by": "consent_request",
    "source": None,
    "since": None,
    "not_before": None,
    "consent": "none",
    "opted_out": False,
    "opt_out_source": None,
    "do_not_text": False,
    "status_label": "Not Authorized",
    "purpose": "conversation",
    "policy_version": 1,
    "evidence": [],
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number_version": 2,
    "position": 42,
    "recorded": ["MessageDeferred", "ConsentRequested"],
    "state": "deferred",
    "consent_request": {
        "request_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-2",
        "to": "+14155550100",
        "text": "...",
    },
}


@router.post(
    "/v1/messages",
    responses=documented(
        "The decision, the text's state and a request for consent to send",
        "MessageAnswer",
        ANSWER,
        *ASKED,
        *KEYED,
        "expires-at-in-past",
        "message-id-reused",
    ),
)
async def ask(
    body: s.MessageBody, request: Request, caller: SenderOrAgent, service: ServiceIn
) -> Response:
    """May this text go? The answer is kept; a text that may go later is held."""
    account_id = caller.account_id
    number, contacts, question = read_question(service, account_id, body)
    question = replace(question, confirmed=body.confirmed)
    command = c.AskMessage(
        told(caller, None, body.sent_by), body.message_id, question, body.expires_at
    )
    # The key first: its answer stays the one of its time, though the text was confirmed since.
    claims = (*await idempotency(request), message_claim(body.message_id))
    receipt = await record(service, caller, number, command, claims=claims, contacts=contacts)
    return reply(_asked(receipt, number))


def _asked(receipt: Receipt, number: Number) -> dict[str, Any]:
    answer = receipt.answer
    assert answer.decision is not None
    fields = render.decision_fields(answer.decision, receipt.number_id)
    fields |= receipt_fields(receipt)
    fields["state"] = str(answer.state)
    fields["consent_request"] = None
    if answer.request is not None:
        fields["consent_request"] = {
            "request_id": event_id(receipt.number_id, answer.request),
            "to": number.e164,
            "text": answer.text,
        }
    return fields


@router.get(
    "/v1/messages/{message_id:path}",
    responses=documented("The message", "Message", MESSAGE, "not-found"),
)
async def show(message_id: OpaqueId, caller: Anyone, service: ServiceIn) -> Response:
    """One message and its fate."""
    message = await find_message(service, caller, message_id)
    if message.held is not None:
        waiting = Waiting(message.number_id, message.held, message.number)
        view = await service.reader.view(caller.account_id, numbers_of([waiting]))
        return reply(_described(waiting, waiting.state_in(view)))
    return reply(await _never_held(service, message, message_id))


async def _never_held(service: Service, message: Message, message_id: str) -> dict[str, Any]:
    """A message that was answered at once: its event tells."""
    async with service.connection() as conn:
        events = await read_stream(conn, message.number_id, message.version)
    asked = next(
        e for e in events if e.context.message_id == message_id and isinstance(e.fact, Asked)
    )
    assert isinstance(asked.fact, Asked)
    return {
        "message_id": message_id,
        "number_id": str(message.number_id),
        "state": str(ASKED_STATES[type(asked.fact)]),
        "purpose": asked.fact.purpose,
        "reason": str(asked.fact.reason),
        "asked_at": render.instant(asked.context.at),
        "expires_at": render.instant(asked.fact.expires_at),
        "claimed_by": None,
    }


def _described(waiting: Waiting, state: MessageState) -> dict[str, Any]:
    held = waiting.held
    return {
        "message_id": held.message_id,
        "number_id": str(waiting.number_id),
        "state": str(state),
        "purpose": held.asked.purpose,
        "reason": str(held.asked.reason),
        "asked_at": render.instant(held.asked_at),
        "expires_at": render.instant(held.asked.expires_at),
        "claimed_by": held.claimed_by,
        "ended_at": render.instant(held.ended_at),
    }


@router.get(
    "/v1/messages",
    responses=documented(
        "Messages, the oldest first",
        "MessagePage",
        {"items": [MESSAGE], "next_cursor": None},
        "unknown-state",
        "cursor-malformed",
    ),
)
async def list_messages(
    caller: Anyone,
    service: ServiceIn,
    state: str = "releasable",
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    cursor: str | None = None,
) -> Response:
    """Held messages that may go now, the oldest first."""
    if state != "releasable":
        raise invalid("state", "unknown-state", "Messages are listed by state=releasable.")
    after = read_place(cursor)
    found, last = await find_releasable(service, caller.account_id, after, limit)
    items = [_described(each, MessageState.RELEASABLE) for each in found]
    return reply({"items": items, "next_cursor": str(last) if last is not None else None})
