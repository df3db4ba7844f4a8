"""Pages of an account's feed: what a follower asked for, and where to go on."""

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


class Page(NamedTuple):
    """Some events; all up to `next_after` were looked at, and `more` may be there already."""

    items: list[Shown]
    next_after: int
    more: bool


def unknown_types(types: Sequence[str]) -> list[int]:
    """The places of the names that no event has."""
    return [place for place, name in enumerate(types) if name not in FACTS]


async def read_page(
    conn: AsyncConnection[Any], account_id: UUID, after: int, limit: int, wanted: Wanted
) -> Page:
    """The next events of an account that a follower asked for."""
    asked = limit if wanted.everything else LOOKED_THROUGH
    found = await read_account(conn, account_id, after, asked)
    typed = [item for item in found if wanted.types is None or item.topic in wanted.types]
    replies = [item for item in typed if isinstance(item, Event) and is_reply(item)]
    before = await read_before(conn, replies)
    users = {
        each.event_id: users_who_asked(each, before.get(each.event_id, ())) for each in replies
    }
    chosen = [item for item in typed if _concerns(item, users, wanted.user)]
    items = [_shown(item, users) for item in chosen[:limit]]
    if len(chosen) > limit:
        return Page(items, items[-1].position, True)
    end = found[-1].position if found else None
    return Page(items, after if end is None else end, len(found) == asked)


def _concerns(item: Recorded, users: dict[str, list[str]], user: str | None) -> bool:
    return user is None or user in users.get(item.event_id, ())


def _shown(item: Recorded, users: dict[str, list[str]]) -> Shown:
    assert item.position is not None
    return Shown(item.position, cloud_event(item, users.get(item.event_id)))
