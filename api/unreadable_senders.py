"""Texts from senders that are no phone number: kept until an admin has read them (section 9)."""

from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from api.problems import Problem
from api.render import instant

ID_DIGITS: Final = 18
"""As many as a bigint always holds."""

KEEP: Final = """
INSERT INTO unparsed_words (account_id, sender, body, provider_message_id)
SELECT given.* FROM (VALUES (%s::uuid, %s, %s, %s)) AS given (account_id, sender, body, id)
WHERE NOT EXISTS (
    SELECT 1 FROM unparsed_words kept WHERE kept.account_id = given.account_id
        AND kept.sender = given.sender AND kept.provider_message_id = given.id
        AND kept.body = given.body AND kept.done_at IS NULL)"""
"""Once, however often a provider delivers them (R-O1). Other words are another text, whatever id
they came with: one may be shown twice, none may be lost."""
TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
"""Deliveries of one text take turns: those under way see nothing of each other."""
WAITING: Final = """
SELECT id, sender, body, (extract(epoch FROM received_at) * 1000000)::bigint FROM unparsed_words
WHERE account_id = %s AND done_at IS NULL AND id > %s ORDER BY id LIMIT %s"""
COUNT: Final = """
SELECT count(*) FROM unparsed_words WHERE account_id = %s AND done_at IS NULL"""
FILE_AWAY: Final = """
UPDATE unparsed_words
SET sender = '', body = '', provider_message_id = NULL, done_at = coalesce(done_at, now())
WHERE account_id = %s AND id = %s"""


async def keep(
    conn: AsyncConnection[Any], account_id: UUID, sender: str, body: str, message_id: str
) -> None:
    """Keeps a text for a person to read."""
    async with conn.transaction():
        await conn.execute(TURN, (f"{account_id} {sender} {message_id}",))
        await conn.execute(KEEP, (account_id, sender, body, message_id))


async def waiting(
    conn: AsyncConnection[Any], account_id: UUID, after: int, limit: int
) -> list[dict[str, Any]]:
    """The texts that nobody has filed away, the oldest first."""
    rows = await (await conn.execute(WAITING, (account_id, after, limit))).fetchall()
    return [
        {"kept_id": str(kept), "sender": sender, "text": body, "received_at": instant(at)}
        for kept, sender, body, at in rows
    ]


async def count_waiting(conn: AsyncConnection[Any], account_id: UUID) -> int:
    """How many there are."""
    row = await (await conn.execute(COUNT, (account_id,))).fetchone()
    assert row is not None
    found: int = row[0]
    return found


async def file_away(conn: AsyncConnection[Any], account_id: UUID, kept_id: str) -> None:
    """Deletes the sender and the words of one, again without harm; Problem 404 where it is none."""
    known = kept_id.isascii() and kept_id.isdigit() and len(kept_id) <= ID_DIGITS
    if known:
        done = await conn.execute(FILE_AWAY, (account_id, int(kept_id)))
        known = done.rowcount == 1
    if not known:
        raise Problem(404, "not-found", "No text has this id.")
