"""The first digits of a number, as a request has them."""

from api.problems import invalid
from consent_ledger.prefix import SHORTEST, PrefixError, PrefixTooShortError, Range, prefix_ranges


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
