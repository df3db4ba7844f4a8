"""What a report of opt-outs is narrowed to (R-V3)."""

import hashlib

import msgspec

from api.problems import invalid
from consent_ledger.prefix import SHORTEST, PrefixError, PrefixTooShortError, Range, prefix_ranges
from consent_ledger.words import Source


class Filters(msgspec.Struct, frozen=True, array_like=True):
    """All of them apply to the opt-out shown of a number; None narrows nothing.

    `since` and `before` are microseconds since 1970, the first included and the second not.
    `ranges` are those of the number's first digits.
    """

    source: Source | None = None
    since: int | None = None
    before: int | None = None
    ranges: tuple[Range, ...] | None = None

    @property
    def digest(self) -> str:
        """The same for the same report, however its prefix was typed."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


def read_ranges(number_prefix: str | None) -> tuple[Range, ...] | None:
    """The ranges of a number's first digits as they were typed; a 422 where there are too few."""
    if number_prefix is None:
        return None
    try:
        return tuple(prefix_ranges(number_prefix))
    except PrefixTooShortError:
        raise invalid(
            "number_prefix", "prefix-too-short", f"Give at least {SHORTEST} digits of the number."
        ) from None
    except PrefixError:
        raise invalid(
            "number_prefix", "prefix-unreadable", "Give the first digits, with or without a plus."
        ) from None
