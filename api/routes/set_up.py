"""The whole set-up of an account, as one document to keep and to apply."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from psycopg import AsyncConnection

from api.account_changes import KEEP_NUMBER, current
from api.auth import Caller
from api.callers import Admin, Anyone
from api.problem_codes import KEYED
from api.problems import Problem
from api.responses import documented, reply
from api.schemas.set_up import SetUpBody
from api.service import Service
from api.set_up_document import Document, document, shown
from api.strict import StrictRoute
from api.submit import ServiceIn, idempotency, keep_answer, kept_answer
from consent_ledger.account import Account
from consent_ledger.facts import Fact
from consent_ledger.set_up import Plan, plan
from consent_ledger.set_up_parts import Change, Fault
from consent_ledger.store.accounts import LOCK, change_account

router = APIRouter(tags=["account"], route_class=StrictRoute)

NUMBERS: Final = "SELECT number_id, e164 FROM numbers WHERE number_id = ANY(%s)"

CHANGED: Final[dict[str, Any]] = {
    "dry_run": False,
    "account_version": 5,
    "position": 42,
    "recorded": ["LocationDefined"],
    "changes": [
        {
            "section": "locations",
            "action": "add",
            "id": "main-street",
            "before": None,
            "after": {"name": "Main Street Clinic"},
        }
    ],
}
SET_UP: Final[dict[str, Any]] = {
    "policy": {"preset": "consent-first", "changes": {"requests_allowed": 1}},
    "locations": [{"id": "main-street", "name": "Main Street Clinic"}],
    "sending_numbers": [
        {"number": "+14155550199", "location": "main-street", "purposes": ["conversation"]}
    ],
    "users": [{"id": "jo", "permission": "allow", "groups": ["front-desk"]}],
    "groups": [{"id": "front-desk", "permission": "allow"}],
    "replies": [],
    "keywords": [],
}


@router.get("/v1/set-up", responses=documented("The set-up, as PUT takes it", "SetUp", SET_UP))
async def get_set_up(caller: Anyone, service: ServiceIn) -> Response:
    """All of the account's set-up, as the document that asks for it."""
    account, now = await current(service, caller)
    ids = [UUID(each) for each in account.sending_numbers]
    async with service.connection() as conn:
        rows = await (await conn.execute(NUMBERS, (ids,))).fetchall()
    return reply(document(account, now, {str(row[0]): row[1] for row in rows}))


@router.put(
    "/v1/set-up",
    responses=documented(
        "What was recorded, and what it changed",
        "SetUpChanged",
        CHANGED,
        *KEYED,
        "set-up-refused",
    ),
)
async def put_set_up(
    body: SetUpBody,
    request: Request,
    caller: Admin,
    service: ServiceIn,
    dry_run: Annotated[
        bool, Query(description="Tell what would change, and record nothing.")
    ] = False,
) -> Response:
    """Makes the account be what the document says, all at once or not at all.

    A section that is absent stays as it is; what a section does not list goes. The same document
    again changes nothing.
    """
    # A rehearsal answers for nothing, so it may not take the key of what it rehearses.
    claims = () if dry_run else await idempotency(request)
    async with service.connection() as conn, conn.transaction(force_rollback=dry_run):
        await conn.execute(LOCK, (caller.account_id,))
        kept = await kept_answer(service, conn, caller, claims)
        if kept is not None:
            return reply({**kept, "recorded": []})
        account, answer = await _apply(service, conn, caller, body, dry_run)
        await keep_answer(service, conn, caller, claims, answer)
    if not dry_run:
        service.accounts.keep(account)
    return reply(answer)


async def _apply(
    service: Service, conn: AsyncConnection[Any], caller: Caller, body: SetUpBody, dry_run: bool
) -> tuple[Account, dict[str, Any]]:
    account_id, found, numbers = caller.account_id, Plan((), ()), {}
    before, at = Account(account_id), 0

    def command(account: Account, now: int) -> Sequence[Fact]:
        nonlocal found, numbers, before, at
        before, at = account, now
        read = Document(
            body,
            account.default_region,
            lambda e164: service.keyring.candidate_ids(account_id, e164)[-1],
        )
        found, numbers = plan(account, read.wanted, now), read.numbers
        _refuse(read.unfit, [*read.faults, *found.faults])
        return found.facts

    account, events = await change_account(conn, account_id, command, caller.key_id)
    if numbers:
        rows = [(number_id, account_id, e164) for number_id, e164 in numbers.items()]
        async with conn.cursor() as cursor:
            await cursor.executemany(KEEP_NUMBER, rows)
    return account, {
        "dry_run": dry_run,
        "account_version": (before if dry_run else account).version,
        "position": events[-1].position if events and not dry_run else None,
        "recorded": [] if dry_run else [event.topic for event in events],
        "changes": [_change(each, at) for each in found.changes],
    }


def _refuse(unfit: Sequence[Fault], faults: Sequence[Fault]) -> None:
    """Tells everything that is wrong at once: whoever keeps a file mends it in one go."""
    errors = [
        {"pointer": each.pointer, "code": each.code, "detail": each.detail}
        for each in (*unfit, *faults)
    ]
    if faults:
        detail = "The set-up cannot be; see errors. Nothing was changed."
        raise Problem(422, "set-up-refused", detail, errors=errors)
    if unfit:
        detail = "The request does not fit; see errors. Nothing was changed."
        raise Problem(422, "invalid-body", detail, errors=errors)


def _change(change: Change, now: int) -> dict[str, Any]:
    return {
        "section": change.section,
        "action": change.action,
        "id": change.id,
        "before": shown(change.section, change.before, now),
        "after": shown(change.section, change.after, now),
    }
