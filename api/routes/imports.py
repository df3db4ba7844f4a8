"""Whole lists from elsewhere: taken in, told row by row, undone as a whole (contract section 4)."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api import render
from api.auth import Caller
from api.callers import Admin
from api.direct import StrictRoute
from api.importing import book
from api.importing.files import file_of, shown_row
from api.importing.headers import FileError
from api.importing.records import Format
from api.problem_codes import KEYED
from api.problems import Problem, invalid
from api.responses import documented, reply, schema_of
from api.schemas.imports import Status
from api.service import Service
from api.submit import KEY_LIMIT, ServiceIn, digest, keep_answer, kept_answer
from consent_ledger.ledger import IDEMPOTENCY_CLAIM, Claim, ClaimReusedError

router = APIRouter(tags=["imports"], route_class=StrictRoute)

SAME_LIST: Final = (
    "This list was imported before, so nothing is recorded of it again: what contacts and staff"
    " have said since stays. To have all of its rows count anew, undo that import and send it once"
    " more."
)
PAGE: Final = 100
"""Rows on a page that names no limit."""
PAGE_LIMIT: Final = 1_000

IMPORT: Final[dict[str, Any]] = {
    "import_id": "0b9a2c1e-5d6f-4a3b-8c7d-9e0f1a2b3c4d",
    "state": "done",
    "dry_run": False,
    "file_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "same_as": None,
    "explanation": None,
    "rows": 3,
    "accepted": 1,
    "unchanged": 1,
    "rejected": 1,
    "partly_rejected": 0,
    "failed_because": None,
    "created_at": "2026-03-04T10:00:00Z",
    "finished_at": "2026-03-04T10:00:01Z",
}
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
TAKEN: Final = documented(
    "It has ended",
    "Import",
    IMPORT,
    *KEYED,
    "body-too-large",
    "unsupported-media-type",
    "import-unreadable",
)
RUNNING: Final = {**IMPORT, "state": "running", "finished_at": None}
TAKEN[202] = {
    "description": "It goes on; ask for it until its state is done or failed",
    "content": {"application/json": {"schema": schema_of("Import"), "example": RUNNING}},
}
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "number,sms_opt_out,ref\n+14155550100,TRUE,lead-7\n",
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"number": "+14155550100", "sms_opt_out": true, "ref": "lead-7"}\n',
            },
        },
    }
}
ROWS: Final = documented(
    "A page of rows; by `Accept`, all of them as a file",
    "ImportRowPage",
    {"items": [ROW], "next_cursor": None},
    "not-found",
    "cursor-malformed",
)
UNDONE: Final = documented(
    "It is undone",
    "Import",
    {**IMPORT, "state": "undone"},
    "not-found",
    "nothing-to-undo",
    "import-not-ended",
)
UNDONE[202] = {
    "description": "It goes on; ask for it until its state is undone",
    "content": {
        "application/json": {
            "schema": schema_of("Import"),
            "example": {**IMPORT, "state": "undoing"},
        }
    },
}
ROWS[200]["content"] |= {str(each): {"schema": {"type": "string"}} for each in Format}


@router.post("/v1/imports", responses=TAKEN, openapi_extra=BODY)
async def take_in(
    request: Request, caller: Admin, service: ServiceIn, dry_run: bool = False
) -> Response:
    """Imports a list of numbers with their opt-outs and consents; never lifts an opt-out."""
    kind = _format(request)
    _check_key(request)
    try:
        taken, digested = await service.office.take_in(caller, request.stream(), kind, dry_run)
        claims = _claims(request, digested)
        import_id = await _accepted(service, caller, claims, taken, digested, dry_run)
    except FileError as error:
        raise Problem(422, "import-unreadable", str(error), errors=[]) from None
    await service.office.call()
    return _answer(await service.office.wait(caller, import_id))


@router.get(
    "/v1/imports/{import_id}", responses=documented("How far it is", "Import", IMPORT, "not-found")
)
async def get_import(import_id: UUID, caller: Admin, service: ServiceIn) -> Response:
    """How far an import is, and what its rows came to."""
    return reply(_shown(await _found(service, caller, import_id)))


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


@router.post(
    "/v1/imports/{import_id}/undo",
    responses=UNDONE,
)
async def undo(import_id: UUID, caller: Admin, service: ServiceIn) -> Response:
    """Takes back all that an import recorded, by an event for each of its facts."""
    async with service.connection() as conn, conn.transaction():
        await conn.execute("SELECT FROM imports WHERE import_id = %s FOR UPDATE", (import_id,))
        found = await book.find(conn, caller.account_id, import_id)
        if found is None:
            raise _not_found()
        if found.dry_run or found.same_as is not None:
            raise Problem(409, "nothing-to-undo", "This import recorded nothing of its own.")
        if found.state in ("receiving", "waiting", "running"):
            raise Problem(409, "import-not-ended", "Wait until the import is done or failed.")
        if found.state in ("done", "failed"):
            await book.set_state(conn, import_id, "undoing")
    await service.office.call()
    return _answer(await service.office.wait(caller, import_id))


def _format(request: Request) -> Format:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "unsupported-media-type", "Send the rows as text, not packed.")
    try:
        return Format(media_type)
    except ValueError:
        wanted = " or ".join(Format)
        raise Problem(415, "unsupported-media-type", f"The Content-Type is {wanted}.") from None


def _check_key(request: Request) -> None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= KEY_LIMIT:
        raise Problem(
            400, "idempotency-key-malformed", "An Idempotency-Key has 1 to 255 characters."
        )


def _claims(request: Request, digested: str) -> tuple[Claim, ...]:
    """The claim of the request's Idempotency-Key, if it has one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return ()
    body = digest(digested.encode(), request.url.query.encode())
    return (Claim(IDEMPOTENCY_CLAIM, digest(request.url.path.encode(), key.encode()), body),)


