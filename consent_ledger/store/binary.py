"""Values in PostgreSQL's binary form, as the statements of the hot paths send and get them.

Written here for the few types that the ledger stores, as a driver's general adaptation takes longer
over a command's parameters than the database does over its rows.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

NULL: Final = b"\xff\xff\xff\xff"
"""A length of -1."""


def _of_uuid(value: UUID) -> bytes:
    return b"\0\0\0\x10" + value.bytes


def _of_integer(value: int) -> bytes:
    return b"\0\0\0\4" + value.to_bytes(4, signed=True)


def _of_bigint(value: int) -> bytes:
    return b"\0\0\0\x08" + value.to_bytes(8, signed=True)


def _of_smallint(value: int) -> bytes:
    return b"\0\0\0\2" + value.to_bytes(2, signed=True)


def _of_text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(4) + data


def _of_bytea(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def _of_boolean(value: bool) -> bytes:
    return b"\0\0\0\1\1" if value else b"\0\0\0\1\0"


_KINDS: Final[dict[str, tuple[int, Callable[[Any], bytes]]]] = {
    "uuid": (2950, _of_uuid),
    "integer": (23, _of_integer),
    "bigint": (20, _of_bigint),
    "smallint": (21, _of_smallint),
    "text": (25, _of_text),
    "bytea": (17, _of_bytea),
    "boolean": (16, _of_boolean),
}
"""SQL type to its number in the catalogue, which never changes, and to its form with its length."""


def array(kind: str, values: Sequence[Any]) -> bytes:
    """The values as an array of a SQL type; None is NULL. KeyError for a type not known here."""
    number, form = _KINDS[kind]
    parts = [NULL if value is None else form(value) for value in values]
    return _head(number, len(parts), None in values) + b"".join(parts)


def _head(number: int, size: int, holds_null: bool = False) -> bytes:
    # One dimension, whether it holds a NULL, the type; then how many, counted from one.
    flag = b"\0\0\0\1" if holds_null else b"\0\0\0\0"
    return b"\0\0\0\1" + flag + number.to_bytes(4) + size.to_bytes(4) + b"\0\0\0\1"


def uuids(values: Iterable[UUID]) -> bytes:
    """Ids as uuid[]."""
    return array("uuid", list(values))


def uuids_of_bytes(ids: Sequence[bytes]) -> bytes:
    """The same of many ids that are bytes already."""
    return _head(_KINDS["uuid"][0], len(ids)) + b"".join([b"\0\0\0\x10" + each for each in ids])


def integer(value: bytes) -> int:
    """A whole number of any size."""
    return int.from_bytes(value, signed=True)
