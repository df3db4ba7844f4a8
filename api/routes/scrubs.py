"""Scrub a list: one question about numbers of any count, from one moment (contract section 3)."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.callers import Anyone
from api.past import require_manual_sender
from api.problems import Problem, invalid
from api.responses import problems
from api.schemas.base import OpaqueId, PurposeName, TimeZone
from api.schemas.scrubs import ANSWER, LIST, ListKind
from api.scrubbing.columns import BOM, Columns, HeaderError, read_header
from api.scrubbing.incoming import Incoming
from api.scrubbing.moment import Moment, this_moment
from api.scrubbing.orders import Scrub
from api.scrubbing.spool import SenderGoneError
from api.scrubbing.streaming import Scrubbed, answered, not_sent
from api.service import Service
from api.strict import StrictRoute
from api.submit import ServiceIn
from consent_ledger.decision import Question, decide
from consent_ledger.standing import Standing

router = APIRouter(tags=["ask"], route_class=StrictRoute)

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The same rows with the answers", "content": ANSWER},
    **problems(
        "unknown-purpose",
        "sent-by-required",
        "unsupported-media-type",
        "list-not-sent",
        "number-column-missing",
        "number-column-repeated",
        "answer-column-taken",
        "wrong-encoding",
        "header-too-long",
        "header-runs-on",
    ),
}


@router.post("/v1/scrubs", responses=RESPONSES, openapi_extra=LIST)
async def scrub(
    request: Request,
    caller: Anyone,
    service: ServiceIn,
    purpose: PurposeName,
    location: OpaqueId | None = None,
    sending_number_id: UUID | None = None,
    sent_by: OpaqueId | None = None,
    manual: Annotated[bool, Query()] = False,
    time_zone: TimeZone | None = None,
) -> Response:
    """One question about a list: the same rows, each with `may_text`, `decision` and `reason`."""
    kind = _kind(request.headers.get("content-type", ""))
    question = Question(
        purpose=purpose,
        location=location,
        sending_number_id=sending_number_id,
        sent_by=sent_by,
        manual=manual,
        time_zone=time_zone,
    )
    async with AsyncExitStack() as stack:
        incoming = _incoming(request, stack)
        head, columns, first = await _begun(incoming, kind)
        moment = await stack.enter_async_context(this_moment(service, caller.account_id))
        order = _order(service, caller, question, moment, columns)
        content = answered(service.crew, order, first, incoming)
        stack.push_async_callback(content.aclose)
        return Scrubbed(head, content, kind, incoming, stack.pop_all())


def _kind(content_type: str) -> ListKind:
    try:
        return ListKind(content_type.partition(";")[0].strip().lower())
    except ValueError:
        raise Problem(
            415, "unsupported-media-type", "Send text/csv or application/x-ndjson."
        ) from None


def _incoming(request: Request, stack: AsyncExitStack) -> Incoming:
    """The body, taken in from now on and until the answer is sent."""
    incoming = Incoming(request.receive)
    stack.callback(incoming.spool.close)
    taking = asyncio.create_task(incoming.run())
    stack.push_async_callback(_end, taking)
    return incoming


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _begun(incoming: Incoming, kind: ListKind) -> tuple[bytes, Columns | None, bytes]:
    """What the answer begins with, the columns of a table, and the first rows."""
    try:
        line, rest = await incoming.first_line()
        if kind is ListKind.NDJSON:
            return b"", None, line.removeprefix(BOM) + rest
        columns, head = read_header(line)
        return head, columns, rest
    except HeaderError as error:
        raise invalid(error.field, error.code, str(error)) from None
    except SenderGoneError:
        raise not_sent() from None


def _order(
    service: Service, caller: Caller, question: Question, moment: Moment, columns: Columns | None
) -> Scrub:
    """What a process needs to know; a question that fits no number is refused here."""
    require_manual_sender(moment.account.policy_at(moment.now).policy, question)
    decide(Standing(), question, moment.account, moment.now)
    return Scrub(
        scrub_id=service.crew.next_scrub(),
        snapshot=moment.snapshot,
        account=moment.state,
        account_id=caller.account_id,
        now=moment.now,
        question=question,
        columns=columns,
    )
