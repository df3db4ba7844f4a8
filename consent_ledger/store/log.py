"""Reading the log and the streams: nothing is skipped, and nothing is told before it is settled.

Positions grow with the transaction's id; a transaction that began early may commit late. So a
reader stays below the oldest transaction that still runs (see ledger_horizon in the migrations).
"""

from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger import facts as f
from consent_ledger.store.mapper import COLUMNS, MAPPER

READ: Final = f"""
SELECT {COLUMNS} FROM events WHERE position > %s AND position < ledger_horizon()
ORDER BY position LIMIT %s"""

STREAM: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = %s AND originator_version <= %s
ORDER BY originator_version"""

PLACES_TAKEN: Final = """
SELECT (SELECT coalesce(max(position), -1) FROM events)
    >= (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_offset) << 20
FROM deployment"""
"""Whether events lie at or beyond the place of the next transaction."""

END: Final = 2**31 - 1


class RestoredLedgerError(Exception):
    """The database was restored into a cluster whose transaction ids are lower."""


async def check_positions(conn: AsyncConnection[Any]) -> None:
    """Refuses a ledger whose new events would lie below old ones: a reader would miss them."""
    row = await (await conn.execute(PLACES_TAKEN)).fetchone()
    if row is not None and row[0]:
        raise RestoredLedgerError("this database was restored: run consent-ledger doctor --fix")


async def read_log(conn: AsyncConnection[Any], after: int, limit: int) -> list[f.Event]:
    """Up to `limit` events after a position, in order; none is ever added before the last one."""
    cursor = await conn.execute(READ, (after, limit), prepare=True, binary=True)
    return [MAPPER.event(row) for row in await cursor.fetchall()]


async def read_stream(
    conn: AsyncConnection[Any], originator_id: UUID, upto: int = END
) -> list[f.Event]:
    """The events of one number or account, in order of version."""
    cursor = await conn.execute(STREAM, (originator_id, upto))
    return [MAPPER.event(row) for row in await cursor.fetchall()]
