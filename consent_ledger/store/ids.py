"""Many ids as one parameter of a statement, without an object or a text for each."""

import struct
from collections.abc import Sequence
from typing import Any, Final

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

UUID_OID: Final = 2950
UUIDS_OID: Final = 2951
_HEADER: Final = struct.Struct("!iiIii")
_ELEMENT: Final = struct.pack("!i", 16)


class Ids:
    """Ids as PostgreSQL reads an array of them; there is at least one."""

    __slots__ = ("data",)

    def __init__(self, ids: Sequence[bytes]) -> None:
        header = _HEADER.pack(1, 0, UUID_OID, len(ids), 1)
        self.data = header + _ELEMENT + _ELEMENT.join(ids)


class _IdsDumper(Dumper):
    oid = UUIDS_OID
    format = Format.BINARY

    def dump(self, obj: Ids) -> bytes:
        return obj.data


def know_ids(conn: Any) -> None:
    """Teaches a connection to send ids."""
    context: AdaptContext = conn
    context.adapters.register_dumper(Ids, _IdsDumper)
