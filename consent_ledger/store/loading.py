"""What a batch of commands needs before it can be handled, in as few round trips as can be."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger import facts as f
from consent_ledger.held import Held
from consent_ledger.ledger import Claim
from consent_ledger.said import FOLDED_TOPICS
from consent_ledger.snapshot import Snapshot
from consent_ledger.store.codec import decode_held, readable_snapshot
from consent_ledger.store.keys import check_generation
from consent_ledger.store.mapper import COLUMNS, MAPPER

ClaimKey = tuple[UUID, int, UUID]
Stored = tuple[int, Snapshot | None]
"""Where a number's last event lies, and its snapshot; None where it cannot be read."""

ROWS: Final = """
SELECT number_id, position, snapshot FROM consent_status WHERE number_id = ANY(%s)
ORDER BY number_id FOR NO KEY UPDATE"""
"""Locks the numbers in order, so that two writers take turns and never deadlock."""

CLAIMED: Final = """
SELECT c.account_id, kind, key, c.number_id, c.version, body, answer, e.position
FROM unnest(%b::uuid[], %b::smallint[], %b::uuid[]) AS given (account_id, kind, key)
JOIN claims c USING (account_id, kind, key)
LEFT JOIN events e ON originator_id = c.number_id AND originator_version = c.version"""

ACCOUNTS: Final = """
SELECT account_id, version, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    (SELECT max(generation) FROM key_generation)
FROM account_status WHERE account_id = ANY(%s)"""
"""Read after the locks were taken, so that the clock is not earlier than what they waited for."""

HELD: Final = """
SELECT number_id, message_id, held FROM deferred_messages
WHERE number_id = ANY(%b::uuid[]) AND state = 'deferred'
UNION
SELECT number_id, message_id, held
FROM unnest(%b::uuid[], %b::text[]) AS given (number_id, message_id)
JOIN deferred_messages USING (number_id, message_id)"""

HISTORY: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = %s AND topic = ANY(%s)
ORDER BY originator_version"""

EVENTS_AT: Final = f"""
SELECT {COLUMNS} FROM events
JOIN unnest(%b::uuid[], %b::integer[]) AS given (i, v)
    ON originator_id = i AND originator_version = v"""

STANDINGS: Final = (
    "SELECT number_id, version, snapshot FROM consent_status WHERE number_id = ANY(%s)"
)

COUNTED_TOPICS: Final = (*FOLDED_TOPICS, "FactRetracted")
"""Topics of the events that count in the fold; texts asked about do not."""


class Claimed:
    """A claim that stands: whose it is and what was answered."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.number_id: UUID = row[3]
        self.version: int = row[4]
        self.body: UUID | None = row[5]
        self.answer: bytes = bytes(row[6])
        self.position: int = row[7] or 0


async def lock_and_load(
    conn: AsyncConnection[Any],
    number_ids: Sequence[UUID],
    claims: Iterable[tuple[UUID, Claim]],
    account_ids: Sequence[UUID],
    newest_generation: int,
) -> tuple[dict[UUID, Stored], dict[ClaimKey, Claimed], dict[UUID, int], int]:
    """Numbers, claims that stand, account versions and the database's clock: one round trip."""
    wanted = list(claims)
    async with conn.pipeline() as pipeline:
        rows = await conn.execute(ROWS, (sorted(number_ids),))
        claimed = await conn.execute(
            CLAIMED,
            (
                [account for account, _ in wanted],
                [claim.kind for _, claim in wanted],
                [claim.key for _, claim in wanted],
            ),
        )
        accounts = await conn.execute(ACCOUNTS, (list(account_ids),))
        await pipeline.sync()
        stored = {row[0]: (row[1], readable_snapshot(row[2])) for row in await rows.fetchall()}
        found = {(row[0], row[1], row[2]): Claimed(row) for row in await claimed.fetchall()}
        versions, now = {}, 0
        for account_id, version, clock, generation in await accounts.fetchall():
            check_generation(generation, newest_generation)
            versions[account_id], now = version, clock
    return stored, found, versions, now


async def load_held(
    conn: AsyncConnection[Any], numbers: Sequence[UUID], named: Sequence[tuple[UUID, str]]
) -> dict[UUID, dict[str, Held]]:
    """Every text that waits on `numbers`, and the texts named, whatever their fate."""
    params = (list(numbers), [n for n, _ in named], [m for _, m in named])
    held: dict[UUID, dict[str, Held]] = {}
    for number_id, message_id, data in await (await conn.execute(HELD, params)).fetchall():
        held.setdefault(number_id, {})[message_id] = decode_held(data)
    return held


async def load_history(conn: AsyncConnection[Any], number_id: UUID) -> list[f.Event]:
    """The events of a number that its snapshot is folded from, in order of version."""
    rows = await conn.execute(HISTORY, (number_id, list(COUNTED_TOPICS)))
    return [MAPPER.event(row) for row in await rows.fetchall()]


async def load_events_at(
    conn: AsyncConnection[Any], places: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], f.Event]:
    """The events at these versions."""
    params = ([number for number, _ in places], [version for _, version in places])
    rows = await conn.execute(EVENTS_AT, params)
    events = map(MAPPER.event, await rows.fetchall())
    return {(event.originator_id, event.originator_version): event for event in events}


async def load_standings(
    conn: AsyncConnection[Any], ids: Sequence[UUID]
) -> dict[UUID, Snapshot | None]:
    """Snapshots without a lock: for the contact's other numbers (R-M5); None if unreadable."""
    rows = await conn.execute(STANDINGS, (list(ids),))
    return {row[0]: readable_snapshot(row[2]) for row in await rows.fetchall()}
