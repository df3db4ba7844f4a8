"""The numbers of a grown ledger: spread over a whole numbering plan, and known by their place."""

from typing import Final

FIRST: Final = 2_010_000_000
"""Area code 201 is the lowest of the plan."""
SPAN: Final = 7_970_000_000
"""Up to area code 998, so that a search by first digits finds a few of many."""


def national(place: int, total: int) -> int:
    """The national digits of the number at a place among `total`."""
    return FIRST + place * step(total)


def step(total: int) -> int:
    """From one number to the next."""
    return SPAN // total


def e164(place: int, total: int) -> str:
    """The number at a place among `total`."""
    return f"+1{national(place, total)}"
