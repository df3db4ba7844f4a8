"""Numbers of a list: the usual writings of North America at once, any other by the ledger's own
reading. Both give the same number; a test holds them against each other."""

import re
from typing import Final

from consent_ledger.number import LONGEST_TEXT, UnparseableNumber, canonical

UNPARSEABLE: Final = "number-unparseable"
DAMAGED: Final = "number-damaged"
"""Why a text is no number; imports have the same names."""
NATIONAL_REGIONS: Final = ("US", "CA")
"""Regions whose national form is the ten digits after +1."""

_LENGTH: Final = len("+14155550100")
_TRUNK: Final = ord("1")
_WRITTEN: Final = re.compile(
    rb"(\+?1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([0-9]{3})"
    # A point and zeros may be a spreadsheet's, and the digits before them an amount.
    rb"(?:[ -]|\.(?!0000))?([0-9]{4})"
)
_AS_TEXT: Final = re.compile(rb"'?=\"([^\"]*)\"|'(.*)", re.DOTALL)
"""What a file for spreadsheets has around a number, so that it is no amount and no formula."""
_CHANGED: Final = re.compile(
    rb"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+|[0-9]{7,}[.,]0+|#+|#[A-Z/0!]+[!?]?"
)
"""What a spreadsheet makes of a number that it takes for an amount."""


class NumberReader:
    """Reads numbers in the national form of a region, too."""

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._national = region in NATIONAL_REGIONS

    def read(self, text: bytes) -> bytes | None:
        """The E.164 text of a number; None where it is none."""
        if (
            len(text) == _LENGTH
            and text.startswith(b"+1")
            and text[2] != _TRUNK
            and text[1:].isdigit()
        ):
            return text
        found = _WRITTEN.fullmatch(text)
        if found is not None and (self._national or text.startswith(b"+")):
            return b"+1%b%b%b" % (found[2] or found[3], found[4], found[5])
        return self._read_patiently(text)

    def _read_patiently(self, text: bytes) -> bytes | None:
        if len(text) > 4 * LONGEST_TEXT:
            return None
        bare = _bare(text)
        if _CHANGED.fullmatch(bare):
            return None
        try:
            return canonical(bare.decode(), self._region).encode()
        except (UnicodeDecodeError, UnparseableNumber):
            return None


def why_not(text: bytes) -> str:
    """Why a text was read as no number."""
    return DAMAGED if _CHANGED.fullmatch(_bare(text)) else UNPARSEABLE


def _bare(text: bytes) -> bytes:
    found = _AS_TEXT.fullmatch(text)
    if found is None:
        return text
    return found[2] if found[1] is None else found[1]
