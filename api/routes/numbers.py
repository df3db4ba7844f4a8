"""A number: where it stands, its history, its erasure (contract section 6)."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api import render
from api.callers import Admin, Anyone
from api.own_numbers import is_own
from api.paging import read_place
from api.past import state_in_the_past
from api.problem_codes import KEYED
from api.problems import Problem, invalid
from api.responses import documented, reply
from api.schemas.base import Instant, Search
from api.schemas.questions import NumberBody
from api.strict import StrictRoute
from api.submit import ServiceIn, idempotency, read_number, receipt_fields, told
from consent_ledger import commands as c
from consent_ledger.categories import CATEGORIES
from consent_ledger.consent import consent_of, status_label
from consent_ledger.facts import type_of_fact
from consent_ledger.ledger import Submission, UnavailableError
from consent_ledger.policy import Policy
from consent_ledger.standing import Standing
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.words import Purpose, Source

router = APIRouter(tags=["numbers"], route_class=StrictRoute)

SHOWN_PURPOSE: Final = Purpose.CONVERSATION
"""The purpose whose consent is shown where a question names none (contract section 3)."""
PAGE_LIMIT: Final = 1000
"""Events on a page of a history."""

RECEIPT: Final[dict[str, Any]] = {
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number_version": 3,
    "position": 42,
}
EVENT: Final[dict[str, Any]] = {
    "event_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
    "type": "StopReceived",
    "number_version": 3,
    "position": 42,
    "occurred_at": "2026-03-04T10:00:00Z",
    "occurred_at_basis": "provider",
    "claimed_occurred_at": None,
    "recorded_at": "2026-03-04T10:00:01Z",
    "actor": {"kind": "contact", "id": None},
    "channel": "sms",
    "sending_number_id": None,
    "location_id": None,
    "message_id": None,
    "in_reply_to": None,
    "policy_version": 1,
    "account_version": 4,
    "lexicon_version": "1",
    "evidence": {
        "provider_message_id": "SM1",
        "file_digest": None,
        "row": None,
        "form_id": None,
        "template_version": None,
        "disclosure_digest": None,
        "text_digest": "9c1f0a77d2",
    },
    "correlation_id": None,
    "causation_id": None,
    "data": {"matched": "stop", "media_count": 0, "purposes": []},
    "words": "Stop. Thank you",
}
STATE: Final[dict[str, Any]] = {
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "known": True,
    "number_version": 3,
    "opted_out": True,
    "opt_out_source": "contact",
    "do_not_text": True,
    "consent": "revoked",
    "consents": {"conversation": "revoked"},
    "status_label": "Revoked",
    "status_labels": {"conversation": "Revoked"},
    "opt_outs": [{"source": "contact", "since": "2026-03-04T10:00:00Z", "by": None}],
    "blocked_purposes": [],
    "preferences": {"practice": "not_consented"},
    "stopped_purposes": [],
    "time_zone": None,
    "request_pending": False,
    "reviews": 0,
    "answered_at": "2026-03-05T09:00:00Z",
}
NOW: Final = {**STATE, "position": 42, "held_messages": 0}
THEN: Final = {**STATE, "as_of": "2026-03-04T12:00:00Z", "known_at": None}


@router.post(
    "/v1/numbers/lookup",
    responses=documented("Where the number stands", "NumberNow", NOW, "number-unparseable"),
)
async def look_up(body: NumberBody, caller: Anyone, service: ServiceIn) -> Response:
    """The opaque id of a number, and its current state."""
    number = read_number(service, caller.account_id, body.number)
    view = await service.reader.view(caller.account_id, list(number.ids))
    number_id, row = view.number(number.ids)
    snapshot = row.snapshot
    if snapshot is None:
        raise UnavailableError("a fact on the number cannot be read")
    fields = {
        "number_id": str(number_id),
        "known": row.version > 0,
        "number_version": row.version,
        "position": max(row.position, view.horizon),
        "answered_at": render.instant(view.now),
    }
    policy = view.account.policy_at(view.now).policy
    shown = _standing(snapshot.standing, policy, view.now)
    return reply(fields | shown | {"held_messages": snapshot.held})


def _standing(standing: Standing, policy: Policy, at: int) -> dict[str, Any]:
    opt_out, rules = standing.opt_out, policy.purposes.items()
    labels = {name: status_label(standing, name, rule, at, policy) for name, rule in rules}
    consents = {name: consent_of(standing, name, rule, at, policy) for name, rule in rules}
    found = [(source, standing.opt_out_by(source)) for source in Source]
    return {
        "opted_out": opt_out is not None,
        "opt_out_source": str(opt_out[0]) if opt_out else None,
        "do_not_text": standing.do_not_text,
        "consent": consents.get(SHOWN_PURPOSE),
        "consents": consents,
        "status_label": labels.get(SHOWN_PURPOSE),
        "status_labels": labels,
        "opt_outs": [
            {"source": str(source), "since": render.instant(each.mark.at), "by": each.by}
            for source, each in found
            if each is not None
        ],
        "blocked_purposes": sorted(standing.blocks),
        "preferences": {system: str(said[0]) for system, said in standing.preferences.items()},
        "stopped_purposes": sorted(standing.scoped),
        "time_zone": standing.time_zone,
        "request_pending": standing.pending,
        "reviews": len(standing.reviews),
    }


EVENT_COLUMNS: Final = ", ".join(f"events.{name}" for name in COLUMNS.split(", "))


@router.get(
    "/v1/numbers/{number_id}/state",
    responses=documented(
        "Where it stood", "NumberThen", THEN, "not-found", "time-in-future", "time-too-early"
    ),
)
async def state(
    number_id: UUID,
    caller: Anyone,
    service: ServiceIn,
    as_of: Instant | None = None,
    known_at: Instant | None = None,
) -> Response:
    """Where a number stood at a moment, with all that is known now or was known then."""
    async with service.connection() as conn:
        if not await is_own(conn, number_id, caller.account_id):
            raise Problem(404, "not-found", "No number has this id.")
    found = await state_in_the_past(service, caller.account_id, number_id, as_of, known_at)
    if found.standing is None:
        raise UnavailableError("a fact on the number cannot be read")
    fields = {
        "number_id": str(number_id),
        "known": found.version > 0,
        "number_version": found.version,
        "as_of": render.instant(as_of),
        "known_at": render.instant(known_at),
        "answered_at": render.instant(found.now),
    }
    return reply(fields | _standing(found.standing, found.policy, found.at))


OCCURRED_AT: Final = "(convert_from(state, 'UTF8')::jsonb -> 0 ->> 'o')::bigint"
"""When an event happened: its context's time, as it is stored. Who searches for what was said on a
day means that day, not the one on which a late webhook arrived."""

HISTORY: Final = f"""
SELECT {EVENT_COLUMNS}, w.body FROM events
LEFT JOIN words w ON w.number_id = originator_id AND w.version = originator_version
WHERE originator_id = %(number_id)s AND events.account_id = %(account_id)s
    AND originator_id <> events.account_id
    AND originator_version > %(after)s
    AND (%(topics)s::text[] IS NULL OR split_part(topic, '.', 1) = ANY(%(topics)s))
    AND (%(categories)s::text[] IS NULL OR split_part(topic, '.', 1) = ANY(%(categories)s))
    AND (%(from)s::bigint IS NULL OR {OCCURRED_AT} >= %(from)s)
    AND (%(to)s::bigint IS NULL OR {OCCURRED_AT} < %(to)s)
    AND (%(q)s::text IS NULL OR strpos(lower(w.body), lower(%(q)s)) > 0)
