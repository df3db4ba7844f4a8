"""The words that a reply is read by (rulebook section 6): lists by meaning, and the words around.

The default ones are data, in `lexicon_data/`; an account may have its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Final

from consent_ledger import lexicon_words as default
from consent_ledger.tokens import tokens_of, written


class Understood(StrEnum):
    """What a reply was understood as (contract section 4)."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    CONSENT = "consent"
    DECLINE = "decline"
    YES = "yes"
    NO = "no"
    SUSPECTED_REVOCATION = "suspected_revocation"
    OTHER = "other"


MOST_WORDS: Final = 500
"""Of one list: ten times what seven languages need, and small enough to check at every change."""

LONGEST_PHRASE: Final = 8
"""Words of one entry; it bounds the look-ahead, and so keeps reading linear."""


class LexiconError(ValueError):
    """A word list that can't be used; the message names the list and the rule."""


@dataclass(frozen=True, slots=True)
class Manners:
    """The words around the words: what a whole message may also hold, and what is suspicious.

    Each field is a tuple of phrases in any spelling; `tokens_of` is applied to all.
    """

    polite: tuple[str, ...] = default.POLITE
    objects: tuple[str, ...] = default.OBJECTS
    anchors: tuple[str, ...] = default.ANCHORS
    stop_phrases: tuple[str, ...] = default.STOP_PHRASES
    plain: tuple[str, ...] = default.PLAIN
    slips_of: tuple[str, ...] = default.SLIPS_OF


@dataclass(frozen=True)
class Lexicon:
    """The words of each meaning (R-K2), valid by construction.

    Raises LexiconError if one of the FCC's seven is missing from `stop`, a word has two
    meanings, nothing is left of it once normalised, or a limit is passed.
    """

    version: int | str
    stop: tuple[str, ...] = default.STOP
    start: tuple[str, ...] = default.START
    help: tuple[str, ...] = default.HELP
    consent: tuple[str, ...] = default.CONSENT
    decline: tuple[str, ...] = default.DECLINE
    yes: tuple[str, ...] = default.YES
    no: tuple[str, ...] = default.NO
    manners: Manners = field(default_factory=Manners)

    def __post_init__(self) -> None:
        _check(self.words())

    def words(self) -> dict[Understood, tuple[str, ...]]:
        """Every list by its meaning."""
        return {meaning: getattr(self, meaning) for meaning in _LISTED}

    def with_words(self, *, version: int | str | None = None, **lists: Sequence[str]) -> "Lexicon":
        """This lexicon with an account's own lists, `with_words(stop=[...], help=[...])`.

        A list replaces the one there was. Without a version of its own the lexicon gets one made
        of its words, so that equal lists have equal versions. Raises LexiconError.
        """
        own = {**self.words(), **{_meaning(name): tuple(said) for name, said in lists.items()}}
        if version is None:
            version = f"{DEFAULT_VERSION}-{_fingerprint(own)}"
        return Lexicon(version, manners=self.manners, **{m.value: own[m] for m in _LISTED})

    @cached_property
    def index(self) -> "Index":
        """What `interpret` looks words up in; built once per lexicon."""
        return Index(self)


# What STOP ends comes first, and what opens last.
_LISTED: Final = (
    *(Understood.STOP, Understood.DECLINE, Understood.NO, Understood.HELP),
    *(Understood.START, Understood.CONSENT, Understood.YES),
)


def _meaning(name: str) -> Understood:
    if name not in set(_LISTED):
        raise LexiconError("a word list belongs to stop, start, help, consent, decline, yes or no")
    return Understood(name)


def _fingerprint(lists: dict[Understood, tuple[str, ...]]) -> str:
    lines = (f"{meaning}={sorted(lists[meaning])}" for meaning in _LISTED)
    return sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _check(lists: dict[Understood, tuple[str, ...]]) -> None:
    owner: dict[str, Understood] = {}
    for meaning, said in lists.items():
        if len(said) > MOST_WORDS:
            raise LexiconError(f"the list '{meaning}' has more than {MOST_WORDS} words")
        for place, word in enumerate(said, start=1):
            tokens = tokens_of(word)
            if not 0 < len(tokens) <= LONGEST_PHRASE:
                raise LexiconError(f"'{meaning}', word {place}: not 1 to {LONGEST_PHRASE} words")
            other = owner.setdefault("".join(tokens), meaning)
            if other is not meaning:
                raise LexiconError(f"'{meaning}', word {place}: it already means '{other}'")
    missing = [w for w in default.FCC_SEVEN if owner.get(w.replace(" ", "")) is not Understood.STOP]
    if missing:
        raise LexiconError(f"47 CFR 64.1200(a)(10) keeps these among 'stop': {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase of a list, as it is looked for and as it is told."""

    tokens: tuple[str, ...]
    meaning: Understood | None  # None: politeness
    word: str


class Index:
    """A lexicon as a text is looked up in it: by first word, longest phrase first."""

    def __init__(self, lexicon: Lexicon) -> None:
        manners = lexicon.manners
        self.entries: dict[str, list[Entry]] = {}
        self.compact: dict[str, Entry] = {}
        for word in manners.polite:
            self._add(word, None)
        for word in manners.stop_phrases:
            self._add(word, Understood.STOP)
        for meaning, said in lexicon.words().items():
            for word in said:
                self._add(word, meaning)
        for entries in self.entries.values():
            entries.sort(key=lambda entry: (-len(entry.tokens), entry.meaning is None))
        self.anchors = _single(manners.anchors)
        self.objects = _single(manners.objects) | self.anchors
        self.plain = {written(tokens_of(word)) for word in manners.plain}
        self.plain |= {written(tokens_of(word)) for word in manners.stop_phrases}
        self.courtesies = {token for word in manners.polite for token in tokens_of(word)}
        self.slips_of = manners.slips_of

    def _add(self, word: str, meaning: Understood | None) -> None:
        tokens = tokens_of(word)
        whole = "".join(tokens)
        entry = Entry(tokens, meaning, written(tokens))
        self.entries.setdefault(tokens[0], []).append(entry)
        if len(tokens) > 1:  # R-K1: 'opt out' and 'OPTOUT' are one word
            self.entries.setdefault(whole, []).append(replace(entry, tokens=(whole,)))
        if meaning is not None:
            self.compact[whole] = entry

    def entry_at(self, tokens: tuple[str, ...], at: int) -> Entry | None:
        """The longest entry that the tokens continue with."""
        for entry in self.entries.get(tokens[at], ()):
            if tokens[at : at + len(entry.tokens)] == entry.tokens:
                return entry
        return None


def _single(words: Sequence[str]) -> frozenset[str]:
    return frozenset("".join(tokens_of(word)) for word in words)


DEFAULT_VERSION: Final = 2
DEFAULT_LEXICON: Final = Lexicon(DEFAULT_VERSION)
