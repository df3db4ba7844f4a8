"""What the pages show beside the rows of a report: names of keys, and words of a review."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from api.report.query import Item
from consent_ledger import facts as f
from consent_ledger.facts import parse_event_id
from consent_ledger.store.mapper import MAPPER, UnreadableEventError

KEY_NAMES: Final = """
SELECT key_id, name FROM api_keys WHERE account_id = %s AND key_id = ANY(%s) AND name <> ''"""
SAID: Final = """
SELECT number_id, version, body FROM words
JOIN unnest(%b::uuid[], %b::integer[]) AS given (number_id, version) USING (number_id, version)"""
VERDICTS: Final = """
SELECT originator_id, originator_version, topic, state FROM events
JOIN unnest(%b::uuid[], %b::integer[]) AS given (id, version)
    ON originator_id = given.id AND originator_version = given.version
WHERE topic = 'RevocationConfirmed'"""

Place = tuple[UUID, int]
"""An event: its number's id and its version."""


async def key_names(
    conn: AsyncConnection[Any], account_id: UUID, actors: Iterable[str | None]
) -> dict[str, str]:
    """The names of the actors that are keys of the account: an id tells a reader nothing."""
    wanted = sorted({each for each in actors if each})
    rows = await (await conn.execute(KEY_NAMES, (account_id, wanted))).fetchall()
    return dict(rows)


async def words_at(conn: AsyncConnection[Any], places: Sequence[Place]) -> dict[Place, str]:
    """What was said at these events, as far as the words are kept."""
    rows = await (await conn.execute(SAID, _columns(places))).fetchall()
    return {(number_id, version): body for number_id, version, body in rows}


async def with_words_confirmed(conn: AsyncConnection[Any], items: Iterable[Item]) -> list[Item]:
    """Rows of the report, an opt-out that a verdict confirmed with the words it is about."""
    rows = list(items)
    silent = [parse_event_id(row["event_id"]) for row in rows if row["reason"] is None]
    about = await _reviews(conn, silent)
    said = await words_at(conn, list(about.values()))
    words = {verdict: said.get(review) for verdict, review in about.items()}
    return [
        row | {"reason": row["reason"] or words.get(parse_event_id(row["event_id"]))}
        for row in rows
    ]


async def _reviews(conn: AsyncConnection[Any], places: Sequence[Place]) -> dict[Place, Place]:
    """The events of the words, by the verdicts that confirm them."""
    found = {}
    rows = await (await conn.execute(VERDICTS, _columns(places))).fetchall()
    for number_id, version, topic, state in rows:
        try:
            _, fact = MAPPER.decode(topic, bytes(state))
        except UnreadableEventError:
            continue
        if isinstance(fact, f.RevocationConfirmed):
            found[number_id, version] = (number_id, fact.review)
    return found


def _columns(places: Sequence[Place]) -> tuple[list[UUID], list[int]]:
    return [number_id for number_id, _ in places], [version for _, version in places]
