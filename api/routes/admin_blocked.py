"""The page “Blocked communications”: which purposes staff blocked for which numbers (R-B1)."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Response
from msgspec.structs import replace
from pydantic import StringConstraints

from api.admin.blocked_view import PATH, PURPOSE, Asked, List, Typed
from api.admin.looking_up import key_names
from api.admin.once import FormSent, SentForm, record_once
from api.admin.pages import page, purpose_name
from api.admin.sealed import UNREADABLE, onward, sealed, unsealed, ways
from api.admin.session import SignedIn
from api.auth import Caller
from api.own_numbers import own_numbers
from api.problems import Problem
from api.report.blocked import find_blocks, find_blocks_of
from api.report.query import Item
from api.service import Service
from api.submit import ServiceIn, read_number, told
from consent_ledger import commands as c
from consent_ledger.ledger import Submission
from consent_ledger.number import spaced
from consent_ledger.words import Channel

router = APIRouter(include_in_schema=False)

PAGE: Final = 50
"""Blocks on a page. A form has a field for each number and each box that is ticked, at most a
thousand: enough for an account with eighteen purposes that are all blocked for everybody."""
BOXES: Final = 1000
"""Ticked boxes of a form."""

ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

Box = tuple[UUID, str]
"""A number and a purpose."""


Ticked = Annotated[str, StringConstraints(pattern=f"^{ID} {PURPOSE}$")]
Was = Annotated[str, StringConstraints(pattern=f"^{ID}(?: {PURPOSE})*$")]
Purposes = Annotated[list[str], Form(max_length=PAGE, default_factory=list)]
Rows = Annotated[list[Was], Form(max_length=PAGE, default_factory=list)]
Boxes = Annotated[list[Ticked], Form(max_length=BOXES, default_factory=list)]


@router.get(PATH)
async def listed(caller: SignedIn, service: ServiceIn, view: str = "") -> Response:
    """The list as its address has it; without one every number for which a purpose is blocked."""
    asked = unsealed(service, caller, view, Asked) if view else Asked()
    asked = asked or Asked(error=UNREADABLE)
    rows: list[dict[str, Any]] | None = None
    following = None
    error, status = asked.error, 422 if asked.error else 200
    try:
        rows, following = await _found(service, caller, asked)
    except Problem as problem:
        error, status = problem.detail, problem.status
    return page(
        "blocked.html",
        status,
        asked=asked,
        purposes=await _purposes(service, caller),
        rows=rows,
        view=sealed(service, caller, asked.quiet()),
        **ways(service, caller, PATH, asked, following),
        error=error,
    )


@router.post(PATH)
async def show(caller: SignedIn, service: ServiceIn, narrowed: List) -> Response:
    """The list as the form narrows it; by POST, as digits of a number are in it."""
    return onward(service, caller, PATH, narrowed)


@router.post(f"{PATH}/add")
async def add(
    caller: SignedIn,
    service: ServiceIn,
    form: SentForm,
    blocked: Purposes,
    number: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Blocks the ticked purposes for a number."""
    typed = Typed(number, blocked)
    wanted = [each for each in await _purposes(service, caller) if each in blocked]
    try:
        found = read_number(service, caller.account_id, number)
    except Problem:
        return _refused(service, caller, typed, "number", "This is no phone number.")
    if not wanted:
        sentence = "Tick at least one purpose to block."
        return _refused(service, caller, typed, "purposes", sentence)
    for purpose in wanted:
        by = told(caller, None, caller.key_id, channel=Channel.WEB)
        command = c.BlockPurpose(by, purpose, True)
        asked_for = Submission(caller.account_id, found.ids, found.e164, command)
        await record_once(service, caller, asked_for, form.claims(purpose))
    names = ", ".join(map(purpose_name, wanted))
    # The whole list, as the latest is first on it.
    return onward(service, caller, PATH, Asked(said=f"Blocked for {spaced(found.e164)}: {names}."))


@router.post(f"{PATH}/save")
async def save(
    caller: SignedIn,
    service: ServiceIn,
    form: SentForm,
    was: Rows,
    box: Boxes,
    view: Annotated[str, Form()] = "",
) -> Response:
    """Blocks what was ticked and lifts what was unticked; boxes that nobody touched stay as they
    are by now."""
    before, after = set(_shown(was)), set(_shown(box))
    done = {True: 0, False: 0}
    for each in await _due(service, caller, form, sorted(before ^ after), after):
        await _put(service, caller, form, each, each in after)
        done[each in after] += 1
    said = f"Saved. Blocked: {done[True]}. Unblocked: {done[False]}."
    asked = unsealed(service, caller, view, Asked) or Asked()
    return onward(service, caller, PATH, replace(asked, said=said))


