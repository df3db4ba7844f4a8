"""What the service tells its worker: lines on its standard input."""

from typing import Final

import msgspec

CALL: Final = b"\n"
"""There is something to do."""
BUSY: Final = b"busy\n"
"""The service has much to do itself."""


class Orders(msgspec.Struct, frozen=True):
    """The first line, as JSON."""

    database_url: str
    key: str
    log_level: str
