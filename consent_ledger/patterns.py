"""Patterns over words, as the language files write them, and the nodes that they become.

In a pattern, a word stands for itself, `$name` for a group of the language, `( a | b c )` for any
of these, `_` for any one word, `#` for digits, `! $name` for any word that is not of this group
(the text may also end there). `<` and `>` are the beginning and end of a sentence, `<<` and `>>` of
the text. What is followed by `?` may be missing, by `*` may also be repeated. `word~` is the word
and its slips of the thumb.

A node is what may come next: steps, each over the words of one place to another node. It is made
from the end of a pattern to its beginning, and two equal ones are the same, so that all phrases of
a group, and phrases that end alike, share what follows.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

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


class Place(NamedTuple):
    """One word's place in a pattern: which words fit, or with `inverse` which do not."""

    words: frozenset[str]
    inverse: bool = False

    def fits(self, token: str) -> bool:
        """Whether a word, or an edge of the text, may stand here."""
        if not self.inverse:
            return token in self.words
        # 'Any word' is not an edge; a word that must not come may also be none at all.
        return token not in self.words and (bool(self.words) or token not in EDGE_TOKENS)


# A step is a number: its place, and the node that it leads to. What has no place is another node,
# from which one goes on as from this one; below zero are marks.
Steps = frozenset[int]
Piece = Callable[[Steps], Steps]
"""A piece of a pattern: of what may come after it, it makes what may come with it."""

_NODE_BITS: Final = 24
_LAST_NODE: Final = (1 << _NODE_BITS) - 1
_NO_PLACE: Final = Place(frozenset())

KEPT: Final = -1
"""The mark of a node that the dots before the first word do not end."""


def pattern_ended(steps: Iterable[int]) -> int | None:
    """The number of the pattern that ends where these are the next steps, if one does."""
    return next((-2 - step for step in steps if step < KEPT), None)


def parted(step: int) -> tuple[int, int]:
    """The place and the node of a step."""
    return step >> _NODE_BITS, step & _LAST_NODE


