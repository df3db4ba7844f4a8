"""Past replies, read again under other words (R-K5)."""

import asyncio
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from api import render
from api.account_changes import current
from api.callers import Onlooker
from api.problems import invalid
from api.responses import documented, reply
from api.routes.texts import KEYWORD_PROBLEMS
from api.schemas.texts import RereadBody
from api.strict import StrictRoute
from api.submit import ServiceIn
from consent_ledger.facts import event_id, parse_event_id
from consent_ledger.interpreting import Reading
from consent_ledger.keywords import KeywordList, Lists, check_keywords, lexicon_of, with_list
from consent_ledger.language import language_tag
from consent_ledger.rereading import Change, reread
from consent_ledger.store.mapper import COLUMNS, MAPPER, UnreadableEventError

router = APIRouter(tags=["texts"], route_class=StrictRoute)

READ_AT_ONCE: Final = 20
"""Replies read between two turns of everybody else: half a millisecond."""
FIRST: Final = (UUID(int=0), 0)
"""Before every reply."""

EVENT_COLUMNS: Final = ", ".join(f"events.{name}" for name in COLUMNS.split(", "))
KEPT: Final = f"""
SELECT {EVENT_COLUMNS}, words.body FROM words JOIN events
    ON events.originator_id = words.number_id AND events.originator_version = words.version
WHERE words.account_id = %s AND (words.number_id, words.version) > (%s, %s)
ORDER BY words.number_id, words.version LIMIT %s"""

CHANGE: Final[dict[str, Any]] = {
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "event_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
    "occurred_at": "2026-03-04T10:00:00Z",
    "from": {"understood_as": "other", "matched": None, "lexicon_version": "1"},
    "to": {"understood_as": "suspected_revocation", "matched": "wrong number"},
}
PAGE: Final[dict[str, Any]] = {
    "lexicon_version": "2",
    "examined": 1000,
    "items": [CHANGE],
    "next_cursor": None,
}


@router.post(
    "/v1/lexicon/re-read",
    responses=documented(
        "Replies that would be read otherwise",
        "RereadPage",
        PAGE,
        *KEYWORD_PROBLEMS,
        "cursor-malformed",
    ),
)
async def re_read(body: RereadBody, caller: Onlooker, service: ServiceIn) -> Response:
    """The kept replies that today's words, or those to be tried, read otherwise (R-K5).

    Nothing is recorded: what a past reply did stays, and an admin acts on the list by hand.
    """
    account, _ = await current(service, caller)
    own = lexicon_of(_tried(account.keywords, body))
    place = _place(body.cursor)
    async with service.connection() as conn:
        params = (caller.account_id, *place, body.limit + 1)
        rows = await (await conn.execute(KEPT, params)).fetchall()
    changes: list[Change] = []
    for at, row in enumerate(rows[: body.limit]):
        if at % READ_AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            change = reread(MAPPER.event(row[:7]), row[7], own)
        except UnreadableEventError:
            continue
        if change is not None:
            changes.append(change)
    more = len(rows) > body.limit
    last = rows[body.limit - 1] if more else None
    return reply(
        {
            "lexicon_version": str(own.lexicon.version),
            "examined": min(len(rows), body.limit),
            "items": [_shown(change) for change in changes],
            "next_cursor": event_id(last[0], last[1]) if last else None,
        }
    )


def _tried(lists: Lists, body: RereadBody) -> Lists:
    """The account's lists, with those that the caller tries in place of its own."""
    for each in body.keywords:
        changed = KeywordList(
            each.kind,
            language_tag(each.language),
            tuple(dict.fromkeys(each.add)),
            tuple(dict.fromkeys(each.remove)),
        )
        check_keywords(lists, changed)
        lists = with_list(lists, changed)
    return lists


def _place(cursor: str | None) -> tuple[UUID, int]:
    if cursor is None:
        return FIRST
    try:
        return parse_event_id(cursor)
    except ValueError:
        raise invalid(
            "cursor", "cursor-malformed", "Use the next_cursor of the page before."
        ) from None


def _shown(change: Change) -> dict[str, Any]:
    before = _reading(change.before) | {"lexicon_version": str(change.before.lexicon_version)}
    shown = render.event(change.event)
    return {
        "number_id": str(change.event.originator_id),
        "event_id": shown["event_id"],
        "occurred_at": shown["occurred_at"],
        "from": before,
        "to": _reading(change.after),
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {"understood_as": str(reading.understood_as), "matched": reading.matched}
