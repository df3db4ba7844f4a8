"""The report of opted-out numbers, as a page, as a sum, or as the whole (R-V3, R-V4).

Pages go by the key of their order: the latest opt-out first, or the number's digits where the first
of them are given. What is written meanwhile moves no row that stands.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from api.render import instant
from api.report.cursor import Place, read_cursor, write_cursor
from api.report.filters import Filters
from consent_ledger.facts import event_id
from consent_ledger.words import Source

Item = dict[str, Any]

HORIZON: Final = "SELECT ledger_horizon() - 1"

ITEM: Final = """
SELECT found.number_id, found.since, n.e164, (
    SELECT json_agg(json_build_array(
        o.source, o.since, o.version, o.by, o.channel, w.body, o.purposes
    ))::text
    FROM opt_out_report o LEFT JOIN words w ON w.number_id = o.number_id AND w.version = o.version
    WHERE o.number_id = found.number_id)
FROM ({found}) AS found LEFT JOIN numbers n ON n.number_id = found.number_id
ORDER BY {order} {limit}"""
"""One row a number, with all of its opt-outs: one statement, so that they fit each other."""

BY_TIME: Final = """
(SELECT o.number_id, o.since FROM opt_out_report o
WHERE o.account_id = %(account_id)s AND o.shown {filters}
ORDER BY o.since DESC, o.number_id {limit})"""

BY_NUMBER: Final = """
SELECT inside.number_id, inside.since
FROM unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends) CROSS JOIN LATERAL (
    SELECT n.number_id, n.e164, o.since
    FROM numbers n JOIN opt_out_report o ON o.number_id = n.number_id
    WHERE n.account_id = %(account_id)s AND n.e164 >= range.starts AND n.e164 < range.ends
        AND o.shown {filters}
    ORDER BY n.e164, n.number_id {limit}) AS inside"""

SUMMARY: Final = """
SELECT (o.since - mod(mod(o.since, {day}) + {day}, {day})) / {day} AS day, o.source, count(*)
FROM {tables} WHERE o.account_id = %(account_id)s AND o.shown {filters}
GROUP BY 1, 2"""
IN_RANGES: Final = """
unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends)
JOIN numbers n ON n.account_id = %(account_id)s
    AND n.e164 >= range.starts AND n.e164 < range.ends
