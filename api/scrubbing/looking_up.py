"""Many numbers' rows of one moment: one statement, in the transaction that the service holds."""

import struct
from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
JOIN: Final = "SET TRANSACTION SNAPSHOT '{}'"
FIND: Final = """
SELECT uuid_send(number_id), snapshot FROM consent_status WHERE number_id = ANY(%b::uuid[])"""

UUID_OID: Final = 2950
UUIDS_OID: Final = 2951
_HEADER: Final = struct.Struct("!iiIii")
_ELEMENT: Final = struct.pack("!i", 16)


class Ids:
    """Ids as PostgreSQL reads an array of them: no object is made for each."""

    __slots__ = ("data",)

    def __init__(self, ids: Sequence[bytes]) -> None:
        header = _HEADER.pack(1, 0, UUID_OID, len(ids), 1)
        self.data = header + _ELEMENT + _ELEMENT.join(ids)


class _IdsDumper(Dumper):
    oid = UUIDS_OID
    format = Format.BINARY

    def dump(self, obj: Ids) -> bytes:
        return obj.data


def know_ids(conn: Connection[Any]) -> None:
    """Teaches a connection to send ids."""
    conn.adapters.register_dumper(Ids, _IdsDumper)


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
