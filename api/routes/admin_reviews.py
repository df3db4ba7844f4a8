"""The admin's queue of replies that a person has to read (R-K4, R-F10)."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Form, Response

from api import unreadable_senders
from api.admin.looking_up import words_at
from api.admin.once import SentForm, record_once
from api.admin.pages import page
from api.admin.sealed import onward, unsealed
from api.admin.session import SignedIn
from api.auth import Caller
from api.own_numbers import own_review
from api.render import instant
from api.service import Service
from api.submit import ServiceIn, told
from consent_ledger import commands as c
from consent_ledger.facts import event_id
from consent_ledger.ledger import Submission
from consent_ledger.store.codec import decode_snapshot
from consent_ledger.words import Channel, Verdict

router = APIRouter(include_in_schema=False)

PATH: Final = "/admin/reviews"
SHOWN: Final = 100
"""Numbers on the page, and texts of no number: the oldest first, the rest when those are read."""

WAITING: Final = """
SELECT number_id, snapshot, e164 FROM consent_status LEFT JOIN numbers USING (number_id)
WHERE consent_status.account_id = %s AND under_review ORDER BY position LIMIT %s"""
RECORDED: Final = {
    Verdict.REVOKED: (
        "Recorded: they want no more texts. It counts as a STOP at the time of their words."
    ),
    Verdict.DISMISSED: (
        "Recorded: they do not mean that. Texts may go again, as far as the other rules allow."
    ),
}
"""What is said after a verdict."""


class Said(msgspec.Struct, frozen=True, tag="reviews"):
    """What was recorded last."""

    said: str


@router.get(PATH)
async def reviews(caller: SignedIn, service: ServiceIn, view: str = "") -> Response:
    """The replies, each with what was said."""
    items = await _waiting(service, caller)
    async with service.connection() as conn:
        unreadable = await unreadable_senders.waiting(conn, caller.account_id, 0, SHOWN)
    recorded = unsealed(service, caller, view, Said)
    said = recorded.said if recorded else ""
    return page("reviews.html", items=items, unreadable=unreadable, said=said)


@router.post(PATH)
async def judge(
    caller: SignedIn,
    service: ServiceIn,
    form: SentForm,
    review_id: Annotated[str, Form(max_length=60)],
    verdict: Annotated[Verdict, Form()],
) -> Response:
    """A person's verdict on one of them."""
    number_id, version = await own_review(service, caller.account_id, review_id)
    about = told(caller, None, caller.key_id, channel=Channel.WEB)
    command = c.Judge(about, version, verdict)
    asked_for = Submission(caller.account_id, (number_id,), None, command)
    await record_once(service, caller, asked_for, form.claims())
    return onward(service, caller, PATH, Said(RECORDED[verdict]))


@router.post(f"{PATH}/unreadable")
async def file_away(
    caller: SignedIn, service: ServiceIn, kept_id: Annotated[str, Form(max_length=60)]
) -> Response:
    """A text of an unreadable sender is done with."""
    async with service.connection() as conn:
        await unreadable_senders.file_away(conn, caller.account_id, kept_id)
    return onward(service, caller, PATH, Said("The text is deleted."))


async def _waiting(service: Service, caller: Caller) -> list[dict[str, Any]]:
    async with service.connection() as conn:
        rows = await (await conn.execute(WAITING, (caller.account_id, SHOWN))).fetchall()
        found = [
            (number_id, e164, version, mark.at)
            for number_id, data, e164 in rows
            for version, mark in decode_snapshot(data).standing.reviews.items()
        ]
        said = await words_at(conn, [(number_id, version) for number_id, _, version, _ in found])
    return [
        {
            "review_id": event_id(number_id, version),
            "number": e164,
            "occurred_at": instant(at),
            "words": said.get((number_id, version)),
        }
        for number_id, e164, version, at in found
    ]
