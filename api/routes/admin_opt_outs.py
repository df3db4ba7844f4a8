"""The admin's report of opted-out numbers: found, downloaded, opted in and out (R-V3 to R-V5)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response
from pydantic import BaseModel

from api.admin.pages import page
from api.admin.session import SignedIn
from api.auth import Caller
from api.problems import Problem
from api.report.filters import Filters
from api.report.formats import Format
from api.report.prefixes import read_ranges
from api.report.query import Item, find_numbers, find_page
from api.routes.reports import PAGE, whole
from api.service import Service
from api.submit import ServiceIn, read_number, record, storable, told
from consent_ledger import commands as c
from consent_ledger.ledger import Submission
from consent_ledger.phone_number import RefusedError
from consent_ledger.words import Channel, Source

router = APIRouter(include_in_schema=False)

PERIODS: Final = {
    "": "ever",
    "1": "the last 24 hours",
    "7": "the last 7 days",
    "30": "the last 30 days",
    "365": "the last 12 months",
}
"""Days back, by the words of the page."""
DAY_SECONDS: Final = 86_400


class Asked(BaseModel):
    """What the report is narrowed to, as the form has it; days are those of UTC."""

    source: str = ""
    period: str = ""
    since: str = ""
    to: str = ""
    number_prefix: str = ""

    def filters(self) -> Filters:
        """The report's own filters; Problem where a field cannot be read."""
        since = _midnight(self.since)
        if since is None and self.period in PERIODS and self.period:
            since = round((time.time() - int(self.period) * DAY_SECONDS) * 1_000_000)
        source = Source(self.source) if self.source in list(Source) else None
        ranges = read_ranges(self.number_prefix.strip() or None)
        return Filters(source, since, _midnight(self.to, days=1), ranges)

    def shown(self) -> dict[str, str]:
        """The fields as the form is filled again."""
        return {**self.model_dump(exclude={"since"}), "from": self.since}


def _midnight(day: str, days: int = 0) -> int | None:
    if not day:
        return None
    try:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Problem(422, "invalid-body", "A day is written like 2026-03-04.") from None
    return round(start.timestamp()) * 1_000_000


def asked(
    source: Annotated[str, Form(max_length=20)] = "",
    period: Annotated[str, Form(max_length=5)] = "",
    since: Annotated[str, Form(alias="from", max_length=10)] = "",
    to: Annotated[str, Form(max_length=10)] = "",
    number_prefix: Annotated[str, Form(max_length=30)] = "",
) -> Asked:
    """The form's filters."""
    return Asked(source=source, period=period, since=since, to=to, number_prefix=number_prefix)


Report = Annotated[Asked, Depends(asked)]
Reason = Annotated[str, Form(max_length=500)]
NumberIds = Annotated[list[UUID], Form(alias="number_id", max_length=PAGE, default_factory=list)]
Wanted = Annotated[Literal["agent", "contact"], Form()]


@router.get("/admin/opt-outs")
async def first_page(caller: SignedIn, service: ServiceIn) -> Response:
    """Everybody who is opted out, the latest first."""
    return await _listed(service, caller, Asked())


@router.post("/admin/opt-outs")
async def show(
    caller: SignedIn,
    service: ServiceIn,
    report: Report,
    cursor: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """The report as the form narrows it; by POST, as digits of a number are in it."""
    return await _listed(service, caller, report, cursor=cursor or None)


@router.post("/admin/opt-outs/file")
async def file(
    caller: SignedIn,
    service: ServiceIn,
    report: Report,
    format: Annotated[Literal["csv", "xlsx"], Form()],
) -> Response:
    """The whole report as a file."""
    try:
        filters = report.filters()
    except Problem as problem:
        return await _listed(service, caller, Asked(), error=problem.detail, status=422)
    return await whole(service, caller, filters, Format[format.upper()])


async def _listed(
    service: Service,
    caller: Caller,
    report: Asked,
    *,
    cursor: str | None = None,
    said: str | None = None,
    error: str | None = None,
    status: int = 200,
) -> Response:
    items: list[Item] = []
    more = None
    try:
        filters = report.filters()
        async with service.connection() as conn:
            found = await find_page(conn, caller.account_id, filters, PAGE, cursor)
        items, more = found.items, found.next_cursor
    except Problem as problem:
        error, status = problem.detail, problem.status
    return page(
        "opt_outs.html",
        status,
        asked=report.shown(),
        periods=PERIODS,
        items=items,
        next_cursor=more,
        said=said,
        error=error,
    )


@router.post("/admin/opt-outs/opt-in")
async def ask_opt_in(caller: SignedIn, service: ServiceIn, number_ids: NumberIds) -> Response:
    """Asks once more before the ticked numbers are opted in (R-V4)."""
    async with service.connection() as conn:
        rows = await find_numbers(conn, caller.account_id, number_ids)
    rows = [row for row in rows if row["opt_in_allowed"]]
    if not rows:
        return await _listed(service, caller, Asked(), error="Tick at least one number.")
    return page("confirm_opt_in.html", rows=rows)


@router.post("/admin/opt-outs/opt-in/confirmed")
async def opt_in(
    caller: SignedIn, service: ServiceIn, reason: Reason, number_ids: NumberIds
) -> Response:
    """Opts in, under the same rules as everywhere: what the contact said meanwhile stands."""
    async with service.connection() as conn:
        rows = await find_numbers(conn, caller.account_id, number_ids)
    refused = 0
    for row in rows:
        command = c.OptIn(told(caller, None, caller.key_id, channel=Channel.WEB))
        words = storable(reason) or None
        ids = (UUID(row["number_id"]),)
        try:
            await service.writer.record(
                Submission(caller.account_id, ids, None, command, words=words)
            )
        except RefusedError:
            refused += 1
    said = f"Opted in: {len(rows) - refused}."
    error = f"Only START opts these in: {refused}." if refused else None
    return await _listed(service, caller, Asked(), said=said, error=error)


@router.post("/admin/opt-outs/opt-out")
async def ask_opt_out(
    caller: SignedIn,
    service: ServiceIn,
    number: Annotated[str, Form(max_length=64)] = "",
    requested_by: Wanted = "agent",
    reason: Reason = "",
) -> Response:
    """Asks once more before a number is opted out (R-V5)."""
    try:
        e164 = read_number(service, caller.account_id, number).e164
    except Problem:
        error = "This is no phone number."
        return await _listed(service, caller, Asked(), error=error, status=422)
    return page("confirm_opt_out.html", e164=e164, requested_by=requested_by, reason=reason)


@router.post("/admin/opt-outs/opt-out/confirmed")
async def opt_out(
    caller: SignedIn,
    service: ServiceIn,
    number: Annotated[str, Form(max_length=64)],
    requested_by: Wanted = "agent",
    reason: Reason = "",
) -> Response:
    """Opts a number out, for the account or because the contact asked (R-F5, R-F6)."""
    found = read_number(service, caller.account_id, number)
    by = told(caller, None, caller.key_id, channel=Channel.WEB)
    await record(service, caller, found, c.OptOut(by, Source(requested_by)), words=reason)
    return await _listed(service, caller, Asked(), said="The number is opted out.")