class Compiler:
    """Reads patterns: every place there is, and what may come next at each node."""

    def __init__(self) -> None:
        self.places: list[Place] = [_NO_PLACE]
        self._place_numbers: dict[Place, int] = {_NO_PLACE: 0}
        self._nodes: list[tuple[int, ...]] = []
        self._node_numbers: dict[tuple[int, ...], int] = {}
        self._looped: list[int] = []
        self._patterns = 0
        self._spellings: dict[str, Piece] = {}
        self.language({})

    def language(self, groups: Mapping[str, str]) -> None:
        """The groups that the next patterns may name."""
        self._texts = groups
        self._read: dict[str, list[list[str]]] = {}
        self._singles: dict[str, frozenset[str]] = {}
        self._groups: dict[str, Piece] = {}

    def pattern(self, text: str) -> list[int]:
        """The first steps of the next pattern; PatternError if it can't be read or may be empty."""
        words = _words_of(text)
        piece = self._choice(words)
        if words:
            raise PatternError(text)
        steps = self._resolved(piece(frozenset({-2 - self._patterns})))
        if pattern_ended(steps) is not None:
            raise PatternError(text)
        self._patterns += 1
        return sorted(steps)

    def nodes(self) -> list[tuple[int, ...]]:
        """The next steps and the marks of each node."""
        for number in self._looped:
            self._nodes[number] = tuple(sorted(self._resolved(self._nodes[number])))
        self._looped.clear()
        return self._nodes

    def _choice(self, words: list[str]) -> Piece:
        found = [self._sequence(words)]
        while words and words[-1] == "|":
            words.pop()
            found.append(self._sequence(words))
        return _any_of(found)

    def _sequence(self, words: list[str]) -> Piece:
        found: list[Piece] = []
        while words and words[-1] not in ("|", ")"):
            found.append(self._item(words))
        return _in_turn(found)

    def _item(self, words: list[str]) -> Piece:
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
        return self._repeated(found) if words.pop() == "*" else _perhaps(found)

    def _atom(self, word: str, words: list[str]) -> Piece:
        if word == "<<":
            begin = self._place(Place(EDGES[word]))
            return lambda after: begin(after | {KEPT})
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

    def _spelt(self, word: str) -> Piece:
        if word not in self._spellings:
            tokens = tokens_of(word)
            if not tokens:
                raise PatternError(word)
            pieces = [self._place(Place(frozenset({token}))) for token in tokens]
            self._spellings[word] = _in_turn(pieces)
        return self._spellings[word]

    def _place(self, place: Place) -> Piece:
        number = self._place_numbers.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        step = number << _NODE_BITS
        return lambda after: frozenset((step | self._node(after),))

    def _repeated(self, piece: Piece) -> Piece:
        """A piece that leads back to a node of its own, from which it may also go on."""

        def repeated(after: Steps) -> Steps:
            number = len(self._nodes)
            self._nodes.append(())
            here = frozenset((number,))
            self._nodes[number] = tuple((piece(here) | after) - here)
            self._looped.append(number)
            return here

        return repeated

    def _node(self, steps: Steps) -> int:
        key = tuple(sorted(steps))
        number = self._node_numbers.setdefault(key, len(self._nodes))
        if number == len(self._nodes):
            self._nodes.append(key)
            if any(0 <= step <= _LAST_NODE for step in key):
                self._looped.append(number)
        return number

    def _resolved(self, steps: Iterable[int]) -> set[int]:
        """The steps, with those of the nodes that are gone on from."""
        found: set[int] = set()
        seen: set[int] = set()
        ahead = list(steps)
        while ahead:
            step = ahead.pop()
            if not 0 <= step <= _LAST_NODE:
                found.add(step)
            elif step not in seen:
                seen.add(step)
                ahead += self._nodes[step]
        return found

    def _group(self, name: str) -> Piece:
        """A group: its single words are one place, each longer phrase has places of its own."""
        if name not in self._groups:
            single = self._single(name)
            found = [self._place(Place(single))] if single else []
            for phrase in self._phrases(name):
                if not _is_single(phrase):
                    found.append(self._choice(phrase[::-1]))
            self._groups[name] = _any_of(found)
        return self._groups[name]

    def _single(self, name: str) -> frozenset[str]:
        """The words of a group that are one word long, those of the groups in it too."""
        if name not in self._singles:
            found: set[str] = set()
            for (word,) in filter(_is_single, self._phrases(name)):
                if word.startswith("$"):
                    found |= self._single(word[1:])
                else:
                    found |= slips(word[:-1]) if word.endswith("~") else set(tokens_of(word))
            self._singles[name] = frozenset(found)
        return self._singles[name]

    def _phrases(self, name: str) -> list[list[str]]:
        """The alternatives of a group, on the outermost level, as words and marks."""
        if name not in self._texts:
            raise PatternError(f"there is no group ${name}")
        if name not in self._read:
            found: list[list[str]] = [[]]
            depth = 0
            for word in reversed(_words_of(self._texts[name])):
                depth += (word == "(") - (word == ")")
                if word == "|" and depth == 0:
                    found.append([])
                else:
                    found[-1].append(word)
            self._read[name] = found
        return self._read[name]


def _in_turn(pieces: list[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]

    def in_turn(after: Steps) -> Steps:
        for piece in reversed(pieces):
            after = piece(after)
        return after

    return in_turn


def _any_of(pieces: list[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    return lambda after: frozenset().union(*[piece(after) for piece in pieces])


def _perhaps(piece: Piece) -> Piece:
    return lambda after: piece(after) | after


def _words_of(pattern: str) -> list[str]:
    """The words and marks of a pattern, the last first."""
    for mark in "()|?*!":
        pattern = pattern.replace(mark, f" {mark} ")
    return pattern.split()[::-1]


def _is_single(phrase: list[str]) -> bool:
    if len(phrase) != 1:
        return False
    return phrase[0].startswith("$") or len(tokens_of(phrase[0])) == 1
