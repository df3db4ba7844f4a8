"""Suspected revocations that wait for a person (R-K4, R-F10)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api import render
from api.callers import Admin
from api.own_numbers import own_review
from api.paging import read_place
from api.problem_codes import KEYED
from api.responses import documented, reply
from api.schemas.tell import ReviewBody
from api.strict import StrictRoute
from api.submit import ServiceIn, idempotency, receipt_fields, require_by, told
from consent_ledger import commands as c
from consent_ledger.facts import event_id
from consent_ledger.ledger import Submission
from consent_ledger.store.codec import decode_snapshot

router = APIRouter(tags=["numbers"], route_class=StrictRoute)

PAGE_LIMIT: Final = 1000
"""Numbers on a page of the reviews."""

RECEIPT: Final[dict[str, Any]] = {
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number_version": 3,
    "position": 42,
}
REVIEW: Final[dict[str, Any]] = {
    "review_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "occurred_at": "2026-03-04T10:00:00Z",
}

REVIEWS: Final = """
SELECT number_id, snapshot, position FROM consent_status
WHERE account_id = %s AND under_review AND position > %s ORDER BY position LIMIT %s"""


@router.get(
    "/v1/reviews",
    responses=documented(
        "Suspected revocations that wait for a person",
        "ReviewPage",
        {"items": [REVIEW], "next_cursor": None},
        "cursor-malformed",
    ),
)
async def reviews(
    caller: Admin,
    service: ServiceIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    cursor: str | None = None,
) -> Response:
    """The reviews that are open, by number (R-K4)."""
    async with service.connection() as conn:
        params = (caller.account_id, read_place(cursor), limit)
        rows = await (await conn.execute(REVIEWS, params)).fetchall()
    items = [
        {
            "review_id": event_id(number_id, version),
            "number_id": str(number_id),
            "occurred_at": render.instant(mark.at),
        }
        for number_id, data, _ in rows
        for version, mark in decode_snapshot(data).standing.reviews.items()
    ]
    last = str(rows[-1][2]) if len(rows) == limit else None
    return reply({"items": items, "next_cursor": last})


@router.post(
    "/v1/reviews/{review_id}",
    responses=documented(
        "The verdict is recorded",
        "Receipt",
        {**RECEIPT, "recorded": ["RevocationConfirmed"]},
        *KEYED,
        "not-found",
        "missing",
        "occurred-at-in-future",
        "time-too-early",
    ),
)
async def judge(
    review_id: str, body: ReviewBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """A person's verdict on words that may have been a wish to end texts (R-F10)."""
    number_id, version = await own_review(service, caller.account_id, review_id)
    by = require_by(body.by)
    about = told(caller, body.occurred_at, by, correlation_id=body.correlation_id)
    command = c.Judge(about, version, body.verdict)
    claims = await idempotency(request)
    receipt = await service.writer.record(
        Submission(caller.account_id, (number_id,), None, command, claims=claims)
    )
    return reply(receipt_fields(receipt))
