"""Wakes who waits for an account's events: one query a moment for all that this process follows."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from consent_ledger.store.connection import Connect
from consent_ledger.store.feed import news, settled

LOOK_SECONDS: Final = 0.2
"""Between two looks at the ledger: staff hear of a reply at once, and an idle ledger has peace."""
RECONNECT_SECONDS: Final = 1.0
"""Until a database that went away is asked again."""

log = structlog.get_logger(__name__)


class Listener:
    """Somebody who waits for events of one account."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        """There may be something new."""
        self._event.set()

    async def news(self, seconds: float) -> bool:
        """Waits until there may be something new, or so long; whether there may be."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        woken = self._event.is_set()
        self._event.clear()
        return woken


class Tail:
    """The end of the ledger, for all who wait in this process.

    Who listens first and reads then misses nothing: whatever that reading did not find lies beyond
    the horizon that the next look starts from.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listeners: dict[UUID, set[Listener]] = {}
        self._awaited = asyncio.Event()
        self.ended = False

    @contextlib.contextmanager
    def listening(self, account_id: UUID) -> Iterator[Listener]:
        """A listener to an account's events; listen before you read."""
        listener = Listener()
        self._listeners.setdefault(account_id, set()).add(listener)
        self._awaited.set()
        try:
            yield listener
        finally:
            self._listeners[account_id].discard(listener)
            if not self._listeners[account_id]:
                del self._listeners[account_id]
            if not self._listeners:
                self._awaited.clear()

    def end(self) -> None:
        """Nobody waits any longer."""
        self.ended = True
        self._wake(self._listeners)

    async def run(self) -> None:
        """Looks while anybody listens, until cancelled."""
        while True:
            await self._awaited.wait()
            try:
                async with await self._connect() as conn:
                    await self._look(conn)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("feed_look_failed", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _look(self, conn: AsyncConnection[Any]) -> None:
        while True:
            await self._awaited.wait()
            since = await settled(conn)
            # What came before this look was not looked for: everybody reads once.
            self._wake(self._listeners)
            while self._listeners:
                await asyncio.sleep(LOOK_SECONDS)
                since, found = await news(conn, self._listeners, since)
                self._wake(found)

    def _wake(self, account_ids: Any) -> None:
        for account_id in list(account_ids):
            for listener in self._listeners.get(account_id, ()):
                listener.wake()
