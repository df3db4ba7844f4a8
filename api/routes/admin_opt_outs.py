"""The admin's report of opted-out numbers: found and taken away (R-V3)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response
from msgspec.structs import replace

from api.admin.looking_up import key_names, with_words_confirmed
from api.admin.opt_out_view import PATH, PERIODS, Asked, Report
from api.admin.pages import page
from api.admin.sealed import UNREADABLE, onward, sealed, unsealed, ways
from api.admin.session import SignedIn
from api.auth import Caller
from api.problems import Problem
from api.report.formats import Format
from api.report.query import Item, find_page
from api.routes.reports import PAGE, whole
from api.service import Service
from api.submit import ServiceIn

router = APIRouter(include_in_schema=False)


@router.get(PATH)
async def listed(caller: SignedIn, service: ServiceIn, view: str = "") -> Response:
    """The report as its address has it; without one everybody, the latest first."""
    asked = unsealed(service, caller, view, Asked) if view else Asked()
    asked = asked or Asked(error=UNREADABLE)
    rows: list[Item] | None = None
    following = None
    error, status = asked.error, 422 if asked.error else 200
    keys: dict[str, str] = {}
    try:
        rows, following, keys = await _found(service, caller, asked)
    except Problem as problem:
        error, status = problem.detail, problem.status
    return page(
        "opt_outs.html",
        status,
        asked=asked,
        periods=PERIODS,
        items=rows,
        keys=keys,
        view=sealed(service, caller, asked.quiet()),
        **ways(service, caller, PATH, asked, following),
        error=error,
    )


async def _found(
    service: Service, caller: Caller, asked: Asked
) -> tuple[list[Item], str | None, dict[str, str]]:
    """A page of the report, the cursor of the next one, and the names of the keys in it."""
    filters = asked.filters()
    async with service.connection() as conn:
        found = await find_page(conn, caller.account_id, filters, PAGE, asked.cursor or None)
        rows = await with_words_confirmed(conn, found.items)
        keys = await key_names(conn, caller.account_id, [row["by"] for row in rows])
    return rows, found.next_cursor, keys


@router.post(PATH)
async def show(caller: SignedIn, service: ServiceIn, report: Report) -> Response:
    """The report as the form narrows it; by POST, as digits of a number are in it."""
    return onward(service, caller, PATH, report)


@router.post(f"{PATH}/file")
async def file(
    caller: SignedIn,
    service: ServiceIn,
    report: Report,
    format: Annotated[Literal["csv", "xlsx"], Form()],
) -> Response:
    """The whole report as a file; else the page again, with its filters and what is wrong."""
    try:
        return await whole(service, caller, report.filters(), Format[format.upper()])
    except Problem as problem:
        return onward(service, caller, PATH, replace(report, error=problem.detail))
