"""Many numbers' rows of one moment: one statement, in the transaction that the service holds."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection

from consent_ledger.store.ids import Ids
from consent_ledger.store.moment import BEGIN

JOIN: Final = "SET TRANSACTION SNAPSHOT '{}'"
FIND: Final = """
SELECT uuid_send(number_id), snapshot FROM consent_status WHERE number_id = ANY(%b::uuid[])"""


def find(conn: Connection[Any], snapshot: str, ids: Sequence[bytes]) -> dict[bytes, bytes]:
    """The snapshots of the numbers that have one, by id, as they stood at a moment."""
    if not ids:
        return {}
    with conn.pipeline():
        conn.execute(BEGIN)
        # The name comes from the database itself, and a parameter is not allowed here.
        conn.execute(JOIN.format(snapshot).encode())
        cursor = conn.execute(FIND, (Ids(ids),), prepare=True, binary=True)
        conn.execute("COMMIT")
        return {bytes(number_id): bytes(row) for number_id, row in cursor.fetchall()}
