"""A list comes in while its answer goes out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import structlog
from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from api.problems import Problem
from api.scrubbing.blocks import Cutter
from api.scrubbing.crew import Crew
from api.scrubbing.incoming import Incoming
from api.scrubbing.orders import Scrub
from api.scrubbing.spool import STALL_SECONDS, SenderGoneError
from consent_ledger.ledger import UnavailableError

WAITING: Final = 4
"""Blocks of a list that are worked on or wait to be sent: the processes are never idle."""

log = structlog.get_logger(__name__)


async def answered(
    crew: Crew, scrub: Scrub, first: bytes, incoming: Incoming
) -> AsyncGenerator[bytes, None]:
    """The blocks of a list with their answers, in order, some of them worked on at a time."""
    queue: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(WAITING)

    async def order() -> None:
        try:
            async for block in _blocks(scrub, first, incoming):
                task = asyncio.create_task(crew.answer(scrub, block))
                task.add_done_callback(_seen)
                await queue.put(task)
        finally:
            await queue.put(None)

    ordering = asyncio.create_task(order())
    try:
        while (task := await queue.get()) is not None:
            yield await task
        await ordering
    finally:
        ordering.cancel()
        while not queue.empty():
            left = queue.get_nowait()
            if left is not None:
                left.cancel()


def _seen(task: asyncio.Task[bytes]) -> None:
    """Nobody may be left to hear of a failure; asyncio would print it."""
    if not task.cancelled():
        task.exception()


async def _blocks(scrub: Scrub, first: bytes, incoming: Incoming) -> AsyncIterator[bytes]:
    cutter = Cutter(scrub.columns.delimiter if scrub.columns else None)
    for block in cutter.feed(first):
        yield block
    while data := await incoming.take():
        for block in cutter.feed(data):
            yield block
    for block in cutter.finish():
        yield block


class Scrubbed(Response):
    """The answer, sent while it is made; what it rests on is closed however it ends.

    What fails on the way ends the connection before the answer has ended.
    """

    def __init__(
        self,
        head: bytes,
        content: AsyncIterator[bytes],
        media_type: str,
        incoming: Incoming,
        opened: AsyncExitStack,
    ) -> None:
        super().__init__(media_type=media_type, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._head, self._content, self._started = head, content, False
        self._incoming, self._opened = incoming, opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the rows until the end, or until nobody takes them."""
        async with self._opened:
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(self._incoming.gone.wait())
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    await sending
            except (UnavailableError, SenderGoneError, TimeoutError) as error:
                if not self._started:
                    raise not_sent() if isinstance(error, SenderGoneError) else error from None
                # Without its last part the answer cannot be taken for the whole.
                log.error("scrub_cut_off", error=type(error).__name__)
            finally:
                leaving.cancel()
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALL_SECONDS):
                await send(message)

        # With the first rows at hand, as what fails before is told as a problem.
        first = await anext(self._content, b"")
        self._started = True
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send_in_time(start)
        await send_in_time(_part(self._head + first))
        async for block in self._content:
            await send_in_time(_part(block))
        await send_in_time({"type": "http.response.body", "body": b"", "more_body": False})


def not_sent() -> Problem:
    """The client stalled before the first rows."""
    return Problem(408, "list-not-sent", "The list did not come.")


def _part(data: bytes) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": True}
