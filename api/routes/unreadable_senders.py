"""Texts from senders that are no phone number, which wait for a person (section 9)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api import unreadable_senders
from api.callers import Admin
from api.paging import read_place
from api.responses import documented, reply
from api.strict import StrictRoute
from api.submit import ServiceIn

router = APIRouter(tags=["numbers"], route_class=StrictRoute)

PAGE_LIMIT: Final = 1000
"""Texts on a page."""
KEPT: Final[dict[str, Any]] = {
    "kept_id": "17",
    "sender": "REWARDS",
    "text": "STOP",
    "received_at": "2026-03-04T10:00:00Z",
}


@router.get(
    "/v1/reviews/unreadable-senders",
    responses=documented(
        "Texts that wait for a person",
        "UnreadableSenderPage",
        {"items": [KEPT], "next_cursor": None},
        "cursor-malformed",
    ),
)
async def texts(
    caller: Admin,
    service: ServiceIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    cursor: str | None = None,
) -> Response:
    """Texts from senders that are no phone number, which are on no record, the oldest first."""
    after = read_place(cursor)
    async with service.connection() as conn:
        items = await unreadable_senders.waiting(conn, caller.account_id, after, limit)
    last = items[-1]["kept_id"] if len(items) == limit else None
    return reply({"items": items, "next_cursor": last})


@router.post(
    "/v1/reviews/unreadable-senders/{kept_id}",
    responses=documented(
        "The text is filed away",
        "FiledAway",
        {"kept_id": KEPT["kept_id"], "done": True},
        "not-found",
    ),
)
async def file_away(kept_id: str, caller: Admin, service: ServiceIn) -> Response:
    """Files a text away that was read: its sender and its words are deleted."""
    async with service.connection() as conn:
        await unreadable_senders.file_away(conn, caller.account_id, kept_id)
    return reply({"kept_id": kept_id, "done": True})
