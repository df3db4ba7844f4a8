"""Reports for admins: every opted-out number, and who may opt it in again (contract section 6)."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.callers import Onlooker
from api.problems import invalid
from api.report.filters import Filters
from api.report.formats import Format, asked_format
from api.report.prefixes import read_ranges
from api.report.query import find_page
from api.report.streaming import Streamed
from api.report.summing import find_summary
from api.report.whole import whole_report
from api.responses import documented, reply
from api.schemas.reports import OptOutReportBody, OptOutSummaryBody
from api.service import Service
from api.strict import StrictRoute
from api.submit import ServiceIn

router = APIRouter(tags=["reports"], route_class=StrictRoute)

PAGE: Final = 100
"""Numbers on a page that names no limit: what a person looks through."""

OPT_OUT: Final[dict[str, Any]] = {
    "source": "agent",
    "since": "2026-03-04T10:00:00Z",
    "by": "agent-7",
    "reason": "asked at the desk",
    "channel": "api",
    "purposes": None,
    "event_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
}
ROW: Final[dict[str, Any]] = {
    "number": "+14155550100",
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    **OPT_OUT,
    "opt_in_allowed": True,
    "opt_outs": [OPT_OUT],
}
TOTAL: Final[dict[str, Any]] = {"day": "2026-03-04", "source": "contact", "numbers": 3}
FILE: Final = {"type": "string", "format": "binary"}
PREFIX: Final = ("prefix-too-short", "prefix-unreadable")

RESPONSES: Final = documented(
    "A page of opted-out numbers; by `Accept`, the whole report as a file",
    "OptOutPage",
    {"items": [ROW], "next_cursor": None, "position": 42},
    *PREFIX,
    "cursor-malformed",
    "cursor-of-other-filters",
    "whole-report-has-no-pages",
)
RESPONSES[200]["content"] |= {str(each): {"schema": FILE} for each in Format}


@router.post("/v1/reports/opt-outs", responses=RESPONSES)
async def opt_outs(
    body: OptOutReportBody, request: Request, caller: Onlooker, service: ServiceIn
) -> Response:
    """Every opted-out number with the opt-out that is hardest to lift, the latest first (R-V3)."""
    filters = _filters(body)
    kind = asked_format(request.headers.get("accept"))
    if kind is not None:
        _refuse_pages(body)
        return await whole(service, caller, filters, kind)
    async with service.connection() as conn:
        page = await find_page(conn, caller.account_id, filters, body.limit or PAGE, body.cursor)
    return reply(page._asdict())


@router.post(
    "/v1/reports/opt-outs/summary",
    responses=documented(
        "Numbers by day and source", "OptOutSummary", {"items": [TOTAL], "position": 42}, *PREFIX
    ),
)
async def summary(body: OptOutSummaryBody, caller: Onlooker, service: ServiceIn) -> Response:
    """How many numbers are opted out, by the day (UTC) since when and by source."""
    async with service.connection() as conn:
        page = await find_summary(conn, caller.account_id, _filters(body))
    return reply({"items": page.items, "position": page.position})


def _filters(body: OptOutSummaryBody) -> Filters:
    return Filters(body.source, body.since, body.to, read_ranges(body.number_prefix))


def _refuse_pages(body: OptOutReportBody) -> None:
    for field in ("limit", "cursor"):
        if getattr(body, field) is not None:
            raise invalid(
                field, "whole-report-has-no-pages", "A file has all rows; leave this out."
            )


async def whole(service: Service, caller: Caller, filters: Filters, kind: Format) -> Response:
    """What the answer rests on is opened before it begins, so that a failure is still a problem."""
    async with AsyncExitStack() as stack:
        report = whole_report(service, caller.account_id, filters, kind)
        content = await stack.enter_async_context(report)
        name = f"opt-outs-{datetime.now(UTC).date()}.{kind.file_name}"
        return Streamed(content, kind, name, stack.pop_all())
