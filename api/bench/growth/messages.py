"""A number with a hundred thousand messages beside one with ten: a command must cost the same."""

from typing import Any, Final
from uuid import UUID

import psycopg
from msgspec.structs import replace

from consent_ledger.store.codec import decode_snapshot, encode_snapshot

COPY_MESSAGES: Final = """
INSERT INTO events
    (originator_id, originator_version, account_id, position, recorded_at, topic, state)
SELECT originator_id, originator_version + i, account_id, position + i, recorded_at, topic, state
FROM events, generate_series(1, %(more)s) AS i
WHERE originator_id = %(number_id)s AND originator_version = %(version)s"""


def grow(conn: psycopg.Connection[Any], number_id: UUID, more: int) -> None:
    """Repeats a number's latest event so many times, as if as many texts had been asked about."""
    row = conn.execute(
        "SELECT version, snapshot FROM consent_status WHERE number_id = %s", (number_id,)
    ).fetchone()
    assert row is not None
    version, snapshot = row[0], decode_snapshot(row[1])
    with conn.transaction():
        params = {"number_id": number_id, "version": version, "more": more}
        conn.execute(COPY_MESSAGES, params)
        grown = encode_snapshot(replace(snapshot, version=version + more))
        conn.execute(
            "UPDATE consent_status SET version = version + %s, snapshot = %s WHERE number_id = %s",
            (more, grown, number_id),
        )