async def _accepted(
    service: Service,
    caller: Caller,
    claims: tuple[Claim, ...],
    taken: UUID,
    digested: str,
    dry_run: bool,
) -> UUID:
    """The import that is the answer: the one that a request with this key was answered with before,
    or that the list is now.

    The key is kept as the list is accepted, or not at all: a repetition finds no half of it.
    """
    office = service.office
    try:
        async with service.connection() as conn, conn.transaction():
            kept = await kept_answer(service, conn, caller, claims)
            if kept is None:
                found = await office.accept(conn, caller, taken, digested, dry_run)
                answer = {"import_id": str(found)}
                await keep_answer(service, conn, caller, claims, answer)
                # Of two that come at once the first is the answer to both.
                kept = await kept_answer(service, conn, caller, claims) or answer
                return UUID(kept["import_id"])
        await office.drop(taken, "Its Idempotency-Key was used before.")
        return UUID(kept["import_id"])
    except ClaimReusedError:
        await office.drop(taken, "Its Idempotency-Key belongs to another list.")
        raise
    except FileError:
        await office.drop(taken, book.CUT_OFF)
        raise


async def _found(service: Service, caller: Caller, import_id: UUID) -> book.Import:
    async with service.connection() as conn:
        found = await book.find(conn, caller.account_id, import_id)
    if found is None:
        raise _not_found()
    return found


def _not_found() -> Problem:
    return Problem(404, "not-found", "No import has this id.")


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or int(cursor) >= 2**63:
        raise invalid("cursor", "cursor-malformed", "This is no cursor of this list.")
    return int(cursor)


def _answer(found: book.Import) -> Response:
    return reply(_shown(found), 200 if found.state in book.ENDED else 202)


def _shown(found: book.Import) -> dict[str, Any]:
    would = {"would_opt_out": found.would_opt_out, "would_opt_in": found.would_opt_in}
    return {
        "import_id": str(found.import_id),
        "state": found.state,
        "dry_run": found.dry_run,
        "file_digest": found.file_digest,
        "same_as": None if found.same_as is None else str(found.same_as),
        "explanation": None if found.same_as is None else SAME_LIST,
        "rows": found.rows,
        "accepted": found.accepted,
        "unchanged": found.unchanged,
        "rejected": found.rejected,
        "partly_rejected": found.partly_rejected,
        **(would if found.dry_run else {}),
        "failed_because": found.failed_because,
        "created_at": render.instant(found.instant),
        "finished_at": render.instant(found.finished_at if found.state in book.ENDED else None),
    }
