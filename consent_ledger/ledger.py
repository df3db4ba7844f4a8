"""The one door: what may be submitted to the ledger, and what comes back."""

from typing import Protocol
from uuid import UUID

import msgspec

from consent_ledger.commands import Command
from consent_ledger.phone_number import Answered


class Claim(msgspec.Struct, frozen=True):
    """A key by which a repetition is known; `body` is a digest where another body is an error."""

    kind: int
    key: UUID
    body: UUID | None = None


MESSAGE_CLAIM = 1
INBOUND_CLAIM = 2
IDEMPOTENCY_CLAIM = 3
CONTACT_CLAIM = 4
"""Of an id by which a text named a contact's other number before anything was on record of it: its
stream will begin under that id, whatever the newest key is by then."""


class Submission(msgspec.Struct, frozen=True):
    """One command for one number.

    `candidates`: the number's ids under each generation of the key, newest first. `number` is for
    the vault alone, as are `words`. `contacts`: the contact's other numbers,
    each by its candidates.
    """

    account_id: UUID
    candidates: tuple[UUID, ...]
    number: str | None
    command: Command
    claims: tuple[Claim, ...] = ()
    words: str | None = None
    contacts: tuple[tuple[UUID, ...], ...] = ()


class Receipt(msgspec.Struct, frozen=True):
    """What was recorded, after commit; `recorded` is empty where it was recorded before."""

    number_id: UUID
    version: int
    position: int
    recorded: tuple[str, ...]
    answer: Answered


class ClaimReusedError(Exception):
    """A key that was used for another number or another body."""

    def __init__(self, kind: int) -> None:
        super().__init__("a key was used before for something else")
        self.kind = kind


class UnavailableError(Exception):
    """The ledger cannot record or answer now; nothing may be taken for a yes."""


class NotRecordedError(UnavailableError):
    """This one cannot be recorded, and for certain was not: others can."""


class Ledger(Protocol):
    """Anything that records submissions: handled, committed, then acknowledged."""

    async def record(self, submission: Submission) -> Receipt:
        """Records a submission; RefusedError, ClaimReusedError, UnknownPurposeError or
        UnavailableError where it does not, and then nothing changed."""
        ...
