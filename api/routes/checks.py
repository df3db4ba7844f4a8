"""Ask: may I text this number? (contract section 3)"""

import asyncio
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from msgspec.structs import replace

from api import render
from api.batches import SLICE, Unread, read_items
from api.callers import Anyone
from api.direct import DirectRoute
from api.past import check_in_the_past, require_manual_sender
from api.problem_codes import ASKED
from api.questions import Contacts, read_question, read_terms
from api.responses import documented, reply
from api.schemas.questions import BatchCheckBody, BatchItem, CheckBody, ContactsBody
from api.service import Service
from api.submit import ServiceIn, read_number
from consent_ledger.consent import consent_of
from consent_ledger.decision import Decision, Question, decide, unreadable
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.standing import Standing
from consent_ledger.store.view import Found, View
from consent_ledger.words import Consent, Purpose

router = APIRouter(tags=["ask"], route_class=DirectRoute)

EXAMPLE: Final[dict[str, Any]] = {
    "may_text": False,
    "decision": "deny",
    "reason": "opted_out_by_contact",
    "explanation": "The contact asked for texts to stop. Only the contact can lift this.",
    "lifted_by": "contact_start",
    "source": "contact",
    "since": "2026-03-04T10:00:00Z",
    "not_before": None,
    "consent": "revoked",
    "opted_out": True,
    "opt_out_source": "contact",
    "do_not_text": True,
    "status_label": "Revoked",
    "purpose": "conversation",
    "policy_version": 1,
    "evidence": [
        {
            "event_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
            "type": "StopReceived",
            "occurred_at": "2026-03-04T10:00:00Z",
        }
    ],
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number_version": 3,
    "position": 42,
    "answered_at": "2026-03-05T09:00:00Z",
}
_ITEM: Final = {name: value for name, value in EXAMPLE.items() if name != "position"}


@router.post(
    "/v1/checks",
    responses=documented(
        "The answer, for a deny too",
        "CheckAnswer",
        EXAMPLE,
        *ASKED,
        "time-in-future",
        "time-too-early",
    ),
)
async def check(body: CheckBody, caller: Anyone, service: ServiceIn) -> Response:
    """May I text this number for this purpose, now or at a moment in the past?"""
    account_id = caller.account_id
    number, contacts, question = read_question(service, account_id, body)
    if body.as_of is not None or body.known_at is not None:
        found = await check_in_the_past(
            service, account_id, number.ids, contacts, question, body.as_of, body.known_at
        )
        return reply(found)
    ids = (
        [i for candidates in (number.ids, *contacts) for i in candidates]
        if contacts
        else number.ids
    )
    view = await service.reader.view(account_id, ids)
    number_id, row = view.number(number.ids)
    decision = _decide_beside(view, row, contacts, question)
    position = max(row.position, view.horizon)
    return reply(render.answer(decision, number_id, row.version, position, view.now))


def _decide_beside(view: View, row: Found, contacts: Contacts, question: Question) -> Decision:
    """The decision with the contact's other numbers (R-M5); a no where one cannot be read."""
    if not contacts:
        return decide_in(view, row.standing, question)
    others = [view.number(candidates) for candidates in contacts]
    read = [(number_id, each.standing) for number_id, each in others]
    standings = tuple((number_id, found) for number_id, found in read if found is not None)
    standing = row.standing if len(standings) == len(others) else None
    return decide_in(view, standing, replace(question, contacts=standings))


def decide_in(view: View, standing: Standing | None, question: Question) -> Decision:
    """The decision for a number of a view; a no where its record cannot be read: None."""
    if question.manual:
        require_manual_sender(view.account.policy_at(view.now).policy, question)
    if standing is None:
        return unreadable(question.purpose, view.account.policy_at(view.now).version)
    return decide(standing, question, view.account, view.now)


