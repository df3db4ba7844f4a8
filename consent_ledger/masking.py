"""Phone numbers in any text hidden, for logs (rulebook section 9)."""

import re
from typing import Final

MASK: Final = "[number]"

_SEPARATORS = r"[\s().\-/\u00b7\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\u2212\ufeff]{0,4}"
# Instants and opaque ids are what a log is searched by, and no phone number is written so.
_LEFT_ALONE = (
    r"(?P<kept>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?!\d)"
    r"|(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f]))"
)
_NUMBER_LIKE = re.compile(
    rf"{_LEFT_ALONE}|[+\uff0b]{_SEPARATORS}\d(?:{_SEPARATORS}\d){{3,}}|\d(?:{_SEPARATORS}\d){{6,}}"
)


def mask(text: str) -> str:
    """The text with every run that could be a phone number replaced, for logs (section 9).

    A run is seven digits or more with separators between, or four or more after a plus. ISO 8601
    instants and UUIDs stay readable.
    """
    return _NUMBER_LIKE.sub(lambda m: m["kept"] or MASK, text)
