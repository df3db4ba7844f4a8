"""Rows that code reads back: snapshots, held texts, accounts and kept answers, as bytes."""

from typing import Final

import msgspec

from consent_ledger.account import Account
from consent_ledger.held import Held
from consent_ledger.phone_number import Answered
from consent_ledger.snapshot import Snapshot

_snapshots: Final = msgspec.msgpack.Decoder(Snapshot)
_held: Final = msgspec.msgpack.Decoder(Held)
_answers: Final = msgspec.json.Decoder(Answered)
_accounts: Final = msgspec.json.Decoder(Account)

encode_snapshot: Final = msgspec.msgpack.Encoder().encode
encode_held: Final = msgspec.msgpack.Encoder().encode
encode_answer: Final = msgspec.json.Encoder().encode
encode_account: Final = msgspec.json.Encoder().encode

UnreadableRowError = msgspec.MsgspecError
"""Raised by the decoders; a check that meets it answers no."""


def decode_snapshot(data: bytes) -> Snapshot:
    """The snapshot in a row of consent_status."""
    return _snapshots.decode(data)


def readable_snapshot(data: bytes, version: int | None = None) -> Snapshot | None:
    """The snapshot in a row of consent_status; None where this release cannot read it, or where it
    is not of the row's `version`, if that is at hand, or of any: then it is damaged."""
    try:
        found = _snapshots.decode(data)
    except UnreadableRowError:
        return None
    is_whole = found.version > 0 if version is None else found.version == version
    return found if is_whole else None


def decode_held(data: bytes) -> Held:
    """The held text in a row of deferred_messages."""
    return _held.decode(data)


def decode_answer(data: bytes) -> Answered:
    """The kept answer of a claim."""
    return _answers.decode(data)


def decode_account(data: bytes) -> Account:
    """The account in a row of account_status."""
    return _accounts.decode(data)
