"""Pages of an account's feed: what a follower asked for, and where to go on."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from api.feed.envelope import cloud_event
from consent_ledger.asked_by import is_reply, users_who_asked
from consent_ledger.facts import Event
from consent_ledger.store.feed import Recorded, read_account, read_before
from consent_ledger.store.mapper import FACTS

PAGE_LIMIT: Final = 1_000
"""Events on a page of the feed."""
LOOKED_THROUGH: Final = 1_000
"""Events that one query looks through for those that a follower asked for."""
SLICE: Final = 50
"""Events that are put into words before others get their turn: a millisecond."""


class Wanted(msgspec.Struct, frozen=True):
    """What a follower asked for: some types of events, or the replies to what a user asked."""

    types: frozenset[str] | None = None
    user: str | None = None

    @property
    def everything(self) -> bool:
        """Whether no event is left out."""
        return self.types is None and self.user is None


class Shown(NamedTuple):
    """An event as a follower gets it."""

    position: int
    event: dict[str, Any]


class Found(NamedTuple):
    """What is on a page, and the users whom its replies answer, by the reply's id."""

    items: list[Recorded]
    users: dict[str, list[str]]
    next_after: int
    more: bool


class Page(NamedTuple):
    """Some events; all up to `next_after` were looked at, and `more` may be there already."""

    items: list[Shown]
    next_after: int
    more: bool


def unknown_types(types: Sequence[str]) -> list[int]:
    """The places of the names that no event has."""
    return [place for place, name in enumerate(types) if name not in FACTS]


async def find_page(
    conn: AsyncConnection[Any], account_id: UUID, after: int, limit: int, wanted: Wanted
) -> Found:
    """The next events of an account that a follower asked for."""
    asked = limit if wanted.everything else LOOKED_THROUGH
    found = await read_account(conn, account_id, after, asked)
    typed = [item for item in found if wanted.types is None or item.topic in wanted.types]
    replies = [item for item in typed if isinstance(item, Event) and is_reply(item)]
    before = await read_before(conn, replies)
    users = {
        each.event_id: users_who_asked(each, before.get(each.event_id, ())) for each in replies
    }
    chosen = typed
    if wanted.user is not None:
        chosen = [item for item in typed if wanted.user in users.get(item.event_id, ())]
    if len(chosen) > limit:
        return Found(chosen[:limit], users, _place(chosen[limit - 1]), True)
    end = _place(found[-1]) if found else after
    return Found(chosen, users, end, len(found) == asked)


async def show_page(found: Found) -> Page:
    """The same as a follower gets it; others have their turn meanwhile."""
    items, users = [], found.users
    for done, item in enumerate(found.items):
        if done % SLICE == 0:
            await asyncio.sleep(0)
        asked_by = users.get(item.event_id) if users else None
        items.append(Shown(_place(item), cloud_event(item, asked_by)))
    return Page(items, found.next_after, found.more)


def _place(item: Recorded) -> int:
    assert item.position is not None
    return item.position
