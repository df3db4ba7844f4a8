"""Delivers webhooks: each endpoint is one process's, which another takes over when it ends.

The process holds an advisory lock for each of its endpoints. The lock goes with the connection, so
what is killed leaves its endpoints free at once, and what lost its connection delivers no more.
"""

import asyncio
from typing import Final
from uuid import UUID

import psycopg
import structlog

from api.feed.delivery import Delivery, Means
from api.feed.endpoints import ENABLED, TRY_LOCK, UNLOCK, lock_key
from api.feed.tail import Tail
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import Connect

LOOK_SECONDS: Final = 0.5
"""Between two looks at the endpoints: an admin's change is seen while the admin watches."""
RECONNECT_SECONDS: Final = 1.0
"""Until a database that went away is asked again."""
AT_ONCE: Final = 50
"""Deliveries under way in a process: slow receivers wait for each other, not the ledger."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """The deliveries of a process, over a connection of their own."""

    def __init__(self, connect: Connect, tail: Tail, keyring: Keyring, private: bool) -> None:
        self._connect = connect
        self._tail = tail
        self._keyring = keyring
        self._private = private

    async def run(self) -> None:
        """Delivers until cancelled."""
        while True:
            try:
                await self._deliver()
            except* (psycopg.Error, OSError, TimeoutError) as errors:
                names = sorted({type(error).__name__ for error in errors.exceptions})
                log.warning("webhooks_interrupted", errors=names)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _deliver(self) -> None:
        async with await self._connect() as conn, asyncio.TaskGroup() as group:
            means = Means(conn, self._keyring, self._private, AT_ONCE)
            await _Endpoints(means, self._tail, group).look_after()


class _Endpoints:
    """The endpoints that this process delivers to."""

    def __init__(self, means: Means, tail: Tail, group: asyncio.TaskGroup) -> None:
        self._means = means
        self._tail = tail
        self._group = group
        self._mine: dict[UUID, tuple[int, Delivery]] = {}

    async def look_after(self) -> None:
        """Takes over what is free, and tells deliveries of changes, until cancelled."""
        while True:
            cursor = await self._means.conn.execute(ENABLED)
            rows = {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}
            self._tell_of_changes({key: revision for key, (_, revision) in rows.items()})
            for endpoint_id in await self._take([key for key in rows if key not in self._mine]):
                self._begin(endpoint_id, *rows[endpoint_id])
            await asyncio.sleep(LOOK_SECONDS)

    def _tell_of_changes(self, revisions: dict[UUID, int]) -> None:
        for endpoint_id, (seen, delivery) in self._mine.items():
            revision = revisions.get(endpoint_id)
            if revision != seen:
                delivery.wake()
                self._mine[endpoint_id] = (seen if revision is None else revision, delivery)

    async def _take(self, free: list[UUID]) -> list[UUID]:
        if not free:
            return []
        keys = {lock_key(endpoint_id): endpoint_id for endpoint_id in free}
        cursor = await self._means.conn.execute(TRY_LOCK, (list(keys),))
        return [keys[key] for (key,) in await cursor.fetchall()]

    def _begin(self, endpoint_id: UUID, account_id: UUID, revision: int) -> None:
        delivery = Delivery(self._means, self._tail, endpoint_id, account_id)
        self._mine[endpoint_id] = (revision, delivery)
        self._group.create_task(self._run(endpoint_id, delivery))

    async def _run(self, endpoint_id: UUID, delivery: Delivery) -> None:
        await delivery.run()
        del self._mine[endpoint_id]
        await self._means.conn.execute(UNLOCK, (lock_key(endpoint_id),))
