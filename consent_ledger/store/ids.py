"""Many ids as one parameter of a statement, without an object or a text for each."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

from consent_ledger.store.binary import uuids_of_bytes

UUIDS_OID: Final = 2951


class Ids:
    """Ids as PostgreSQL reads an array of them."""

    __slots__ = ("data",)

    def __init__(self, ids: Sequence[bytes]) -> None:
        self.data = uuids_of_bytes(ids)


class _IdsDumper(Dumper):
    oid = UUIDS_OID
    format = Format.BINARY

    def dump(self, obj: Ids) -> bytes:
        return obj.data


def know_ids(conn: Any) -> None:
    """Teaches a connection to send ids."""
    context: AdaptContext = conn
    context.adapters.register_dumper(Ids, _IdsDumper)
