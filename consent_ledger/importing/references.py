"""A row's own reference: kept and shown, unless it may be a phone number."""

import re
from typing import Final

REF_LIMIT: Final = 200
"""Characters of a reference, as of any opaque id."""
_BARE: Final = re.compile(r"\+?[\s().\-/]*(\d[\s().\-/]*){10,15}")
"""Nothing but a number, with the signs that people put into one."""
_AFTER_A_PLUS: Final = re.compile(r"\+[\s().\-/]*(?:\d[\s().\-/]*){7}")
_AMONG_WORDS: Final = re.compile(
    # An id has its digits joined to letters, or to more digits by a hyphen: `INV-2026-00012345` and
    # a UUID are no numbers.
    r"[(\d](?<![\w.\-/].)(?:(?<=\()\d)?(?:[\s().\-]{0,3}\d){9,14}"
    r"(?![\s().\-]{0,3}\d|-?[a-df-wyz_]|:\d)"
    r"|\d(?<![\w.\-/].)\d{9,14}(?![\w.\-/])",
    re.IGNORECASE,
)
_SEVEN_DIGITS: Final = re.compile(r"(?:\D*+\d){7}")
"""Nearly every reference has fewer, and a number has as many."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NOT_KEPT: Final = str.maketrans("", "", "'\"=")
"""What spreadsheets put around a number to keep it from being an amount."""


def reference(text: str) -> str | None:
    """The row's own reference; none where it may be a phone number, or holds what is no text."""
    bare = text.strip()[:REF_LIMIT]
    if not bare or not bare.isprintable():
        return None
    if not _SEVEN_DIGITS.match(bare) or _UUID.fullmatch(bare):
        return bare
    shown = bare.translate(_NOT_KEPT)
    if _BARE.fullmatch(shown) or _AMONG_WORDS.search(shown):
        return None
    return None if "+" in shown and _AFTER_A_PLUS.search(shown) else bare
