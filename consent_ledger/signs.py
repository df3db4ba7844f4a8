"""Phrases that read as a wish to end texts (R-K4), found in one pass whatever the text is.

All patterns (`patterns.py`) become one automaton that looks at each word once and never goes back,
so that no text is slow. It is worked out as texts come: many places are bits of an integer, and
words that no pattern tells apart are one symbol. Words that change nothing, such as 'please', may
stand between all others.

Some phrases only hint at it: alone, "who is this" or "not my house" is as often no wish at all.
Hints of different kinds are added up, and together they may weigh enough.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from consent_ledger.patterns import BEGIN, DIGITS, EDGE_TOKENS, EDGES, END, Compiler
from consent_ledger.tokens import BREAK

STEPS_KEPT: Final = 200_000
"""Steps of the automaton that are kept, some 60 MB; English chat needs a fifth. Then it forgets."""

ENOUGH: Final = 3
"""What the hints of a text must weigh together; a phrase that leaves no doubt weighs it alone."""

JOINED: Final = " + "
"""Between the names of the hints that weighed enough together."""

_UNKNOWN: Final = 0


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


# Places a phrase has come to, contexts that are open, and the signs found at this word. Sets of few
# places are kept by their numbers, as an integer would be as long as all phrases together.
_Key = tuple[frozenset[int], int, tuple[int, ...]]


class _State(dict[int, "_State"]):
    """Where the automaton stands; the next state by symbol, worked out when first asked for."""

    __slots__ = ("_signs", "contexts", "found", "places")

    def __init__(self, signs: "Signs", key: "_Key") -> None:
        self._signs = signs
        self.places, self.contexts, self.found = key

    def __missing__(self, symbol: int) -> "_State":
        state = self._signs.after(self, symbol)
        self[symbol] = state
        return state


class Signs:
    """All the phrases of all languages, ready to be looked for."""

    def __init__(self, languages: Iterable[Language], fillers: Iterable[str]) -> None:
        compiler = Compiler()
        self._signs: list[Sign] = []
        self._contexts: list[Context] = []
        self._starts: dict[int, int] = {}  # Places to begin at, by the contexts they may not be in.
        self._sign_at: dict[int, int] = {}
        self._spellings: dict[str, str] = {}
        for language in languages:
            self._add(compiler, language)
        self._follow = [tuple(places) for places in compiler.follow]
        self._read(compiler, frozenset(fillers))
        self._forget()

    def _add(self, compiler: Compiler, language: Language) -> None:
        compiler.language(language.groups)
        for word, others in language.spellings.items():
            self._spellings |= dict.fromkeys(others, word)
        numbers = {name: len(self._contexts) + at for at, name in enumerate(language.contexts)}
        self._contexts += language.contexts.values()
        for sign in language.signs:
            part = compiler.pattern(sign.pattern)
            unless = _bits(numbers[name] for name in sign.unless)
            # A context ends with its sentence, so what begins a sentence begins in none.
            anew = {at for at in part.first if BREAK in compiler.places[at].words}
            for contexts, places in ((0, anew), (unless, part.first - anew)):
                self._starts[contexts] = self._starts.get(contexts, 0) | _bits(places)
            self._sign_at |= dict.fromkeys(part.last, len(self._signs))
            self._signs.append(sign)

    def _read(self, compiler: Compiler, fillers: frozenset[str]) -> None:
        """Gives each word its symbol, and each symbol the places and contexts that it fits."""
        places = compiler.places
        by_word: dict[str, int] = dict.fromkeys((*EDGE_TOKENS, DIGITS, *fillers), 0)
        for context in self._contexts:
            by_word |= dict.fromkeys((*context.opens, *context.keeps), 0)
        anything = 0
        for at, place in enumerate(places):
            anything |= place.inverse << at
            for word in place.words:
                by_word[word] = by_word.get(word, 0) | 1 << at
        for other, word in self._spellings.items():
            digits = by_word[DIGITS] if other.isdecimal() else 0
            by_word[other] = by_word.get(other, digits) | by_word.get(word, 0)
        edges = _bits(at for at, place in enumerate(places) if place.fits(BREAK))
        # A word of an inverse place is what does not fit there, so its bit is turned.
        symbols: dict[tuple[int, int, int, str], int] = {(anything, 0, 0, ""): _UNKNOWN}
        self.symbols: dict[str, int] = {}
        for word, named in by_word.items():
            fits = named ^ anything
            if word in EDGE_TOKENS:
                fits &= edges | ~anything
            either = {word, self._spellings.get(word, word)}
            opens = _bits(n for n, each in enumerate(self._contexts) if either & each.opens)
            keeps = _bits(n for n, each in enumerate(self._contexts) if either & each.keeps)
            if word in fillers:
                keeps = (1 << len(self._contexts)) - 1
            kind = word if word in EDGE_TOKENS else "filler" if word in fillers else ""
            key = fits, opens, keeps, kind
            self.symbols[word] = symbols.setdefault(key, len(symbols))
        self._by_symbol = list(symbols)
        self._fillers = frozenset(self.symbols[word] for word in fillers)
        self._break, self._end = self.symbols[BREAK], self.symbols[END]
        self._digits = self.symbols[DIGITS]
        text_end = {at for at, place in enumerate(places) if place.words == EDGES[">>"]}
        text_begin = {at for at, place in enumerate(places) if place.words == EDGES["<<"]}
        closing = {at for at, follow in enumerate(self._follow) if not text_end.isdisjoint(follow)}
        # Dots before the first word and behind the last are no sentences.
        self._kept_at_break = frozenset(closing | text_begin)

    def _forget(self) -> None:
        self._steps = 0
        self._states: dict[_Key, _State] = {}
        self._masks: dict[int, int] = {}
        self._start = self._state((frozenset(), 0, ()))[self.symbols[BEGIN]]

    def find(self, tokens: list[str]) -> str | None:
        """The name of the first phrase of the first language that the words hold, or of hints."""
        if self._steps > STEPS_KEPT:
            self._forget()
        state, symbols = self._start, self.symbols
        found = set(state.found)
        for token in tokens:
            symbol = symbols.get(token)
            if symbol is None:
                symbol = self._digits if token.isdecimal() else _UNKNOWN
            state = state[symbol]
            if state.found:
                found.update(state.found)
        found.update(state[self._end].found)
        return self._name(sorted(found)) if found else None

    def _name(self, found: list[int]) -> str | None:
        """The phrase that weighs enough, or else the hints that do together."""
        hints: dict[str, Sign] = {}
        for sign in map(self._signs.__getitem__, found):
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

    def after(self, state: _State, symbol: int) -> _State:
        """The state that a word leads to; each is worked out once."""
        self._steps += 1
        fits, opens, keeps, _ = self._by_symbol[symbol]
        reachable = self._beginning(state.contexts)
        for at in state.places:
            reachable |= self._following(at)
        places = set(_ones(reachable & fits))
        found = tuple(sorted({self._sign_at[at] for at in places if at in self._sign_at}))
        if symbol in self._fillers:
            places |= state.places
        elif symbol == self._break:
            places |= state.places & self._kept_at_break
        return self._state((frozenset(places), opens | state.contexts & keeps, found))

    def _beginning(self, contexts: int) -> int:
        """The places that may begin anew where these contexts are open."""
        found = 0
        for unless, starts in self._starts.items():
            if not unless & contexts:
                found |= starts
        return found

    def _following(self, place: int) -> int:
        """What may follow a place; most places are never come to, so it is made when asked for."""
        if place not in self._masks:
            self._masks[place] = _bits(self._follow[place])
        return self._masks[place]

    def _state(self, key: _Key) -> _State:
        if key not in self._states:
            self._states[key] = _State(self, key)
        return self._states[key]


def _bits(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found |= 1 << number
    return found


def _ones(bits: int) -> list[int]:
    """The numbers of the bits that are set."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
