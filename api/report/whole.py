"""The whole report, from one snapshot, a few rows at a time.

On a connection of its own: whoever reads it slowly keeps no other question waiting.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from api.report.filters import Filters
from api.report.query import Item, item_of, report_statement
from api.service import Service

SLICE: Final = 200
"""Rows made at a time, some milliseconds of work: other requests get their turn in between."""
STALL_SECONDS: Final = 60
"""A reader who takes nothing for so long is gone; the database would keep old rows for them."""

BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
STALL: Final = f"SET LOCAL idle_in_transaction_session_timeout = {STALL_SECONDS * 1000}"
DECLARE: Final = "DECLARE report NO SCROLL CURSOR FOR"
FETCH: Final = f"FETCH FORWARD {SLICE} FROM report"

Row = tuple[Any, ...]
Slices = AsyncIterator[list[Item]]


@asynccontextmanager
async def whole_report(
    service: Service, account_id: UUID, filters: Filters
) -> AsyncIterator[Slices]:
    """All rows as they stood at one moment; UnavailableError where there is no connection."""
    statement = report_statement(account_id, filters)
    async with service.stream_connection() as conn:
        await conn.execute(BEGIN)
        await conn.execute(STALL)
        await conn.execute(f"{DECLARE} {statement.sql}".encode(), statement.params)
        # Closing the connection ends cursor and transaction, also where this task was cancelled.
        yield _slices(conn, await _next_rows(conn))


async def _slices(conn: AsyncConnection[Any], rows: list[Row]) -> Slices:
    while rows:
        yield [item_of(row) for row in rows]
        rows = await _next_rows(conn)


async def _next_rows(conn: AsyncConnection[Any]) -> list[Row]:
    return await (await conn.execute(FETCH)).fetchall()
