"""Delivers to one endpoint: in order, each event until it was taken, on from the kept position."""

import asyncio
import time
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import structlog
from msgspec.structs import replace
from psycopg import AsyncConnection

from api.feed.endpoints import Endpoint, load, note_delivered, note_failed, note_passed
from api.feed.envelope import MEDIA_TYPE
from api.feed.pages import Shown, find_page, show_page
from api.feed.posting import Poster
from api.feed.signing import signed_headers
from api.feed.tail import Listener, Tail
from consent_ledger.keyring import Keyring

PAGE: Final = 100
"""Events that are read at once: few, as a receiver that fails gets none of them."""
IDLE_SECONDS: Final = 60.0
"""An endpoint that hears of nothing looks again after so long, whatever was missed."""
FAULT_SECONDS: Final = 30.0
"""After a fault of the ledger's own, such as a secret that cannot be read."""

log = structlog.get_logger(__name__)


class Means:
    """What every delivery of a process shares; at most so many are under way at once."""

    def __init__(
        self, conn: AsyncConnection[Any], keyring: Keyring, private: bool, most: int
    ) -> None:
        self.conn = conn
        self.keyring = keyring
        self.private = private
        self.slots = asyncio.Semaphore(most)


class Delivery:
    """The deliveries to one endpoint, by the one process that holds its lock."""

    def __init__(self, means: Means, tail: Tail, endpoint_id: UUID, account_id: UUID) -> None:
        self._means = means
        self._tail = tail
        self._endpoint_id = endpoint_id
        self._account_id = account_id
        self._changed = Listener()
        self._listener = Listener()

    def wake(self) -> None:
        """An admin changed the endpoint."""
        self._changed.wake()
        self._listener.wake()

    async def run(self) -> None:
        """Delivers until the endpoint is deleted or disabled."""
        async with Poster(self._means.private) as poster:
            with self._tail.listening(self._account_id) as self._listener:
                while await self._goes_on(poster):
                    pass

    async def _goes_on(self, poster: Poster) -> bool:
        try:
            endpoint = await load(self._means.conn, self._means.keyring, self._endpoint_id)
            if endpoint is None:
                return False
            if endpoint.wait > 0:
                await self._changed.news(endpoint.wait)
            else:
                await self._deliver_page(poster, endpoint)
        except psycopg.Error:
            raise
        except Exception as error:
            log.error("webhook_fault", error=type(error).__name__, endpoint=str(self._endpoint_id))
            await self._changed.news(FAULT_SECONDS)
        return True

    async def _deliver_page(self, poster: Poster, endpoint: Endpoint) -> None:
        conn, position = self._means.conn, endpoint.position
        wanted = endpoint.wanted
        page = await show_page(await find_page(conn, endpoint.account_id, position, PAGE, wanted))
        for item in page.items:
            if not await self._deliver(poster, replace(endpoint, position=position), item):
                return
            position = item.position
        if page.next_after > position:
            await note_passed(conn, endpoint, position, page.next_after)
        elif not page.items:
            await self._listener.news(IDLE_SECONDS)

    async def _deliver(self, poster: Poster, endpoint: Endpoint, item: Shown) -> bool:
        body = msgspec.json.encode(item.event)
        headers = signed_headers(endpoint.secrets, item.event["id"], int(time.time()), body)
        async with self._means.slots:
            outcome = await poster.post(endpoint.url, {**headers, "Content-Type": MEDIA_TYPE}, body)
        conn = self._means.conn
        if outcome.delivered:
            since, to = endpoint.position, item.position
            return await note_delivered(conn, endpoint, since, to, outcome.status)
        await note_failed(conn, endpoint, outcome)
        log.info(
            "webhook_failed",
            endpoint=str(endpoint.endpoint_id),
            status=outcome.status,
            error=outcome.error,
        )
        return False
