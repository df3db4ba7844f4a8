"""What the service tells a process that scrubs, and what it is answered: frames on a pipe."""

from typing import Final
from uuid import UUID

import msgspec

from api.scrubbing.columns import Columns
from consent_ledger.decision import Question


class Start(msgspec.Struct, frozen=True):
    """The first frame: where the ledger is. Not an argument, which every user of the host sees."""

    database_url: str
    key: str


class Scrub(msgspec.Struct, frozen=True):
    """One list: the question, and the moment of the ledger that answers all its rows.

    `snapshot` names the transaction that the look-ups join; `account` is its row, `columns` is None
    for NDJSON.
    """

    scrub_id: int
    snapshot: str
    account: bytes
    account_id: UUID
    now: int
    question: Question
    columns: Columns | None


class Work(msgspec.Struct, frozen=True):
    """A block of a list."""

    scrub: Scrub
    block: bytes


class Done(msgspec.Struct, frozen=True):
    """The block with its answers; `error` names what went wrong instead, without a value."""

    block: bytes = b""
    error: str | None = None


start_of: Final = msgspec.msgpack.Decoder(Start).decode
work_of: Final = msgspec.msgpack.Decoder(Work).decode
done_of: Final = msgspec.msgpack.Decoder(Done).decode
