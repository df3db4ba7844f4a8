"""Whose a number is."""

from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def is_own(conn: AsyncConnection[Any], number_id: UUID, account_id: UUID) -> bool:
    """Whether the account has a number of this id."""
    found = await conn.execute(
        "SELECT 1 FROM consent_status WHERE number_id = %s AND account_id = %s",
        (number_id, account_id),
    )
    return await found.fetchone() is not None
