"""Whole lists from elsewhere: taken in, told row by row, undone as a whole (contract section 4)."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.callers import Admin
from api.importing import book
from api.importing.headers import FileError
from api.importing.records import Format
from api.importing.shown import IMPORT, not_found, shown_import
from api.problem_codes import KEYED
from api.problems import Problem
from api.responses import documented, reply, schema_of
from api.service import Service
from api.strict import StrictRoute
from api.submit import KEY_LIMIT, ServiceIn, digest, keep_answer, kept_answer
from consent_ledger.ledger import IDEMPOTENCY_CLAIM, Claim, ClaimReusedError

router = APIRouter(tags=["imports"], route_class=StrictRoute)

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
            raise not_found()
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


def _answer(found: book.Import) -> Response:
    return reply(shown_import(found), 200 if found.state in book.ENDED else 202)
