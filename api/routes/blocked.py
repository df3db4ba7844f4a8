"""The blocked list: every number with each purpose that staff blocked for it (R-B1)."""

from typing import Any, Final

from fastapi import APIRouter, Response

from api.callers import People
from api.report.blocked import BlockFilters, find_blocks
from api.report.prefixes import read_ranges
from api.responses import documented, reply
from api.schemas.reports import PurposeBlockReportBody
from api.strict import StrictRoute
from api.submit import ServiceIn

router = APIRouter(tags=["reports"], route_class=StrictRoute)

PAGE: Final = 100
"""Blocks on a page that names no limit: what a person looks through."""

ROW: Final[dict[str, Any]] = {
    "number": "+14155550100",
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "purpose": "recall",
    "since": "2026-03-04T10:00:00Z",
    "by": "agent-7",
    "actor": "agent",
    "channel": "api",
    "event_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
}


@router.post(
    "/v1/reports/purpose-blocks",
    responses=documented(
        "A page of the blocked list",
        "PurposeBlockPage",
        {"items": [ROW], "next_cursor": None, "position": 42},
        "prefix-too-short",
        "prefix-unreadable",
        "cursor-malformed",
        "cursor-of-other-filters",
    ),
)
async def purpose_blocks(
    body: PurposeBlockReportBody, caller: People, service: ServiceIn
) -> Response:
    """Every number with each purpose that is blocked for it, the latest block first (R-B1)."""
    filters = BlockFilters(body.purpose, read_ranges(body.number_prefix))
    async with service.connection() as conn:
        limit = body.limit or PAGE
        page = await find_blocks(conn, caller.account_id, filters, limit, body.cursor)
    return reply(page._asdict())
