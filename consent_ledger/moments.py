"""Moments as texts name them, RFC 3339 above all, and as the ledger counts them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
EARLIEST: Final = 86_400 * 1_000_000
"""The second day of 1970. A clock that was never set, or a spreadsheet's empty time, says the
first, in some zone, or an earlier one: believed, a STOP would be folded in before all else."""
_LEAP_SECOND: Final = re.compile(r"(.*T[0-9]{2}:[0-9]{2}:)60((?![0-9]).*)")


def moment_of(text: str) -> datetime:
    """The moment that a text names, with its zone where it names one; ValueError for no moment.

    RFC 3339 has small letters and leap seconds, of which Python reads neither: a leap second is
    the second behind it, as in every clock that counts none.
    """
    text = text.upper()
    leap = _LEAP_SECOND.fullmatch(text)
    if leap is None:
        return datetime.fromisoformat(text)
    try:
        return datetime.fromisoformat(f"{leap[1]}59{leap[2]}") + timedelta(seconds=1)
    except OverflowError:
        raise ValueError from None


def instant_of(moment: datetime) -> int:
    """Microseconds since 1970 of a moment that has a zone.

    ValueError for one that UTC has no date for: it could be kept, and never be told.
    """
    try:
        return (moment.astimezone(UTC) - EPOCH) // MICROSECOND
    except OverflowError:
        raise ValueError from None
