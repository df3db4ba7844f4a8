"""The blocked list, as a page (R-B1): every number with each purpose that is blocked for it.

Pages go by the key of their order: the latest block first, or the number's digits where the first
of them are given. A block keeps its place until it is lifted, whatever is written meanwhile.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from api.render import instant
from api.report.cursor import unpacked, write_cursor
from api.report.query import Item, Page, Statement, horizon, ranges_from
from consent_ledger.facts import event_id
from consent_ledger.prefix import Range
from consent_ledger.store.mapper import MAPPER, UnreadableEventError


class BlockFilters(msgspec.Struct, frozen=True, array_like=True):
    """What the list is narrowed to: a purpose, the ranges of the number's first digits."""

    purpose: str | None = None
    ranges: tuple[Range, ...] | None = None

    @property
    def digest(self) -> str:
        """The same for the same list, however its prefix was typed."""
        named = b"blocked" + msgspec.json.encode(self)
        return hashlib.sha256(named).hexdigest()[:16]


class BlockPlace(NamedTuple):
    """The last row of a page: when its block began, or its number where that is the order."""

    key: int | str
    number_id: UUID
    purpose: str


_decode: Final = msgspec.json.Decoder(tuple[str, int | str, UUID, str]).decode

ROW: Final = """
SELECT found.number_id, found.purpose, found.since, found.e164, found.version, e.topic, e.state
FROM ({found}) AS found LEFT JOIN LATERAL (
    SELECT topic, state FROM events
    WHERE originator_id = found.number_id AND originator_version = found.version LIMIT 1
) AS e ON true
ORDER BY {order}"""
"""One row a block, with the fact that it rests on, looked up by its key."""

BY_TIME: Final = """
(SELECT s.number_id, s.purpose, s.since, s.e164, s.version FROM blocks_shown s
WHERE s.account_id = %(account_id)s {conditions}
ORDER BY s.since DESC, s.number_id, s.purpose LIMIT %(limit)s)"""
TIME_ORDER: Final = "found.since DESC, found.number_id, found.purpose"

BY_NUMBER: Final = """
SELECT inside.*
FROM unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends) CROSS JOIN LATERAL (
    SELECT s.number_id, s.purpose, s.since, s.e164, s.version FROM blocks_shown s
    WHERE s.account_id = %(account_id)s AND s.e164 >= range.starts AND s.e164 < range.ends
    {conditions} ORDER BY s.e164, s.number_id, s.purpose LIMIT %(limit)s) AS inside"""
NUMBER_ORDER: Final = "found.e164, found.number_id, found.purpose"

FIRST: Final = "SELECT * FROM ({found}) AS found ORDER BY {order} LIMIT %(limit)s"
"""What several stretches of an index add up to, before the facts are looked up."""

OF_NUMBERS: Final = """
SELECT b.number_id, b.purpose, b.since, n.e164, b.version
FROM purpose_blocks b LEFT JOIN numbers n ON n.number_id = b.number_id
WHERE b.account_id = %(account_id)s AND b.number_id = ANY(%(ids)s)"""


async def find_blocks(
    conn: AsyncConnection[Any],
    account_id: UUID,
    filters: BlockFilters,
    limit: int,
    cursor: str | None,
) -> Page:
    """The rows after a cursor, `limit` at the most; a 422 for a cursor of another list."""
    after = None if cursor is None else BlockPlace(*unpacked(filters, cursor, _decode))
    position = await horizon(conn)
    statement = block_statement(account_id, filters, limit + 1, after)
    rows = await (await conn.execute(statement.sql.encode(), statement.params)).fetchall()
    more = write_cursor(filters, _place(filters, rows[limit - 1])) if len(rows) > limit else None
    return Page([_item(row) for row in rows[:limit]], more, position)


async def find_blocks_of(
    conn: AsyncConnection[Any], account_id: UUID, ids: Sequence[UUID]
) -> list[Item]:
    """The blocks of these numbers, as far as they are the account's."""
    sql = ROW.format(found=OF_NUMBERS, order=TIME_ORDER)
    found = await conn.execute(sql.encode(), {"account_id": account_id, "ids": list(ids)})
    return [_item(row) for row in await found.fetchall()]


def block_statement(
    account_id: UUID, filters: BlockFilters, limit: int, after: BlockPlace | None = None
) -> Statement:
    """A page of the list in its order, from a place on."""
    ranges = filters.ranges or ()
    if after is not None and filters.ranges is not None:
        ranges = ranges_from(ranges, str(after.key))
    params = {
        "account_id": account_id,
        "purpose": filters.purpose,
        "starts": [each.start for each in ranges],
        "ends": [each.end for each in ranges],
        "limit": limit,
    }
    if after is not None:
        params |= {"key": after.key, "after": after.number_id, "after_purpose": after.purpose}
    by_time = filters.ranges is None
    found, order = (
        (_by_time(filters, after), TIME_ORDER)
        if by_time
        else (_by_number(filters, after), NUMBER_ORDER)
    )
    first = FIRST.format(found=found, order=order)
    return Statement(ROW.format(found=first, order=order), params)


def _purpose(filters: BlockFilters) -> str:
    """Named only where it is asked for, so that the plan is that of the question."""
    return "" if filters.purpose is None else "AND s.purpose = %(purpose)s"


def _by_time(filters: BlockFilters, after: BlockPlace | None) -> str:
    narrowed = _purpose(filters)
    if after is None:
        return BY_TIME.format(conditions=narrowed)
    # Two parts, as each is one stretch of the index, however many blocks share an instant.
    parts = (
        "AND s.since = %(key)s AND (s.number_id, s.purpose) > (%(after)s, %(after_purpose)s)",
        "AND s.since < %(key)s",
    )
    return " UNION ALL ".join(BY_TIME.format(conditions=f"{narrowed} {part}") for part in parts)


def _by_number(filters: BlockFilters, after: BlockPlace | None) -> str:
    conditions = _purpose(filters)
    if after is not None:
        # The ranges begin at the cursor's number, which has blocks on both sides of the cursor.
        conditions += (
            " AND NOT (s.e164 = %(key)s"
            " AND (s.number_id, s.purpose) <= (%(after)s, %(after_purpose)s))"
        )
    return BY_NUMBER.format(conditions=conditions)


def _place(filters: BlockFilters, row: tuple[Any, ...]) -> BlockPlace:
    number_id, purpose, since, e164, *_ = row
    return BlockPlace(since if filters.ranges is None else e164, number_id, purpose)


def _item(row: tuple[Any, ...]) -> Item:
    number_id, purpose, since, e164, version, topic, state = row
    actor, by, channel = _told_by(topic, state)
    return {
        "number": e164,
        "number_id": str(number_id),
        "purpose": purpose,
        "since": instant(since),
        "by": by,
        "actor": actor,
        "channel": channel,
        "event_id": event_id(number_id, version),
    }


def _told_by(topic: str | None, state: bytes | None) -> tuple[str | None, str | None, str | None]:
    """Who blocked, their id, and how it reached the ledger; that the block stands is known even
    where a later version wrote its fact."""
    try:
        context, _ = MAPPER.decode(topic or "", bytes(state or b""))
    except UnreadableEventError:
        return None, None, None
    return str(context.actor), context.actor_id, str(context.channel)
