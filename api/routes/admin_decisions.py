"""Numbers opted in and out by an admin, each asked for once more (R-V4, R-V5, R-F6)."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response
from msgspec.structs import replace

from api.admin.once import FormSent, SentForm, record_once
from api.admin.opt_out_view import PATH, Asked, OptIn, OptOut, Typed
from api.admin.pages import page
from api.admin.sealed import address, onward, sealed, unsealed
from api.admin.session import SignedIn
from api.auth import Caller
from api.problems import Problem
from api.report.query import Item, find_numbers
from api.routes.reports import PAGE
from api.service import Service
from api.submit import ServiceIn, read_number, storable, told
from consent_ledger import commands as c
from consent_ledger.ledger import Submission
from consent_ledger.number import spaced
from consent_ledger.phone_number import RefusedError
from consent_ledger.words import Channel, Source

router = APIRouter(include_in_schema=False)

Reason = Annotated[str, Form(max_length=500)]
NumberIds = Annotated[list[UUID], Form(alias="number_id", max_length=PAGE, default_factory=list)]
Wanted = Annotated[Literal["agent", "contact"], Form()]
View = Annotated[str, Form()]
"""The page that the form stood on."""


def _left(service: Service, caller: Caller, view: str) -> Asked:
    """The page to go back to; the first one where the form does not say."""
    return unsealed(service, caller, view, Asked) or Asked()


@router.post(f"{PATH}/opt-in")
async def ask_opt_in(
    caller: SignedIn, service: ServiceIn, number_ids: NumberIds, view: View = ""
) -> Response:
    """Asks once more before the ticked numbers are opted in (R-V4)."""
    asked = _left(service, caller, view)
    if not number_ids:
        return onward(service, caller, PATH, replace(asked, error="Tick at least one number."))
    return onward(service, caller, f"{PATH}/opt-in", OptIn(asked, number_ids))


@router.get(f"{PATH}/opt-in")
async def confirm_opt_in(caller: SignedIn, service: ServiceIn, view: str = "") -> Response:
    """The question, for those of the numbers that an admin may still opt in."""
    waiting = unsealed(service, caller, view, OptIn)
    if waiting is None:
        return onward(service, caller, PATH, Asked())
    rows = await _rows(service, caller, waiting.number_ids)
    rows = [row for row in rows if row["opt_in_allowed"]]
    if not rows:
        error = "None of these numbers is opted out by an agent alone now."
        return onward(service, caller, PATH, replace(waiting.asked, error=error))
    return page("confirm_opt_in.html", 200, rows=rows, **_back(service, caller, waiting.asked))


@router.post(f"{PATH}/opt-in/confirmed")
async def opt_in(
    caller: SignedIn,
    service: ServiceIn,
    form: SentForm,
    reason: Reason,
    number_ids: NumberIds,
    view: View = "",
) -> Response:
    """Opts in, under the same rules as everywhere: what the contact said meanwhile stands."""
    wanted = await _to_opt_in(service, caller, form, number_ids)
    words = storable(reason) or None
    refused = 0
    for number_id in wanted:
        command = c.OptIn(told(caller, None, caller.key_id, channel=Channel.WEB))
        asked_for = Submission(caller.account_id, (number_id,), None, command, words=words)
        try:
            await record_once(service, caller, asked_for, form.claims(str(number_id)))
        except RefusedError:
            refused += 1
    said = f"Opted in: {len(wanted) - refused}."
    error = f"Only START opts these in: {refused}." if refused else ""
    asked = _left(service, caller, view)
    return onward(service, caller, PATH, replace(asked, said=said, error=error))


@router.post(f"{PATH}/opt-out")
async def ask_opt_out(
    caller: SignedIn,
    service: ServiceIn,
    number: Annotated[str, Form(max_length=64)] = "",
    requested_by: Wanted = "agent",
    reason: Reason = "",
    view: View = "",
) -> Response:
    """Asks once more before a number is opted out (R-V5)."""
    asked = _left(service, caller, view)
    typed = Typed(number, requested_by, reason)
    try:
        e164 = read_number(service, caller.account_id, number).e164
    except Problem:
        wrong = replace(asked, typed=typed, error="This is no phone number.")
        return onward(service, caller, PATH, wrong)
    waiting = OptOut(asked, replace(typed, number=e164))
    return onward(service, caller, f"{PATH}/opt-out", waiting)


@router.get(f"{PATH}/opt-out")
async def confirm_opt_out(caller: SignedIn, service: ServiceIn, view: str = "") -> Response:
    """The question, with where the number stands now."""
    waiting = unsealed(service, caller, view, OptOut)
    if waiting is None:
        return onward(service, caller, PATH, Asked())
    found = read_number(service, caller.account_id, waiting.typed.number)
    rows = await _rows(service, caller, found.ids)
    return page(
        "confirm_opt_out.html",
        200,
        typed=waiting.typed,
        stands=[each for row in rows for each in row["opt_outs"]],
        **_back(service, caller, waiting.asked),
    )


@router.post(f"{PATH}/opt-out/confirmed")
async def opt_out(
    caller: SignedIn,
    service: ServiceIn,
    form: SentForm,
    number: Annotated[str, Form(max_length=64)],
    requested_by: Wanted = "agent",
    reason: Reason = "",
    view: View = "",
) -> Response:
    """Opts a number out, for the account or because the contact asked (R-F5, R-F6)."""
    found = read_number(service, caller.account_id, number)
    by = told(caller, None, caller.key_id, channel=Channel.WEB)
    command = c.OptOut(by, Source(requested_by))
    words = storable(reason) or None
    asked_for = Submission(caller.account_id, found.ids, found.e164, command, words=words)
    await record_once(service, caller, asked_for, form.claims())
    said = f"Opted out: {spaced(found.e164)}."
    # The latest is on the first page.
    asked = replace(_left(service, caller, view), cursor="", said=said)
    return onward(service, caller, PATH, asked)


async def _rows(service: Service, caller: Caller, ids: list[UUID] | tuple[UUID, ...]) -> list[Item]:
    """The rows of the report that these numbers have."""
    async with service.connection() as conn:
        return await find_numbers(conn, caller.account_id, ids)


async def _to_opt_in(
    service: Service, caller: Caller, form: FormSent, ids: list[UUID]
) -> list[UUID]:
    """Those of the ticked numbers that are opted out, or were until this form was sent before."""
    rows = await _rows(service, caller, ids)
    # Looked at afterwards: what was opted in between the two looks is among these.
    async with service.connection() as conn:
        done = await form.done(conn, caller, [(str(number_id),) for number_id in ids])
    found = {row["number_id"] for row in rows} | {number_id for (number_id,) in done}
    return [number_id for number_id in dict.fromkeys(ids) if str(number_id) in found]


def _back(service: Service, caller: Caller, asked: Asked) -> dict[str, str]:
    """What a question needs to lead back to the page that it was asked on."""
    return {
        "view": sealed(service, caller, asked.quiet()),
        "back": address(service, caller, PATH, asked.quiet()),
    }
