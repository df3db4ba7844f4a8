"""Whose a number is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from api.problems import Problem
from api.service import Service
from consent_ledger.facts import parse_event_id


async def is_own(conn: AsyncConnection[Any], number_id: UUID, account_id: UUID) -> bool:
    """Whether the account has a number of this id."""
    found = await conn.execute(
        "SELECT 1 FROM consent_status WHERE number_id = %s AND account_id = %s",
        (number_id, account_id),
    )
    return await found.fetchone() is not None


async def own_numbers(
    conn: AsyncConnection[Any], number_ids: Sequence[UUID], account_id: UUID
) -> list[UUID]:
    """Which of these ids are numbers of the account."""
    found = await conn.execute(
        "SELECT number_id FROM consent_status WHERE number_id = ANY(%s) AND account_id = %s",
        (list(number_ids), account_id),
    )
    return [number_id for (number_id,) in await found.fetchall()]


async def own_review(service: Service, account_id: UUID, review_id: str) -> tuple[UUID, int]:
    """The number that a review is of, and the version of the words; Problem where there is none."""
    none = Problem(404, "not-found", "No review has this id.")
    try:
        number_id, version = parse_event_id(review_id)
    except ValueError:
        raise none from None
    async with service.connection() as conn:
        if not await is_own(conn, number_id, account_id):
            raise none
    return number_id, version
