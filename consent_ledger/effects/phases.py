"""The phases in which the effects of one instant are applied, and what an effect is (R-O2)."""

from collections.abc import Callable
from enum import IntEnum

from consent_ledger.said import Said
from consent_ledger.standing import Standing


class Phase(IntEnum):
    OPENING = 0
    REQUEST = 1
    CLOSING = 2
    STOP = 3


Effect = Callable[[Standing], Standing]
Effects = list[tuple[Phase, Said, Effect]]

# Members that most facts ask for: to look one up takes longer than to compare it.
OPENING, REQUEST, CLOSING, STOP = Phase


def opening(item: Said, effect: Effect) -> Effects:
    """What opens, before all else of its instant."""
    # A time that the ledger did not believe opens nothing (R-O3).
    return [(OPENING, item, effect)] if item.believed else []


def closing(item: Said, effect: Effect) -> Effects:
    """What closes, after all that opens at its instant, and all requests."""
    return [(CLOSING, item, effect)]


def stopping(item: Said, effect: Effect) -> Effects:
    """What a STOP does, after all else of its instant."""
    return [(STOP, item, effect)]
