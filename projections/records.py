"""Rows of read models as the server's own bytes of a record, to be compared without reading them.

The form is that of PostgreSQL's record_send: the number of columns, then of each its type, its
length and its value.
"""

from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct
from typing import Any, Final

from consent_ledger.store.projection import Column

Row = tuple[Any, ...]

_INT4: Final = Struct(">i")
_FIELD: Final = Struct(">ii")
_NULL: Final = -1


def _uuid(value: Any) -> bytes:
    return _FIELD.pack(2950, 16) + value.bytes  # type: ignore[no-any-return]


def _text(value: Any) -> bytes:
    data = value.encode()
    return _FIELD.pack(25, len(data)) + data  # type: ignore[no-any-return]


def _bytea(value: Any) -> bytes:
    return _FIELD.pack(17, len(value)) + value  # type: ignore[no-any-return]


_PACKED: Final[dict[str, tuple[int, Callable[[Any], bytes]]]] = {
    "uuid": (2950, _uuid),
    "text": (25, _text),
    "bytea": (17, _bytea),
    "boolean": (16, partial(Struct(">ii?").pack, 16, 1)),
    "integer": (23, partial(Struct(">iii").pack, 23, 4)),
    "bigint": (20, partial(Struct(">iiq").pack, 20, 8)),
    "position": (20, partial(Struct(">iiq").pack, 20, 8)),
}
"""Of each type its number in the server's catalogue, and how a value is written."""


def packer(columns: Sequence[Column]) -> Callable[[Row], bytes]:
    """Writes rows of these columns."""
    count = _INT4.pack(len(columns))
    writers = [_writer(column.type) for column in columns]

    def pack(row: Row) -> bytes:
        return count + b"".join([write(value) for write, value in zip(writers, row)])  # noqa: B905

    return pack


def _writer(kind: str) -> Callable[[Any], bytes]:
    oid, write = _PACKED[kind]
    null = _FIELD.pack(oid, _NULL)
    return lambda value: null if value is None else write(value)


def fields(record: bytes, count: int) -> tuple[bytes, ...]:
    """The values of the first columns of a record, as bytes."""
    found = []
    place = _INT4.size
    for _ in range(count):
        _, length = _FIELD.unpack_from(record, place)
        place += _FIELD.size
        found.append(record[place : place + length])
        place += max(length, 0)
    return tuple(found)
