"""Signs found in one pass, whatever the text is.

All patterns (`patterns.py`) become one automaton that looks at each word once and never goes back,
so that no text is slow. It is worked out as texts come: words that no pattern tells apart are one
symbol, and of a node only the steps by that symbol's places are looked at. Words that change
nothing, such as 'please', may stand between all others.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from consent_ledger.patterns import (
    BEGIN,
    DIGITS,
    EDGE_TOKENS,
    EDGES,
    END,
    KEPT,
    Compiler,
    parted,
    pattern_ended,
)
from consent_ledger.signs import Context, Language, Sign, weighed
from consent_ledger.tokens import BREAK

STEPS_KEPT: Final = 60_000
"""Steps of the automaton that are kept, some 20 MB; English chat needs half. Then it forgets."""

_UNKNOWN: Final = 0
_NONE: Final[frozenset[int]] = frozenset()
_NO_STEPS: Final[dict[int, tuple[int, ...]]] = {}


# Threads of phrases begun, contexts that are open, and the signs found at this word.
_Key = tuple[frozenset[int], int, frozenset[int]]


class _State(dict[int, "_State"]):
    """Where the automaton stands; the next state by symbol, worked out when first asked for."""

    __slots__ = ("_signs", "contexts", "found", "threads")

    def __init__(self, signs: "Signs", threads: "Sequence[_Thread]", key: "_Key") -> None:
        self._signs = signs
        self.threads = threads
        _, self.contexts, self.found = key

    def __missing__(self, symbol: int) -> "_State":
        state = self._signs.after(self, symbol)
        self[symbol] = state
        return state


class _Thread(NamedTuple):
    """Where the phrases stand that began at one word; what does not fit leads on from a few."""

    number: int
    nodes: frozenset[int]
    inverse: tuple[tuple[int, int], ...]


_Come = tuple[_Thread | None, frozenset[int]]
"""The thread that a word leads to, if it goes on, and the signs that are found there."""
_NOWHERE: Final[_Come] = None, frozenset()


class _Symbol(NamedTuple):
    """Words that no pattern tells apart: the places and contexts that they fit."""

    places: tuple[int, ...]
    inverse: frozenset[int]
    opens: int
    keeps: int


class Signs:
    """All the phrases of all languages, ready to be looked for."""

    def __init__(self, languages: Iterable[Language], fillers: Iterable[str]) -> None:
        compiler = Compiler()
        self._signs: list[Sign] = []
        self._contexts: list[Context] = []
        self._spellings: dict[str, str] = {}
        # Where phrases begin: of each place, the contexts it may not be in, and the next node.
        self._starts: dict[int, list[tuple[int, int]]] = {}
        for language in languages:
            self._add(compiler, language)
        self._inverse = frozenset(at for at, place in enumerate(compiler.places) if place.inverse)
        self._inverse_starts = tuple(at for at in self._inverse if at in self._starts)
        self._step_through(compiler)
        self._read(compiler, frozenset(fillers))
        self._forget()

    def _add(self, compiler: Compiler, language: Language) -> None:
        compiler.language(language.groups)
        for word, others in language.spellings.items():
            self._spellings |= dict.fromkeys(others, word)
        numbers = {name: len(self._contexts) + at for at, name in enumerate(language.contexts)}
        self._contexts += language.contexts.values()
        for sign in language.signs:
            unless = _bits(numbers[name] for name in sign.unless)
            for place, node in map(parted, compiler.pattern(sign.pattern)):
                # A context ends with its sentence, so what begins a sentence begins in none.
                anew = BREAK in compiler.places[place].words
                self._starts.setdefault(place, []).append((0 if anew else unless, node))
            self._signs.append(sign)

    def _step_through(self, compiler: Compiler) -> None:
        """Turns the nodes' steps round: which nodes go on by a place, and where to."""
        self._ends: dict[int, int] = {}
        self._by_place: list[dict[int, tuple[int, ...]]] = [_NO_STEPS for _ in compiler.places]
        self._by_inverse: dict[int, list[tuple[int, int]]] = {}
        text_end = {at for at, place in enumerate(compiler.places) if place.words == EDGES[">>"]}
        kept_at_break, going_on = set(), set()
        nodes = compiler.nodes()
        alone = [(number,) for number in range(len(nodes))]  # Each is of many steps.
        for number, steps in enumerate(nodes):
            sign = pattern_ended(steps)
            if sign is not None:
                self._ends[number] = sign
            for place, following in map(parted, filter(_is_step, steps)):
                going_on.add(number)
                if place in text_end:
                    kept_at_break.add(number)
                if place in self._inverse:
                    self._by_inverse.setdefault(number, []).append((place, following))
                    continue
                by_place = self._by_place[place]
                if not by_place:
                    by_place = self._by_place[place] = {}
                more = by_place.get(number)
                by_place[number] = (*more, following) if more else alone[following]
            if KEPT in steps:
                kept_at_break.add(number)
        # Dots before the first word and behind the last are no sentences.
        self._kept_at_break = frozenset(kept_at_break)
        self._going_on = frozenset(going_on)

    def _read(self, compiler: Compiler, fillers: frozenset[str]) -> None:
        """Gives each word its symbol, and each symbol the places and contexts that it fits."""
        named: dict[str, tuple[int, ...]] = dict.fromkeys((*EDGE_TOKENS, DIGITS, *fillers), ())
        opens, keeps = self._words_of_contexts()
        named |= dict.fromkeys((*opens, *keeps), ())
        for at, place in enumerate(compiler.places):
            for word in place.words:
                named[word] = (*named.get(word, ()), at)
        for other, word in self._spellings.items():
            digits = named[DIGITS] if other.isdecimal() else ()
            named[other] = tuple(sorted({*named.get(other, digits), *named.get(word, ())}))
        edges = frozenset(at for at in self._inverse if compiler.places[at].fits(BREAK))
        every, all_contexts = self._inverse, (1 << len(self._contexts)) - 1
        _Kind = tuple[tuple[int, ...], int, int, str]
        symbols: dict[_Kind, int] = {((), 0, 0, ""): _UNKNOWN}
        self.symbols: dict[str, int] = {}
        for word, places in named.items():
            usual = self._spellings.get(word, word)
            opened = opens.get(word, 0) | opens.get(usual, 0)
            kept = keeps.get(word, 0) | keeps.get(usual, 0)
            if word in fillers:
                kept = all_contexts
            kind = word if word in EDGE_TOKENS else "filler" if word in fillers else ""
            self.symbols[word] = symbols.setdefault((places, opened, kept, kind), len(symbols))
        self._by_symbol = [
            _Symbol(
                tuple(at for at in places if at not in every),
                (edges if kind in EDGE_TOKENS else every).difference(places)
                if kind in EDGE_TOKENS or not every.isdisjoint(places)
                else every,
                opened,
                kept,
            )
            for places, opened, kept, kind in symbols
        ]
        self._fillers = frozenset(self.symbols[word] for word in fillers)
        self._break, self._end = self.symbols[BREAK], self.symbols[END]
        self._digits = self.symbols[DIGITS]

    def _words_of_contexts(self) -> tuple[dict[str, int], dict[str, int]]:
        """The contexts that each word opens, and those that it keeps open."""
        opens: dict[str, int] = {}
        keeps: dict[str, int] = {}
        for number, context in enumerate(self._contexts):
            for word in context.opens:
                opens[word] = opens.get(word, 0) | 1 << number
            for word in context.keeps:
                keeps[word] = keeps.get(word, 0) | 1 << number
        return opens, keeps

    def _forget(self) -> None:
        self._steps = 0
        self._states: dict[_Key, _State] = {}
        self._threads: dict[frozenset[int], _Thread] = {}
        self._begun: dict[tuple[int, int], _Come] = {}
        self._start = self._state({}, 0, _NONE)[self.symbols[BEGIN]]

    def find(self, tokens: list[str]) -> str | None:
        """The name of the first phrase of the first language that the words hold, or of hints."""
        if self._steps > STEPS_KEPT:
            self._forget()
        state, symbols = self._start, self.symbols
        found = state.found
        for token in tokens:
            symbol = symbols.get(token)
            if symbol is None:
                symbol = self._digits if token.isdecimal() else _UNKNOWN
            state = state[symbol]
            if state.found:
                found |= state.found
        found |= state[self._end].found
        return weighed([self._signs[each] for each in sorted(found)]) if found else None

    def after(self, state: _State, symbol: int) -> _State:
        """The state that a word leads to; each is worked out once."""
        self._steps += 1
        contexts = state.contexts
        known = self._by_symbol[symbol]
        thread, found = self._begun.get((symbol, contexts)) or self._begin(symbol, contexts)
        threads = {} if thread is None else {thread.number: thread}
        for before in state.threads:
            come = self._come(before, symbol, known)
            if come is not _NOWHERE:
                thread, signs = come
                found |= signs
                if thread is not None:
                    threads[thread.number] = thread
        return self._state(threads, known.opens | contexts & known.keeps, found)

    def _come(self, thread: _Thread, symbol: int, known: _Symbol) -> _Come:
        """Where a word leads the phrases of a thread."""
        here = thread.nodes
        nodes: set[int] = set()
        for place in known.places:
            steps = self._by_place[place]
            # Both look only at each of the fewer.
            few = len(steps) < len(here)
            for node in here.intersection(steps) if few else steps.keys() & here:
                nodes.update(steps[node])
        if thread.inverse:
            inverse = known.inverse
            nodes.update([node for place, node in thread.inverse if place in inverse])
        kept = _NONE
        if symbol in self._fillers:
            kept = here
        elif symbol == self._break:
            kept = here & self._kept_at_break
        return self._go_on(nodes, kept) if nodes or kept else _NOWHERE

    def _go_on(self, nodes: set[int], kept: frozenset[int]) -> _Come:
        found = frozenset([self._ends[node] for node in nodes if node in self._ends])
        going_on = self._going_on.intersection(nodes) | kept
        if not going_on:
            return None, found
        thread = self._threads.get(going_on)
        if thread is None:
            steps = (self._by_inverse.get(node, ()) for node in going_on)
            inverse = tuple(step for each in steps for step in each)
            thread = _Thread(len(self._threads), going_on, inverse)
            self._threads[going_on] = thread
        return thread, found

    def _begin(self, symbol: int, contexts: int) -> _Come:
        """Where a word leads as the first of a phrase, where these contexts are open."""
        places, inverse, _, _ = self._by_symbol[symbol]
        first = (*places, *(at for at in self._inverse_starts if at in inverse))
        starts = (start for place in first for start in self._starts.get(place, ()))
        come = self._go_on({node for unless, node in starts if not unless & contexts}, _NONE)
        self._begun[symbol, contexts] = come
        return come

    def _state(self, threads: dict[int, _Thread], contexts: int, found: frozenset[int]) -> _State:
        key = frozenset(threads), contexts, found
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _State(self, tuple(threads.values()), key)
        return state


def _is_step(step: int) -> bool:
    """Whether it is no mark."""
    return step >= 0


def _bits(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found |= 1 << number
    return found