JOIN opt_out_report o ON o.number_id = n.number_id"""
DAY: Final = 86_400_000_000
"""Microseconds of a day."""

RANK: Final = {source: rank for rank, source in enumerate(Source)}


class _OptOut(msgspec.Struct, frozen=True, array_like=True):
    source: Source
    since: int
    version: int
    by: str | None
    channel: str
    reason: str | None
    purposes: str | None


_opt_outs: Final = msgspec.json.Decoder(list[_OptOut]).decode


class Page(NamedTuple):
    """Rows of the report; `position` is a place in the ledger up to which all of it is counted."""

    items: list[Item]
    next_cursor: str | None
    position: int


class Statement(NamedTuple):
    """A query and its parameters."""

    sql: str
    params: dict[str, Any]


async def find_page(
    conn: AsyncConnection[Any], account_id: UUID, filters: Filters, limit: int, cursor: str | None
) -> Page:
    """The rows after a cursor, `limit` at the most; a 422 for a cursor of another report."""
    statement = report_statement(account_id, filters, read_cursor(filters, cursor), limit + 1)
    position = await _horizon(conn)
    rows = await (await conn.execute(statement.sql.encode(), statement.params)).fetchall()
    more = write_cursor(filters, _place(filters, rows[limit - 1])) if len(rows) > limit else None
    return Page([item_of(row) for row in rows[:limit]], more, position)


SOME: Final = """
SELECT o.number_id, o.since FROM opt_out_report o
WHERE o.account_id = %(account_id)s AND o.shown AND o.number_id = ANY(%(ids)s)"""


async def find_numbers(
    conn: AsyncConnection[Any], account_id: UUID, ids: Sequence[UUID]
) -> list[Item]:
    """The rows of these numbers, of those that are opted out."""
    sql = ITEM.format(found=SOME, order="found.since DESC, found.number_id", limit="")
    found = await conn.execute(sql.encode(), {"account_id": account_id, "ids": list(ids)})
    return [item_of(row) for row in await found.fetchall()]


async def find_summary(conn: AsyncConnection[Any], account_id: UUID, filters: Filters) -> Page:
    """How many numbers each day (UTC) and source has of those that stand, the latest day first."""
    tables = "opt_out_report o" if filters.ranges is None else IN_RANGES
    sql = SUMMARY.format(tables=tables, filters=_conditions(filters), day=DAY)
    position = await _horizon(conn)
    found = await conn.execute(sql.encode(), _params(account_id, filters))
    rows = [(day, Source(source), total) for day, source, total in await found.fetchall()]
    rows.sort(key=lambda row: (-row[0], RANK[row[1]]))
    items = [{"day": _date(day), "source": str(s), "numbers": total} for day, s, total in rows]
    return Page(items, None, position)


def report_statement(
    account_id: UUID, filters: Filters, after: Place | None = None, limit: int | None = None
) -> Statement:
    """The report in its order, from a place on; its rows are read by `item_of`."""
    params = _params(account_id, filters) | {"limit": limit}
    some = "" if limit is None else "LIMIT %(limit)s"
    if after is not None:
        params |= {"key": after.key, "after": after.number_id}
    if filters.ranges is None:
        found, order = _by_time(filters, after, some), "found.since DESC, found.number_id"
    else:
        found, order = _by_number(filters, after, some), "n.e164, found.number_id"
    return Statement(ITEM.format(found=found, order=order, limit=some), params)


def _by_time(filters: Filters, after: Place | None, limit: str) -> str:
    conditions = _conditions(filters)
    if after is None:
        return BY_TIME.format(filters=conditions, limit=limit)
    # Two parts, as each is one stretch of the index, however many opt-outs share an instant.
    parts = ("AND o.since = %(key)s AND o.number_id > %(after)s", "AND o.since < %(key)s")
    return " UNION ALL ".join(
        BY_TIME.format(filters=f"{conditions} {part}", limit=limit) for part in parts
    )


def _by_number(filters: Filters, after: Place | None, limit: str) -> str:
    conditions = _conditions(filters)
    if after is not None:
        conditions += " AND (n.e164, n.number_id) > (%(key)s, %(after)s)"
    return BY_NUMBER.format(filters=conditions, limit=limit)


def _conditions(filters: Filters) -> str:
    """Only those that apply, so that the plan is that of the question."""
    given = {
        "AND o.source = %(source)s": filters.source,
        "AND o.since >= %(since)s": filters.since,
        "AND o.since < %(before)s": filters.before,
    }
    return " ".join(condition for condition, value in given.items() if value is not None)


def _params(account_id: UUID, filters: Filters) -> dict[str, Any]:
    ranges = filters.ranges or ()
    return {
        "account_id": account_id,
        "source": filters.source and str(filters.source),
        "since": filters.since,
        "before": filters.before,
        "starts": [each.start for each in ranges],
        "ends": [each.end for each in ranges],
    }


async def _horizon(conn: AsyncConnection[Any]) -> int:
    """Asked first: whatever lies below it is in what is read next."""
    row = await (await conn.execute(HORIZON)).fetchone()
    assert row is not None
    return int(row[0])


def _place(filters: Filters, row: tuple[Any, ...]) -> Place:
    number_id, since, e164, _ = row
    return Place(since if filters.ranges is None else e164, number_id)


def item_of(row: tuple[Any, ...]) -> Item:
    """A row as it is shown: its hardest opt-out, and all of them in that order."""
    number_id, _, e164, found = row
    stand = sorted(_opt_outs(found), key=lambda each: RANK[each.source])
    opt_outs = [dict(_shown(number_id, each)) for each in stand]
    return {
        "number": e164,
        "number_id": str(number_id),
        **opt_outs[0],
        "opt_in_allowed": stand[0].source.admin_may_lift,
        "opt_outs": opt_outs,
    }


def _shown(number_id: UUID, opt_out: _OptOut) -> Iterator[tuple[str, str | list[str] | None]]:
    yield "source", str(opt_out.source)
    yield "since", instant(opt_out.since)
    yield "by", opt_out.by
    yield "reason", opt_out.reason
    yield "channel", opt_out.channel
    yield "purposes", opt_out.purposes.split() if opt_out.purposes else None
    yield "event_id", event_id(number_id, opt_out.version)


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