ORDER BY originator_version LIMIT %(limit)s"""


@router.get(
    "/v1/numbers/{number_id}/history",
    responses=documented(
        "Its events in order",
        "HistoryPage",
        {"items": [EVENT], "next_cursor": None},
        "not-found",
        "unknown-type",
        "unknown-category",
        "cursor-malformed",
    ),
)
async def history(
    number_id: UUID,
    caller: Anyone,
    service: ServiceIn,
    type: str | None = None,
    category: str | None = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    to: Instant | None = None,
    q: Search | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    cursor: str | None = None,
) -> Response:
    """What happened to a number, by type, category, time and word (R-L6), its words while kept."""
    topics = type.split(",") if type else None
    if topics and not set(topics) <= set(type_of_fact):
        raise invalid("type", "unknown-type", "No event has this type.")
    categories = category.split(",") if category else []
    if not set(categories) <= set(CATEGORIES):
        names = ", ".join(CATEGORIES)
        raise invalid("category", "unknown-category", f"Categories are {names}.")
    about = {topic for name in categories for topic in CATEGORIES[name]}
    params = {
        "number_id": number_id,
        "account_id": caller.account_id,
        "after": read_place(cursor),
        "topics": topics,
        "categories": sorted(about) or None,
        "from": since,
        "to": to,
        "q": q,
        "limit": limit + 1,
    }
    async with service.connection() as conn:
        rows = await (await conn.execute(HISTORY, params)).fetchall()
        if not rows and not await is_own(conn, number_id, caller.account_id):
            raise Problem(404, "not-found", "No number has this id.")
    page = [render.event(MAPPER.event(row[:7])) | {"words": row[7]} for row in rows[:limit]]
    more = len(rows) > limit
    return reply({"items": page, "next_cursor": str(page[-1]["number_version"]) if more else None})


@router.post(
    "/v1/numbers/{number_id}/erase",
    responses=documented(
        "The number and the words are gone; the facts stay",
        "Receipt",
        {**RECEIPT, "recorded": ["PersonalDataErased"]},
        *KEYED,
        "not-found",
    ),
)
async def erase(number_id: UUID, request: Request, caller: Admin, service: ServiceIn) -> Response:
    """Deletes a person's number and words; if the number comes again it is still suppressed."""
    async with service.connection() as conn:
        if not await is_own(conn, number_id, caller.account_id):
            raise Problem(404, "not-found", "No number has this id.")
    receipt = await service.writer.record(
        Submission(
            caller.account_id,
            (number_id,),
            None,
            c.ErasePerson(told(caller, None)),
            claims=await idempotency(request),
        )
    )
    return reply(receipt_fields(receipt))
