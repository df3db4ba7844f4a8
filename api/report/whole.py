"""The whole report as a file, from one moment, written by a process beside the service.

So checks are answered meanwhile. Whoever reads it slowly keeps no other question waiting: it has a
connection of its own, and the process waits while nobody takes what it has written.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from api.frames import LENGTH, framed
from api.report.filters import Filters
from api.report.formats import Format
from api.report.orders import Order, part_of
from api.service import Service
from consent_ledger.ledger import UnavailableError

PIPE_LIMIT: Final = 1_048_576
"""Bytes of a file that wait in memory."""


@asynccontextmanager
async def whole_report(
    service: Service, account_id: UUID, filters: Filters, kind: Format
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The parts of the file; UnavailableError where it cannot be begun, or not be ended."""
    async with service.report_room():
        process = await _start(Order(service.settings.database_url, account_id, filters, kind))
        try:
            # From its head on, a file is of one moment.
            yield _parts(process, await _next_part(process))
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _start(order: Order) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.report.worker",
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        limit=PIPE_LIMIT,
    )
    assert process.stdin is not None
    process.stdin.write(framed(order))
    return process


async def _parts(process: Process, head: bytes) -> AsyncIterator[bytes]:
    if head:
        yield head
    while part := await _next_part(process):
        yield part


async def _next_part(process: Process) -> bytes:
    assert process.stdout is not None
    try:
        length = int.from_bytes(await process.stdout.readexactly(LENGTH))
        part = part_of(await process.stdout.readexactly(length))
    except EOFError:
        raise UnavailableError("the process that wrote a report has ended") from None
    if part.error is not None:
        raise UnavailableError(f"a report failed: {part.error}")
    return part.data
