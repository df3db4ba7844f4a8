"""How many numbers are opted out, by day and source (R-V3).

Whole days are counted as they are recorded; only what a report begins or ends within is looked at
row by row, and so is what lies under a prefix.
"""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from api.report.filters import Filters, report_params
from api.report.query import RANK, Page, horizon
from consent_ledger.words import Source

DAY: Final = 86_400_000_000
"""Microseconds of a day."""

DAYS: Final = """
SELECT c.day, c.source, c.numbers FROM opt_out_counts c
WHERE c.account_id = %(account_id)s AND c.day >= %(first)s AND c.day < %(last)s"""
FIRST_DAY: Final = -(2**31)
LAST_DAY: Final = 2**31 - 1
"""What the days of a table can be."""

ROWS: Final = """
SELECT day_of(s.since), s.source, count(*) FROM opt_outs_shown s
WHERE s.account_id = %(account_id)s AND s.since >= %({since})s AND s.since < %({before})s
GROUP BY 1, 2"""
IN_RANGES: Final = """
SELECT day_of(s.since), s.source, count(*)
FROM unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends)
JOIN opt_outs_shown s ON s.account_id = %(account_id)s
    AND s.e164 >= range.starts AND s.e164 < range.ends
WHERE (%(since)s::bigint IS NULL OR s.since >= %(since)s)
    AND (%(before)s::bigint IS NULL OR s.since < %(before)s)
GROUP BY 1, 2"""
SUM: Final = """
SELECT day, source, sum(numbers)::bigint FROM ({parts}) AS part (day, source, numbers)
WHERE %(source)s::text IS NULL OR source = %(source)s
GROUP BY day, source HAVING sum(numbers) > 0"""
BY_SOURCE: Final = """
SELECT source, sum(numbers)::bigint, (
    SELECT s.since FROM opt_outs_shown s
    WHERE s.account_id = %(account_id)s AND s.source = c.source ORDER BY s.since DESC LIMIT 1)
FROM opt_out_counts c WHERE account_id = %(account_id)s
GROUP BY source HAVING sum(numbers) > 0"""


async def find_summary(conn: AsyncConnection[Any], account_id: UUID, filters: Filters) -> Page:
    """How many numbers each day (UTC) and source has of those that stand, the latest day first."""
    parts = [IN_RANGES] if filters.ranges is not None else _parts(filters)
    sql = SUM.format(parts=" UNION ALL ".join(parts))
    params = report_params(account_id, filters) | _edges(filters)
    position = await horizon(conn)
    found = await conn.execute(sql.encode(), params)
    rows = [(day, Source(source), total) for day, source, total in await found.fetchall()]
    rows.sort(key=lambda row: (-row[0], RANK[row[1]]))
    items = [{"day": _date(day), "source": str(s), "numbers": total} for day, s, total in rows]
    return Page(items, None, position)


async def find_totals(
    conn: AsyncConnection[Any], account_id: UUID
) -> dict[Source, tuple[int, int | None]]:
    """How many numbers each source has opted out, and when the latest was."""
    found = await conn.execute(BY_SOURCE, {"account_id": account_id})
    return {Source(source): (total, latest) for source, total, latest in await found.fetchall()}


def _parts(filters: Filters) -> list[str]:
    """The whole days, and the parts of days before and after them."""
    parts = [DAYS]
    if filters.since is not None:
        parts.append(ROWS.format(since="since", before="first_whole"))
    if filters.before is not None:
        parts.append(ROWS.format(since="last_whole", before="before"))
    return parts


def _edges(filters: Filters) -> dict[str, int | None]:
    """Where the whole days of a report begin and end."""
    first, last = FIRST_DAY, LAST_DAY
    first_whole = last_whole = None
    if filters.since is not None:
        first = -(-filters.since // DAY)
        first_whole = first * DAY
    if filters.before is not None:
        last = max(filters.before // DAY, first)
        last_whole = last * DAY
    if first_whole is not None and filters.before is not None:
        first_whole = min(first_whole, filters.before)
    return {"first": first, "last": last, "first_whole": first_whole, "last_whole": last_whole}


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