async def _due(
    service: Service, caller: Caller, form: FormSent, touched: Sequence[Box], after: set[Box]
) -> list[Box]:
    """The touched boxes to save: nobody else did meanwhile, or this very form did before."""
    stand = await _standing(service, caller, touched)
    # Looked at afterwards: what was saved between the two looks is among these.
    async with service.connection() as conn:
        done = await form.done(conn, caller, [_name(box) for box in touched])
    names = await _purposes(service, caller)

    def is_due(box: Box) -> bool:
        number_id, purpose = box
        # What the policy no longer has can be lifted, and is blocked for nobody any more.
        if number_id not in stand or (box in after and purpose not in names):
            return False
        return (purpose in stand[number_id]) != (box in after) or _name(box) in done

    return [box for box in touched if is_due(box)]


async def _put(service: Service, caller: Caller, form: FormSent, box: Box, blocked: bool) -> None:
    number_id, purpose = box
    by = told(caller, None, caller.key_id, channel=Channel.WEB)
    command = c.BlockPurpose(by, purpose, blocked)
    asked_for = Submission(caller.account_id, (number_id,), None, command)
    await record_once(service, caller, asked_for, form.claims(*_name(box)))


def _name(box: Box) -> tuple[str, str]:
    """What a box is called in the claims of the form."""
    number_id, purpose = box
    return str(number_id), purpose


def _shown(fields: Iterable[str]) -> Iterable[Box]:
    """The boxes that fields of a form name: an id, and purposes behind it."""
    for field in fields:
        number_id, *purposes = field.split()
        for purpose in purposes:
            yield UUID(number_id), purpose


async def _standing(service: Service, caller: Caller, boxes: Iterable[Box]) -> dict[UUID, set[str]]:
    """What is blocked by now for those of the numbers that are the account's."""
    async with service.connection() as conn:
        own = await own_numbers(conn, [number_id for number_id, _ in boxes], caller.account_id)
        items = await find_blocks_of(conn, caller.account_id, own)
    found: dict[UUID, set[str]] = {number_id: set() for number_id in own}
    for item in items:
        found[UUID(item["number_id"])].add(item["purpose"])
    return found


async def _purposes(service: Service, caller: Caller) -> Sequence[str]:
    """The purposes of the policy that holds now."""
    view = await service.reader.view(caller.account_id, [])
    return tuple(view.account.policy_at(view.now).policy.purposes)


def _refused(service: Service, caller: Caller, typed: Typed, field: str, error: str) -> Response:
    wrong = Asked(typed=replace(typed, wrong=field), error=error)
    return onward(service, caller, PATH, wrong)


async def _found(
    service: Service, caller: Caller, asked: Asked
) -> tuple[list[dict[str, Any]], str | None]:
    """The numbers of a page with all their blocks, and the cursor of the next page."""
    filters, cursor = asked.filters(), asked.cursor or None
    async with service.connection() as conn:
        found = await find_blocks(conn, caller.account_id, filters, PAGE, cursor)
        ids = dict.fromkeys(UUID(item["number_id"]) for item in found.items)
        blocks = await find_blocks_of(conn, caller.account_id, list(ids))
        keys = await key_names(conn, caller.account_id, [item["by"] for item in blocks])
    blocks = [item | {"by": keys.get(item["by"] or "", item["by"])} for item in blocks]
    return _by_number(ids, blocks), found.next_cursor


def _by_number(ids: Iterable[UUID], blocks: Sequence[Item]) -> list[dict[str, Any]]:
    """A row a number, in the order in which the list has them, with all its blocks."""
    found: dict[str, dict[str, Any]] = {
        str(number_id): {"number_id": str(number_id), "number": None, "blocks": {}}
        for number_id in ids
    }
    for item in blocks:
        row = found[item["number_id"]]
        row["number"] = item["number"]
        row["blocks"][item["purpose"]] = item
    # One that was lifted between the two looks has nothing left to show.
    return [row for row in found.values() if row["blocks"]]
