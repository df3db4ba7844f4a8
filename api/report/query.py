"""The report of opted-out numbers, as a page (R-V3, R-V4).

Pages go by the key of their order: the latest opt-out first, or the number's digits where the first
of them are given. What is written meanwhile moves no row that stands.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace
from psycopg import AsyncConnection

from api.render import instant
from api.report.cursor import Place, read_cursor, write_cursor
from api.report.filters import Filters, conditions_of, report_params
from consent_ledger.facts import event_id
from consent_ledger.prefix import Range
from consent_ledger.words import Source

Item = dict[str, Any]

HORIZON: Final = "SELECT ledger_horizon() - 1"

ITEM: Final = """
SELECT found.number_id, found.since, found.e164, (
    SELECT json_agg(json_build_array(
        o.source, o.since, o.version, o.by, o.channel, w.body, o.purposes
    ))::text
    FROM opt_out_report o LEFT JOIN words w ON w.number_id = o.number_id AND w.version = o.version
    WHERE o.number_id = found.number_id)
FROM ({found}) AS found
ORDER BY {order} {limit}"""
"""One row a number, with all of its opt-outs: one statement, so that they fit each other."""

BY_TIME: Final = """
(SELECT s.number_id, s.since, s.e164 FROM opt_outs_shown s
WHERE s.account_id = %(account_id)s {filters}
ORDER BY s.since DESC, s.number_id LIMIT %(limit)s)"""

BY_NUMBER: Final = """
SELECT inside.number_id, inside.since, inside.e164
FROM unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends) CROSS JOIN LATERAL (
    SELECT s.number_id, s.since, s.e164 FROM opt_outs_shown s
    WHERE s.account_id = %(account_id)s AND s.e164 >= range.starts AND s.e164 < range.ends {filters}
    ORDER BY s.e164, s.number_id LIMIT %(limit)s) AS inside"""

FEW: Final = 20_000
"""Opt-outs of a source or a time that are looked through for those under a prefix, some 10 ms.
Where there are more, those under the prefix are looked through, as a page of them is found soon."""
COUNT_FEW: Final = """
SELECT count(*) FROM (
    SELECT FROM opt_outs_shown s WHERE s.account_id = %(account_id)s {filters} LIMIT %(few)s + 1
) AS found"""
AMONG_FEW: Final = """
SELECT few.number_id, few.since, few.e164 FROM few WHERE EXISTS (
    SELECT FROM ranges WHERE few.e164 >= ranges.starts AND few.e164 < ranges.ends) {after}
ORDER BY few.e164, few.number_id LIMIT %(limit)s"""
WITH_FEW: Final = """
WITH ranges AS MATERIALIZED (
    SELECT starts, ends
    FROM unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends) WHERE EXISTS (
        SELECT FROM opt_outs_shown s
        WHERE s.account_id = %(account_id)s AND s.e164 >= range.starts AND s.e164 < range.ends)
), few AS MATERIALIZED (
    SELECT s.number_id, s.since, s.e164 FROM opt_outs_shown s
    WHERE s.account_id = %(account_id)s {filters}
)"""
"""Of a national prefix's ranges, hundreds, only those of countries that somebody is from."""

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
    after = read_cursor(filters, cursor)
    position = await horizon(conn)
    few = await _are_few(conn, account_id, filters)
    statement = page_statement(account_id, filters, limit + 1, after, few)
    rows = await (await conn.execute(statement.sql.encode(), statement.params)).fetchall()
    more = write_cursor(filters, _place(filters, rows[limit - 1])) if len(rows) > limit else None
    return Page([item_of(row) for row in rows[:limit]], more, position)


SOME: Final = """
SELECT s.number_id, s.since, n.e164
FROM opt_out_report s LEFT JOIN numbers n ON n.number_id = s.number_id
WHERE s.account_id = %(account_id)s AND s.shown AND s.number_id = ANY(%(ids)s)"""


async def find_numbers(
    conn: AsyncConnection[Any], account_id: UUID, ids: Sequence[UUID]
) -> list[Item]:
    """The rows of these numbers, of those that are opted out."""
    sql = ITEM.format(found=SOME, order="found.since DESC, found.number_id", limit="")
    found = await conn.execute(sql.encode(), {"account_id": account_id, "ids": list(ids)})
    return [item_of(row) for row in await found.fetchall()]


async def _are_few(conn: AsyncConnection[Any], account_id: UUID, filters: Filters) -> bool:
    """Whether what else is asked for leaves few opt-outs, under whatever prefix."""
    conditions = conditions_of(filters)
    if filters.ranges is None or not conditions:
        return False
    sql = COUNT_FEW.format(filters=" ".join(conditions))
    params = report_params(account_id, filters) | {"few": FEW}
    row = await (await conn.execute(sql.encode(), params)).fetchone()
    return row is not None and int(row[0]) <= FEW


def page_statement(
    account_id: UUID, filters: Filters, limit: int, after: Place | None = None, few: bool = False
) -> Statement:
    """A page of the report in its order, from a place on; its rows are read by `item_of`."""
    if filters.ranges is not None and after is not None:
        filters = replace(filters, ranges=ranges_from(filters.ranges, str(after.key)))
    params = report_params(account_id, filters) | {"limit": limit}
    if after is not None:
        params |= {"key": after.key, "after": after.number_id}
    if filters.ranges is None:
        found, order = _by_time(filters, after), "found.since DESC, found.number_id"
    else:
        found = (_among_few if few else _by_number)(filters, after)
        order = "found.e164, found.number_id"
    return Statement(ITEM.format(found=found, order=order, limit="LIMIT %(limit)s"), params)


def _by_time(filters: Filters, after: Place | None) -> str:
    conditions = " ".join(conditions_of(filters))
    if after is None:
        return BY_TIME.format(filters=conditions)
    # Two parts, as each is one stretch of the index, however many opt-outs share an instant.
    parts = ("AND s.since = %(key)s AND s.number_id > %(after)s", "AND s.since < %(key)s")
    return " UNION ALL ".join(BY_TIME.format(filters=f"{conditions} {part}") for part in parts)


def _by_number(filters: Filters, after: Place | None) -> str:
    # In this form they are no reason to leave the index of the numbers, in whose order a page is.
    conditions = [f"AND ({each.removeprefix('AND ')}) IS TRUE" for each in conditions_of(filters)]
    if after is not None:
        # The ranges begin at the cursor's number, which several ids may share.
        conditions.append("AND NOT (s.e164 = %(key)s AND s.number_id <= %(after)s)")
    return BY_NUMBER.format(filters=" ".join(conditions))


def _among_few(filters: Filters, after: Place | None) -> str:
    beyond = "" if after is None else "AND (few.e164, few.number_id) > (%(key)s, %(after)s)"
    conditions = " ".join(conditions_of(filters))
    return WITH_FEW.format(filters=conditions) + AMONG_FEW.format(after=beyond)


def ranges_from(ranges: tuple[Range, ...], key: str) -> tuple[Range, ...]:
    """What is left of ranges from a number on: what lies before it is not looked at again."""
    return tuple(Range(max(start, key), end) for start, end in ranges if end > key)


async def horizon(conn: AsyncConnection[Any]) -> int:
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
