"""What the database says of a grown ledger: its size, and the time that a page takes inside it."""

import asyncio
import statistics
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, Connection

from api.report.filters import Filters
from api.report.prefixes import read_ranges
from api.report.query import find_page
from consent_ledger.words import Source

PAGE: Final = 100
"""Rows of a page of the report."""
TIMES: Final = 5
"""Times that each statement of a page is run; the median counts, without the first."""
DEEP: Final = 20
"""Pages before the one that is measured far down."""

PAGES: Final = {
    "first page": Filters(),
    "by source": Filters(source=Source.SYSTEM),
    "by first digits": Filters(ranges=read_ranges("415")),
    "by both": Filters(source=Source.AGENT, ranges=read_ranges("415")),
}

SIZES: Final = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
COUNTS: Final = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM consent_status)"


def sizes(conn: Connection[Any]) -> dict[str, Any]:
    """Bytes per event of the log, heap and indexes, and per number of everything."""
    found = {table: (heap, indexes) for table, heap, indexes in conn.execute(SIZES)}
    row = conn.execute(COUNTS).fetchone()
    assert row is not None
    events, numbers = row
    heap, indexes = found["events"]
    everything = sum(heap + indexes for heap, indexes in found.values())
    return {
        "events": events,
        "bytes_per_event": round((heap + indexes) / events),
        "of_which_indexes": round(indexes / events),
        "bytes_per_number": round(everything / numbers),
        "gigabytes": round(everything / 1e9, 2),
    }


class Recording(AsyncConnection[Any]):
    """A connection that keeps what it was asked."""

    asked: list[tuple[Any, Any]]

    async def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        """Keeps the statement, and runs it."""
        self.asked.append((query, params))
        return await super().execute(query, params, **more)


def report_pages(database_url: str, account_id: UUID) -> dict[str, float]:
    """Milliseconds inside the database, planning included, of some pages of the report.

    They are the service's own pages, of which each statement is explained and run again.
    """

    async def ask() -> dict[str, float]:
        found = {}
        async with await Recording.connect(database_url, autocommit=True) as conn:
            for name, filters in PAGES.items():
                found[name] = await _page(conn, account_id, filters, None)
            cursor = None
            for _ in range(DEEP):
                conn.asked = []
                cursor = (await find_page(conn, account_id, Filters(), PAGE, cursor)).next_cursor
            found["further down"] = await _page(conn, account_id, Filters(), cursor)
        return found

    return asyncio.run(ask())


async def _page(conn: Recording, account_id: UUID, filters: Filters, cursor: str | None) -> float:
    conn.asked = []
    await find_page(conn, account_id, filters, PAGE, cursor)
    took = [await _milliseconds(conn, *each) for each in list(conn.asked)]
    return round(sum(took), 2)


async def _milliseconds(conn: Recording, query: Any, params: Any) -> float:
    text = query if isinstance(query, str) else query.decode()
    explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}".encode()
    took = []
    for _ in range(TIMES):
        row = await (await conn.execute(explain, params)).fetchone()
        plan = row[0][0]
        took.append(float(plan["Planning Time"]) + float(plan["Execution Time"]))
    return statistics.median(took[1:])
