"""What became of imports: all of an account's, one of them, and its rows (contract section 4)."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.auth import Caller
from api.callers import Admin
from api.importing import book
from api.importing.files import file_of, shown_row
from api.importing.records import Format
from api.importing.shown import IMPORT, not_found, shown_import
from api.problems import Problem, invalid
from api.responses import documented, reply
from api.schemas.imports import Status
from api.service import Service
from api.strict import StrictRoute
from api.submit import ServiceIn

router = APIRouter(tags=["imports"], route_class=StrictRoute)

PAGE: Final = 100
"""Rows on a page that names no limit."""
PAGE_LIMIT: Final = 1_000

LAST: Final = (2**63 - 1, UUID(int=2**128 - 1))
"""Behind every import."""
CURSOR: Final = re.compile("([0-9]{1,18})-([0-9a-f]{32})")

ROW: Final[dict[str, Any]] = {
    "row": 4,
    "ref": "lead-7",
    "status": "rejected",
    "recorded": [],
    "number_ids": [],
    "problems": [
        {
            "column": "phone2",
            "code": "number-unparseable",
            "detail": "This is no phone number that can be read.",
        }
    ],
}
ROWS: Final = documented(
    "A page of rows; by `Accept`, all of them as a file",
    "ImportRowPage",
    {"items": [ROW], "next_cursor": None},
    "not-found",
    "cursor-malformed",
)
ROWS[200]["content"] |= {str(each): {"schema": {"type": "string"}} for each in Format}
LIST: Final = documented(
    "A page of imports",
    "ImportPage",
    {"items": [IMPORT], "next_cursor": None},
    "cursor-malformed",
)


@router.get("/v1/imports", responses=LIST)
async def get_imports(
    caller: Admin,
    service: ServiceIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE,
    cursor: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    """Every list that was sent, the latest first; dry runs and uploads that broke off, too."""
    async with service.connection() as conn:
        found = await book.find_latest(conn, caller.account_id, _before(cursor), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    more = None if last is None else f"{last.instant}-{last.import_id.hex}"
    return reply({"items": [shown_import(each) for each in found[:limit]], "next_cursor": more})


@router.get(
    "/v1/imports/{import_id}", responses=documented("How far it is", "Import", IMPORT, "not-found")
)
async def get_import(import_id: UUID, caller: Admin, service: ServiceIn) -> Response:
    """How far an import is, and what its rows came to."""
    return reply(shown_import(await _found(service, caller, import_id)))


@router.get("/v1/imports/{import_id}/rows", responses=ROWS)
async def get_rows(
    import_id: UUID,
    request: Request,
    caller: Admin,
    service: ServiceIn,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    """What every row came to, in the order of the file."""
    found = await _found(service, caller, import_id)
    accept = request.headers.get("accept", "")
    kind = next((each for each in Format if each in accept), None)
    if kind is not None:
        content = file_of(service.connection, found, status, kind)
        name = f"import-{import_id}.{kind.name.lower()}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(content, media_type=kind, headers=headers)
    after = _after(cursor)
    source = found.same_as or found.import_id
    async with service.connection() as conn:
        rows = await book.verdicts_after(conn, source, after, status, limit + 1)
    more = str(rows[limit - 1].line) if len(rows) > limit else None
    items = [shown_row(each, found.same_as is not None) for each in rows[:limit]]
    return reply({"items": items, "next_cursor": more})


async def _found(service: Service, caller: Caller, import_id: UUID) -> book.Import:
    async with service.connection() as conn:
        found = await book.find(conn, caller.account_id, import_id)
    if found is None:
        raise not_found()
    return found


def _before(cursor: str | None) -> tuple[int, UUID]:
    if cursor is None:
        return LAST
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise _malformed()
    return int(found[1]), UUID(found[2])


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or int(cursor) >= 2**63:
        raise _malformed()
    return int(cursor)


def _malformed() -> Problem:
    return invalid("cursor", "cursor-malformed", "This is no cursor of this list.")
