"""Phrases that read as a wish to end texts (R-K4); `automaton.py` finds them.

Some only hint at it: alone, "who is this" or "not my house" is as often no wish at all. Hints of
different kinds are added up, and together they may weigh enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

ENOUGH: Final = 3
"""What the hints of a text must weigh together; a phrase that leaves no doubt weighs it alone."""

JOINED: Final = " + "
"""Between the names of the hints that weighed enough together."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern and its name, which is what a verdict stores; `unless` names contexts before it.

    Patterns of one kind of hint share it, in all languages: said twice it weighs no more.
    """

    name: str
    pattern: str
    language: str
    unless: tuple[str, ...] = ()
    weight: int = ENOUGH
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Words that open a context for what follows, such as 'do not', and words that keep it open."""

    opens: frozenset[str]
    keeps: frozenset[str]


@dataclass(frozen=True)
class Language:
    """What the patterns of one language are made of."""

    code: str
    groups: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    signs: tuple[Sign, ...] = ()
    spellings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Other spellings of a word; each stands wherever that word may stand in a pattern."""


def weighed(found: Sequence[Sign]) -> str | None:
    """The phrase that weighs enough, or else the hints that do together."""
    hints: dict[str, Sign] = {}
    for sign in found:
        if sign.weight >= ENOUGH:
            return sign.name
        known = hints.get(sign.kind)
        if known is None or known.weight < sign.weight:
            hints[sign.kind] = sign
    named, weight = [], 0
    for hint in sorted(hints.values(), key=lambda hint: -hint.weight):
        named.append(hint.name)
        weight += hint.weight
        if weight >= ENOUGH:
            return JOINED.join(named)
    return None
