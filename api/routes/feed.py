"""The event feed: every event of the account, in order, none missed (contract section 6)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.auth import Caller, allow
from api.feed.envelope import TYPE_PREFIX
from api.feed.following import TooManyFollowersError
from api.feed.pages import PAGE_LIMIT, Wanted, unknown_types
from api.problems import Problem, invalid
from api.responses import documented, reply
from api.schemas.base import OpaqueId
from api.schemas.feed import LAST_POSITION, Place
from api.service import Service
from api.strict import StrictRoute
from api.submit import ServiceIn
from consent_ledger.ledger import UnavailableError
from consent_ledger.words import Role

router = APIRouter(tags=["feed"], route_class=StrictRoute)
permitted = allow(Role.ADMIN, Role.AUDITOR, Role.SENDER)
Follower = Annotated[Caller, Depends(permitted)]

WAIT_SECONDS: Final = 30
"""The longest wait for an event: proxies give up on a silent answer after 60 s at most."""
EVENT_STREAM: Final = "text/event-stream"
STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Neither a cache nor a proxy may keep a stream's events back."""

CLOUD_EVENT: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
    "source": "/accounts/0b6f7c1e-2f3f-4a53-9a55-1f6a0f1f5a77",
    "type": "ConsentLedger.StopReceived",
    "time": "2026-03-04T10:00:00Z",
    "recordedtime": "2026-03-04T10:00:01Z",
    "subject": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "numberversion": 3,
    "datacontenttype": "application/json",
    "position": "42",
    "data": {
        "event_id": "6f1c1a52b0f84c8f8f0c2f6f4a2f9d11-3",
        "type": "StopReceived",
        "actor": {"kind": "contact", "id": None},
        "data": {"matched": "stop", "media_count": 0},
        "asked_by": ["agent-7"],
    },
}


RESPONSES: Final = documented(
    "Events after a position; as server-sent events for Accept: text/event-stream",
    "FeedPage",
    {"items": [CLOUD_EVENT], "next_after": 42},
    "unknown-type",
    "cursor-malformed",
    "too-many-followers",
)
RESPONSES[200]["content"][EVENT_STREAM] = {"schema": {"type": "string"}}


@router.get("/v1/feed", responses=RESPONSES)
async def get_feed(
    request: Request,
    caller: Follower,
    service: ServiceIn,
    after: Place = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    wait: Annotated[float, Query(ge=0, le=WAIT_SECONDS)] = 0,
    type: str | None = None,
    user: OpaqueId | None = None,
    accept: Annotated[str, Header()] = "",
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """The account's events after a position, in order; `wait` answers as soon as there is one.

    `after=now` has those that are recorded from now on.
    """
    wanted = Wanted(read_types(type.split(","), "type") if type else None, user)
    feed, account_id = service.feed, caller.account_id
    try:
        if EVENT_STREAM in accept.lower():
            known = after if last_event_id is None else _position(last_event_id)
            since = await feed.now() if known is None else known
            return await _stream(service, request, caller, since, wanted)
        since = await feed.now() if after is None else after
        if wait > 0:
            page = await feed.wait(account_id, since, limit, wanted, wait)
        else:
            page = await feed.page(account_id, since, limit, wanted)
    except TooManyFollowersError:
        raise _too_many() from None
    return reply({"items": [item.event for item in page.items], "next_after": page.next_after})


def read_types(names: Sequence[str], field: str) -> frozenset[str]:
    """Types of events by name, with or without the prefix; a 422 that names the first unknown."""
    types = [name.strip().removeprefix(TYPE_PREFIX) for name in names]
    for place in unknown_types(types):
        at = field if field == "type" else f"{field}/{place}"
        raise invalid(at, "unknown-type", "No event has this type.")
    return frozenset(types)


def _position(last_event_id: str) -> int:
    text = last_event_id.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > LAST_POSITION:
        raise invalid(
            "Last-Event-ID", "cursor-malformed", "Send the id of an event of this stream."
        )
    return int(text)


async def _stream(
    service: Service, request: Request, caller: Caller, since: int, wanted: Wanted
) -> Response:
    if service.feed.full:
        raise TooManyFollowersError

    async def may_go_on() -> bool:
        try:
            await permitted(request)
        except (Problem, UnavailableError):
            return False
        return True

    events = service.feed.stream(caller.account_id, since, wanted, may_go_on)
    return StreamingResponse(events, headers=STREAM_HEADERS, media_type=EVENT_STREAM)


def _too_many() -> Problem:
    return Problem(
        503,
        "too-many-followers",
        "This process serves as many followers as it may. Try again.",
        headers={"Retry-After": "5"},
    )