@router.post(
    "/v1/checks/batch",
    responses=documented(
        "The answers in the order of the items",
        "BatchAnswer",
        {
            "results": [
                {**_ITEM, "correlation_id": "row-1"},
                {"error": {"code": "number-unparseable", "detail": "No phone number."}},
            ],
            "position": 42,
        },
        *ASKED,
    ),
)
async def check_batch(body: BatchCheckBody, caller: Anyone, service: ServiceIn) -> Response:
    """One question about up to 10,000 numbers, answered from one consistent snapshot.

    An item that cannot be read has `error` instead of an answer, and holds back no other.
    """
    account_id = caller.account_id
    region = service.account(account_id).default_region
    question = read_terms(service, account_id, body)
    items = await read_items(body, body.items, BatchItem)
    asked: list[Contacts | None] = []
    for done, item in enumerate(items):
        if done % SLICE == 0:
            await asyncio.sleep(0)
        asked.append(_read_item(service, account_id, item, region))
    every = [i for numbers in asked if numbers for candidates in numbers for i in candidates]
    view = await service.large_reader.view(account_id, every)
    results, position = [], view.horizon
    for done, (item, numbers) in enumerate(zip(items, asked, strict=True)):
        if done % SLICE == 0:
            await asyncio.sleep(0)
        result: dict[str, Any]
        if isinstance(item, Unread):
            result = {"error": item.told()}
        elif numbers is None:
            result = {"error": {"code": "number-unparseable", "detail": "No phone number."}}
        else:
            number_id, row = view.number(numbers[0])
            position = max(position, row.position)
            own = replace(question, time_zone=item.time_zone) if item.time_zone else question
            decision = _decide_beside(view, row, numbers[1:], own)
            result = render.answer(decision, number_id, row.version, row.position, view.now)
            del result["position"]
        if item.correlation_id is not None:
            result["correlation_id"] = item.correlation_id
        results.append(result)
    return reply({"results": results, "position": position})


def _read_item(
    service: Service, account_id: UUID, item: BatchItem | Unread, region: str | None
) -> Contacts | None:
    """The ids of the number and of the contact's others after it; None where one is no number."""
    if isinstance(item, Unread):
        return None
    read = service.keyring.candidate_ids
    try:
        texts = (item.number, *item.contact_numbers)
        return tuple(read(account_id, canonical(text, region)) for text in texts)
    except UnparseableNumber:
        return None


@router.post(
    "/v1/contacts/check",
    responses=documented(
        "Whether any of the contact's numbers is opted out",
        "ContactAnswer",
        {
            "opted_out": True,
            "numbers": [
                {
                    "number": "+14155550100",
                    "opted_out": True,
                    "opt_out_source": "contact",
                    "consent": "revoked",
                }
            ],
        },
        "number-unparseable",
    ),
)
async def check_contact(body: ContactsBody, caller: Anyone, service: ServiceIn) -> Response:
    """The read-only flag of a lead: true if any of its numbers is opted out (R-V2)."""
    account_id = caller.account_id
    numbers = [
        read_number(service, account_id, text, f"numbers/{i}")
        for i, text in enumerate(body.numbers)
    ]
    view = await service.reader.view(account_id, [i for n in numbers for i in n.ids])
    rows = [
        _flag(text, view, view.number(n.ids)[1])
        for text, n in zip(body.numbers, numbers, strict=True)
    ]
    return reply({"opted_out": any(row["opted_out"] for row in rows), "numbers": rows})


def _flag(text: str, view: View, row: Found) -> dict[str, Any]:
    standing = row.standing
    if standing is None:
        return {
            "number": text,
            "opted_out": True,
            "opt_out_source": None,
            "consent": str(Consent.NONE),
        }
    policy = view.account.policy_at(view.now).policy
    opt_out, rule = standing.opt_out, policy.purposes[Purpose.CONVERSATION]
    return {
        "number": text,
        "opted_out": opt_out is not None,
        "opt_out_source": str(opt_out[0]) if opt_out else None,
        "consent": str(consent_of(standing, Purpose.CONVERSATION, rule, view.now, policy)),
    }
