"""Those who follow the feed over HTTP: how many, and how they read."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from api.feed.pages import PAGE_LIMIT, Page, Shown, Wanted, find_page, show_page
from api.feed.tail import Listener, Tail
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.feed import settled

FOLLOWERS: Final = 200
"""Streams and waiting requests in one process: each costs a query when its account is busy."""
READERS: Final = 3
"""Pages that are read at once: half of the pool stays for other questions."""
PAGES_LOOKED_THROUGH: Final = 20
"""Pages without an event that was asked for, before a follower is told to go on from there."""
HEARTBEAT_SECONDS: Final = 15.0
"""Proxies close a connection that is silent for longer, commonly after 30 or 60 s."""
RETRY_MILLISECONDS: Final = 1_000
"""When a follower whose stream ended should come back."""

Connection = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]


class TooManyFollowersError(Exception):
    """This process serves as many followers as it may."""


class Feed:
    """The feed of this process; `connection` lends one for a page."""

    def __init__(self, connection: Connection, tail: Tail) -> None:
        self.tail = tail
        self._connection = connection
        self._readers = asyncio.Semaphore(READERS)
        self._followers = 0

    @property
    def full(self) -> bool:
        """Whether there is no place for another follower."""
        return self._followers >= FOLLOWERS

    @contextlib.contextmanager
    def following(self, account_id: UUID) -> Iterator[Listener]:
        """A place among the followers; TooManyFollowersError where there is none."""
        if self.full:
            raise TooManyFollowersError
        self._followers += 1
        try:
            with self.tail.listening(account_id) as listener:
                yield listener
        finally:
            self._followers -= 1

    async def now(self) -> int:
        """The position behind which all lies that is recorded from now on.

        While a transaction is under way, what others have recorded since it began lies there too.
        """
        async with self._connection() as conn:
            return await settled(conn) - 1

    async def page(self, account_id: UUID, after: int, limit: int, wanted: Wanted) -> Page:
        """The next events that a follower asked for, looked for in a bounded part of the log."""
        for _ in range(PAGES_LOOKED_THROUGH):
            async with self._readers, self._connection() as conn:
                found = await find_page(conn, account_id, after, limit, wanted)
            if found.items or not found.more:
                break
            after = found.next_after
        return await show_page(found)

    async def wait(
        self, account_id: UUID, after: int, limit: int, wanted: Wanted, seconds: float
    ) -> Page:
        """The next events, as soon as there are any; an empty page when the time is over."""
        until = time.monotonic() + seconds
        with self.following(account_id) as listener:
            while True:
                page = await self.page(account_id, after, limit, wanted)
                left = until - time.monotonic()
                if page.items or left <= 0 or self.tail.ended:
                    return page
                after = page.next_after
                if not page.more:
                    await listener.news(left)

    async def stream(
        self,
        account_id: UUID,
        after: int,
        wanted: Wanted,
        may_go_on: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[bytes]:
        """Server-sent events without end; a heartbeat asks whether the stream may go on."""
        # With an id, so that who began at the end and lost the stream at once comes back to there.
        yield b"retry: %d\nid: %d\n\n" % (RETRY_MILLISECONDS, after)
        beat = time.monotonic()
        # An answer that has begun can only end: the follower comes back, and is told why not.
        ended = contextlib.suppress(UnavailableError, TooManyFollowersError)
        with ended, self.following(account_id) as listener:
            while not self.tail.ended:
                page = await self.page(account_id, after, PAGE_LIMIT, wanted)
                if page.items:
                    yield b"".join(map(_sent, page.items))
                after = page.next_after
                if not page.more:
                    left = beat + HEARTBEAT_SECONDS - time.monotonic()
                    await listener.news(max(0.0, left))
                if time.monotonic() >= beat + HEARTBEAT_SECONDS:
                    if not await may_go_on():
                        return
                    beat = time.monotonic()
                    # Without data it is no event; a follower still resumes from its id.
                    yield b": still here\nid: %d\n\n" % after


def _sent(item: Shown) -> bytes:
    text = msgspec.json.encode(item.event)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (item.position, item.event["type"].encode(), text)
