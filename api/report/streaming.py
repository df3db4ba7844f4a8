"""An answer that is sent while it is made, and that gives up on whoever does not read it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from consent_ledger.ledger import UnavailableError

STALL_SECONDS: Final = 60
"""A reader who takes nothing for so long is gone; the database would keep old rows for them."""

log = structlog.get_logger(__name__)


class Streamed(StreamingResponse):
    """A file; what it is read from is closed when it ends, however it ends."""

    def __init__(
        self, content: AsyncIterator[bytes], media_type: str, name: str, opened: AsyncExitStack
    ) -> None:
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        super().__init__(content, headers=headers, media_type=media_type)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALL_SECONDS):
                await send(message)

        async with self._opened:
            try:
                await super().__call__(scope, receive, send_in_time)
            except UnavailableError as error:
                # Without its last part the file cannot be taken for the whole.
                log.error("report_cut_off", error=str(error))
