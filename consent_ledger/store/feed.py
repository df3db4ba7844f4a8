"""The events of one account, in order, and what went before a reply."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from consent_ledger import facts as f
from consent_ledger.asked_by import ASKING
from consent_ledger.store.mapper import COLUMNS, MAPPER, UnreadableEventError

READ: Final = f"""
SELECT {COLUMNS} FROM events
WHERE account_id = %s AND position > %s AND position < ledger_horizon()
ORDER BY position LIMIT %s"""

LOOKED_BACK: Final = 500
"""Events of a number that are searched for who asked: a busy number costs a reply no more."""

BEFORE: Final = f"""
SELECT reply.version, before.* FROM unnest(%s::uuid[], %s::integer[]) AS reply (number_id, version)
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM events
    WHERE originator_id = reply.number_id AND originator_version < reply.version
    ORDER BY originator_version DESC LIMIT {LOOKED_BACK}
) AS before
WHERE split_part(before.topic, '.', 1) = ANY(%s)
ORDER BY before.originator_id, reply.version, before.originator_version DESC"""

HORIZON: Final = "SELECT ledger_horizon()"

NEWS: Final = """
WITH settled AS MATERIALIZED (SELECT ledger_horizon() AS horizon)
SELECT horizon, ARRAY(
    SELECT account_id FROM unnest(%s::uuid[]) AS account_id
    WHERE EXISTS (
        SELECT FROM events WHERE events.account_id = account_id.account_id
            AND position >= %s AND position < horizon
    )
) FROM settled"""


class Unreadable(msgspec.Struct, frozen=True):
    """The place of an event that this version cannot read; a follower is told that it is there."""

    originator_id: UUID
    originator_version: int
    account_id: UUID
    recorded_at: int
    topic: str
    position: int

    @property
    def event_id(self) -> str:
        """The event's id."""
        return f.event_id(self.originator_id, self.originator_version)


Recorded = f.Event | Unreadable


async def read_account(
    conn: AsyncConnection[Any], account_id: UUID, after: int, limit: int
) -> list[Recorded]:
    """Up to `limit` events of an account after a position; none is ever added before the last."""
    cursor = await conn.execute(READ, (account_id, after, limit))
    return [_recorded(row) for row in await cursor.fetchall()]


def _recorded(row: Any) -> Recorded:
    try:
        return MAPPER.event(row)
    except UnreadableEventError:
        number_id, version, account_id, position, recorded_at, topic, _ = row
        return Unreadable(number_id, version, account_id, recorded_at, topic, position)


async def read_before(
    conn: AsyncConnection[Any], replies: Sequence[f.Event]
) -> dict[str, list[f.Event]]:
    """What users asked before each of these replies, the latest first, by the reply's id."""
    if not replies:
        return {}
    ids = [reply.originator_id for reply in replies]
    versions = [reply.originator_version for reply in replies]
    cursor = await conn.execute(BEFORE, (ids, versions, list(ASKING)))
    found: dict[str, list[f.Event]] = defaultdict(list)
    for version, *row in await cursor.fetchall():
        event = _recorded(row)
        if isinstance(event, f.Event):
            found[f.event_id(event.originator_id, version)].append(event)
    return found


async def settled(conn: AsyncConnection[Any]) -> int:
    """The horizon: nothing will be added below it."""
    row = await (await conn.execute(HORIZON)).fetchone()
    assert row is not None
    return int(row[0])


async def news(
    conn: AsyncConnection[Any], account_ids: Iterable[UUID], since: int
) -> tuple[int, list[UUID]]:
    """The horizon now, and which of these accounts have events between `since` and it."""
    row = await (await conn.execute(NEWS, (list(account_ids), since))).fetchone()
    assert row is not None
    return int(row[0]), row[1]
