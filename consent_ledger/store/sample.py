"""Numbers, and the decisions made about their texts, in pages by key: for a simulation.

Each page is a statement of its own, so that no transaction stays open that would hold back the
readers of the log; ids are keyed hashes, so the first of them are a fair sample of all.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger import facts as f
from consent_ledger.simulation import ASKED_TOPICS
from consent_ledger.store.loading import COUNTED_TOPICS
from consent_ledger.store.mapper import COLUMNS, MAPPER

EventRow = tuple[UUID, int, UUID, int, int, str, bytes]
"""A stored event that is not decoded yet."""

NUMBERS: Final = """
SELECT number_id, snapshot FROM consent_status WHERE account_id = %b AND number_id > %b
ORDER BY number_id LIMIT %b"""

DECIDED: Final = """
SELECT DISTINCT originator_id FROM events
WHERE originator_id = ANY(%b::uuid[]) AND topic = ANY(%b::text[]) AND recorded_at >= %b
ORDER BY originator_id"""

STREAMS: Final = f"""
SELECT {COLUMNS} FROM events
WHERE originator_id = ANY(%b::uuid[]) AND (originator_id, originator_version) > (%b, %b)
    AND (topic = ANY(%b::text[]) OR (topic = ANY(%b::text[]) AND recorded_at >= %b))
ORDER BY originator_id, originator_version LIMIT %b"""

ACCOUNT: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = %b AND originator_version > %b
ORDER BY originator_version LIMIT %b"""

FACTS: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = ANY(%b::uuid[]) AND topic = ANY(%b::text[])
ORDER BY originator_id, originator_version"""


async def numbers_after(
    conn: AsyncConnection[Any], account_id: UUID, after: UUID, limit: int
) -> list[tuple[UUID, bytes]]:
    """The next numbers of an account in the order of their ids, each with its stored snapshot."""
    cursor = await conn.execute(NUMBERS, (account_id, after, limit), prepare=True)
    return await cursor.fetchall()


async def numbers_decided(
    conn: AsyncConnection[Any], ids: Sequence[UUID], since: int
) -> list[UUID]:
    """Those of the numbers about which a text was asked since an instant, in order."""
    cursor = await conn.execute(DECIDED, (list(ids), list(ASKED_TOPICS), since), prepare=True)
    return [row[0] for row in await cursor.fetchall()]


async def events_after(
    conn: AsyncConnection[Any],
    ids: Sequence[UUID],
    place: tuple[UUID, int],
    since: int,
    limit: int,
) -> list[EventRow]:
    """The next events of these numbers, by number and version: every fact that counts, and the
    decisions about texts since an instant."""
    topics = (list(COUNTED_TOPICS), list(ASKED_TOPICS))
    params = (list(ids), *place, *topics, since, limit)
    return await (await conn.execute(STREAMS, params, prepare=True)).fetchall()


async def account_events_after(
    conn: AsyncConnection[Any], account_id: UUID, version: int, limit: int
) -> list[EventRow]:
    """The next events of an account."""
    cursor = await conn.execute(ACCOUNT, (account_id, version, limit), prepare=True)
    return await cursor.fetchall()


async def facts_on(conn: AsyncConnection[Any], ids: Sequence[UUID]) -> dict[UUID, list[f.Event]]:
    """The facts that count on each of these numbers, in order of version."""
    found: dict[UUID, list[f.Event]] = {number_id: [] for number_id in ids}
    cursor = await conn.execute(FACTS, (list(ids), list(COUNTED_TOPICS)))
    for row in await cursor.fetchall():
        found[row[0]].append(MAPPER.event(row))
    return found
