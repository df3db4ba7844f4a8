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

END: Final = 2**31 - 1


async def read_log(conn: AsyncConnection[Any], after: int, limit: int) -> list[f.Event]:
    """Up to `limit` events after a position, in order; none is ever added before the last one."""
    cursor = await conn.execute(READ, (after, limit))
    return [MAPPER.event(row) for row in await cursor.fetchall()]


async def read_stream(
    conn: AsyncConnection[Any], originator_id: UUID, upto: int = END
) -> list[f.Event]:
    """The events of one number or account, in order of version."""
    cursor = await conn.execute(STREAM, (originator_id, upto))
    return [MAPPER.event(row) for row in await cursor.fetchall()]
