"""Patterns over words, as the language files write them, and the places they are made of.

In a pattern, a word stands for itself, `$name` for a group of the language, `( a | b c )` for any
of these, `_` for any one word, `#` for digits, `! $name` for any word that is not of this group
(the text may also end there). `<` and `>` are the beginning and end of a sentence, `<<` and `>>` of
the text. What is followed by `?` may be missing, by `*` may also be repeated. `word~` is the word
and its slips of the thumb.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent_ledger.slips import slips
from consent_ledger.tokens import BREAK, tokens_of

BEGIN: Final = "^"
END: Final = "$"
DIGITS: Final = "#"

EDGES: Final = {
    "<<": frozenset({BEGIN}),
    "<": frozenset({BEGIN, BREAK}),
    ">": frozenset({BREAK, END}),
    ">>": frozenset({END}),
}
EDGE_TOKENS: Final = frozenset({BEGIN, BREAK, END})


class PatternError(ValueError):
    """A pattern that can't be read; the message quotes what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One word's place in a pattern: which words fit, or with `inverse` which do not."""

    words: frozenset[str]
    inverse: bool = False

    def fits(self, token: str) -> bool:
        """Whether a word, or an edge of the text, may stand here."""
        if not self.inverse:
            return token in self.words
        # 'Any word' is not an edge; a word that must not come may also be none at all.
        return token not in self.words and (bool(self.words) or token not in EDGE_TOKENS)


@dataclass(slots=True)
class Part:
    """A piece of a pattern by Glushkov: where it may begin and end, whether it may be left out."""

    first: set[int]
    last: set[int]
    empty: bool


class Compiler:
    """Reads patterns: every word's place, and which places may follow each."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.follow: list[set[int]] = []
        self._groups: Mapping[str, str] = {}
        self._singles: dict[str, frozenset[str]] = {}

    def language(self, groups: Mapping[str, str]) -> None:
        """The groups that the next patterns may name."""
        self._groups, self._singles = groups, {}

    def pattern(self, text: str) -> Part:
        """The places of a pattern; PatternError where it can't be read or could be empty."""
        words = _words_of(text)
        part = self._choice(words)
        if words or part.empty:
            raise PatternError(text)
        return part

    def _choice(self, words: list[str]) -> Part:
        found = self._sequence(words)
        while words and words[-1] == "|":
            words.pop()
            found = _either(found, self._sequence(words))
        return found

    def _sequence(self, words: list[str]) -> Part:
        found = Part(set(), set(), True)
        while words and words[-1] not in ("|", ")"):
            found = self._then(found, self._item(words))
        return found

    def _then(self, one: Part, other: Part) -> Part:
        for place in one.last:
            self.follow[place] |= other.first
        return Part(
            one.first | other.first if one.empty else one.first,
            one.last | other.last if other.empty else other.last,
            one.empty and other.empty,
        )

    def _item(self, words: list[str]) -> Part:
        word = words.pop()
        if word == "(":
            found = self._choice(words)
            if not words:
                raise PatternError("a bracket is not closed")
            words.pop()
        else:
            found = self._atom(word, words)
        if not words or words[-1] not in ("?", "*"):
            return found
        if words.pop() == "*":
            for place in found.last:
                self.follow[place] |= found.first
        return Part(found.first, found.last, True)

    def _atom(self, word: str, words: list[str]) -> Part:
        if word in EDGES:
            return self._place(Place(EDGES[word]))
        if word == "#":
            return self._place(Place(frozenset({DIGITS})))
        if word == "_":
            return self._place(Place(frozenset(), inverse=True))
        if word == "!" and words:
            return self._place(Place(self._single(words.pop().lstrip("$")), inverse=True))
        if word.startswith("$"):
            return self._group(word[1:])
        if word.endswith("~"):
            return self._place(Place(slips(word[:-1])))
        return self._spelt(word)

    def _spelt(self, word: str) -> Part:
        found = Part(set(), set(), True)
        tokens = tokens_of(word)
        if not tokens:
            raise PatternError(word)
        for token in tokens:
            found = self._then(found, self._place(Place(frozenset({token}))))
        return found

    def _place(self, place: Place) -> Part:
        self.places.append(place)
        self.follow.append(set())
        here = len(self.places) - 1
        return Part({here}, {here}, False)

    def _group(self, name: str) -> Part:
        """A group: its single words are one place, each longer phrase has places of its own."""
        single = self._single(name)
        found = self._place(Place(single)) if single else Part(set(), set(), False)
        for phrase in _phrases(self._groups[name]):
            if not _is_single(phrase):
                found = _either(found, self._choice(_words_of(phrase)))
        return found

    def _single(self, name: str) -> frozenset[str]:
        """The words of a group that are one word long, those of the groups in it too."""
        if name not in self._groups:
            raise PatternError(f"there is no group ${name}")
        if name not in self._singles:
            found: set[str] = set()
            for phrase in filter(_is_single, _phrases(self._groups[name])):
                if phrase.startswith("$"):
                    found |= self._single(phrase[1:])
                else:
                    found |= slips(phrase[:-1]) if phrase.endswith("~") else set(tokens_of(phrase))
            self._singles[name] = frozenset(found)
        return self._singles[name]


def _either(one: Part, other: Part) -> Part:
    return Part(one.first | other.first, one.last | other.last, one.empty or other.empty)


def _words_of(pattern: str) -> list[str]:
    """The words and marks of a pattern, the last first."""
    for mark in "()|?*!":
        pattern = pattern.replace(mark, f" {mark} ")
    return pattern.split()[::-1]


def _phrases(text: str) -> list[str]:
    """The alternatives of a group, on the outermost level."""
    found, depth = [""], 0
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += char
    return [phrase.strip() for phrase in found]


def _is_single(phrase: str) -> bool:
    if any(mark in phrase for mark in "( ?*"):
        return False
    return phrase.startswith("$") or len(tokens_of(phrase)) == 1
