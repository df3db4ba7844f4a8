"""Opt-outs and opt-ins, one by one and in batches (contract section 4)."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.batches import Unread, read_items
from api.callers import Admin, Teller
from api.direct import DirectRoute
from api.problem_codes import KEYED, WHEN
from api.problems import Problem, of_claim, of_refusal
from api.responses import documented, reply
from api.schemas import tell as s
from api.service import Service
from api.submit import (
    ServiceIn,
    idempotency,
    of_row,
    read_number,
    receipt_fields,
    record,
    require_by,
    reserve,
    told,
)
from api.telling import RECEIPT, documented_receipt, recorded
from consent_ledger import commands as c
from consent_ledger.ledger import ClaimReusedError
from consent_ledger.phone_number import RefusedError
from consent_ledger.words import Channel, Source

router = APIRouter(tags=["tell"], route_class=DirectRoute)

MEANS: Final = {
    "phone": Channel.PHONE,
    "email": Channel.EMAIL,
    "in_person": Channel.IN_PERSON,
    "web": Channel.WEB,
    "paper": Channel.PAPER,
    "sms": Channel.SMS,
}


@router.post("/v1/opt-outs", responses=documented_receipt("OptedOut", "missing"))
async def opt_out(
    body: s.OptOutBody, request: Request, caller: Teller, service: ServiceIn
) -> Response:
    """Opt a number out: for the agent, or because the contact asked outside SMS (R-F6)."""
    number = read_number(service, caller.account_id, body.number)
    command = _opt_out(body, caller)
    return await recorded(request, service, caller, number, command, body.reason)


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


@router.post(
    "/v1/opt-ins",
    responses=documented_receipt("AdminOptedIn", "missing", "opt-in-forbidden"),
)
async def opt_in(
    body: s.OptInBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Take back an agent's opt-out; 409 where the contact or the carrier opted out (R-F6)."""
    number = read_number(service, caller.account_id, body.number)
    return await recorded(request, service, caller, number, _opt_in(body, caller), body.reason)


def _opt_in(body: s.OptInBody, caller: Caller) -> c.OptIn:
    by = require_by(body.by)
    return c.OptIn(told(caller, body.occurred_at, by, correlation_id=body.correlation_id))


TOGETHER: Final = 256
"""Rows of a batch that wait to be recorded: a STOP that comes meanwhile waits for these, and finds
room in the queue, whatever the size of the batch."""

MakeCommand = Callable[[Any, Caller], c.Command]
"""The command of a row, for whoever tells it."""


def _batched(recorded: str) -> dict[int | str, dict[str, Any]]:
    refused = {"status": 422, "code": "number-unparseable", "detail": WHEN["number-unparseable"]}
    example = {"results": [{**RECEIPT, "recorded": [recorded]}, {"error": refused}]}
    return documented("A verdict for each row", "BatchReceipt", example, *KEYED)


@router.post("/v1/opt-outs/batch", responses=_batched("OptedOut"))
async def opt_out_batch(
    body: s.OptOutBatchBody, request: Request, caller: Teller, service: ServiceIn
) -> Response:
    """Many opt-outs at once, each with its own verdict: what was recorded, or its `error`."""
    items = await read_items(body, body.items, s.OptOutBody)
    return await _batch(request, service, caller, items, _opt_out)


@router.post("/v1/opt-ins/batch", responses=_batched("AdminOptedIn"))
async def opt_in_batch(
    body: s.OptInBatchBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Many opt-ins at once, each with its own verdict: what was recorded, or its `error`."""
    items = await read_items(body, body.items, s.OptInBody)
    return await _batch(request, service, caller, items, _opt_in)


async def _batch(
    request: Request, service: Service, caller: Caller, items: Sequence[Any], make: MakeCommand
) -> Response:
    claims = await idempotency(request)
    await reserve(service, caller, claims)

    async def one(row: int, item: Any) -> dict[str, Any]:
        if isinstance(item, Unread):
            raise item.problem
        number = read_number(service, caller.account_id, item.number)
        receipt = await record(
            service,
            caller,
            number,
            make(item, caller),
            claims=of_row(claims, row),
            words=item.reason,
        )
        return receipt_fields(receipt)

    return reply({"results": await _each(one, items)})


async def _each(one: Any, items: Sequence[Any]) -> list[dict[str, Any]]:
    """Each row's verdict: what was recorded, or its problem. In order, so that rows about the
    same number take effect as written."""
    verdicts: list[dict[str, Any]] = []
    for first in range(0, len(items), TOGETHER):
        rows = enumerate(items[first : first + TOGETHER], first)
        pending = [asyncio.ensure_future(_verdict(one, row, item)) for row, item in rows]
        verdicts += await asyncio.gather(*pending)
    return verdicts


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
    found = {
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        **problem.extra,
    }
    if problem.errors:
        found["errors"] = problem.errors
    return {"error": found}
