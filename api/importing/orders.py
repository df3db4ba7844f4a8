"""What the service tells its worker, and what the worker says: lines on its standard streams."""

from typing import Final
from uuid import UUID

import msgspec

CALL: Final = b"\n"
"""There is something to do."""
_BUSY: Final = b"busy "


def busy_line(share: float) -> bytes:
    """The share of a processor that the service takes itself, in percent."""
    return _BUSY + b"%d\n" % round(100 * share)


def busy_share(line: bytes) -> float | None:
    """The share that a line tells, where it tells one."""
    return int(line.removeprefix(_BUSY)) / 100 if line.startswith(_BUSY) else None


def list_line(import_id: UUID | None) -> bytes:
    """The list that the worker is at; none when it has done what it could."""
    return b"\n" if import_id is None else b"%s\n" % import_id.hex.encode()


def list_told(line: bytes) -> UUID | None:
    """The list that a line tells; none where it was cut short, or something else wrote it."""
    try:
        return UUID(line.decode().strip())
    except ValueError:
        return None


class Orders(msgspec.Struct, frozen=True):
    """The first line, as JSON."""

    database_url: str
    key: str
    log_level: str
