"""What the service tells a process that writes a whole report, and what it is given: frames."""

from typing import Final
from uuid import UUID

import msgspec

from api.report.filters import Filters
from api.report.formats import Format


class Order(msgspec.Struct, frozen=True):
    """One report: where the ledger is, what is told of it, and how it is written."""

    database_url: str
    account_id: UUID
    filters: Filters
    kind: Format


class Part(msgspec.Struct, frozen=True):
    """A part of the file: the first as soon as the ledger has been asked, an empty one at the end.

    `error` names what went wrong instead, without a value.
    """

    data: bytes = b""
    error: str | None = None


order_of: Final = msgspec.msgpack.Decoder(Order).decode
part_of: Final = msgspec.msgpack.Decoder(Part).decode
