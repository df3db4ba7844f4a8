"""What the service tells its worker: lines on its standard input."""

from typing import Final

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


class Orders(msgspec.Struct, frozen=True):
    """The first line, as JSON."""

    database_url: str
    key: str
    log_level: str
