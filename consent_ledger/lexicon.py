"""What a reply says, read from its words alone (rulebook section 6).

Nothing here knows the number's state: YES is read as yes, and the fold says what it did. The
words are data, in `lexicon_data/`; `interpret` below is one pass over a text for the lists and one
for the signs of R-K4.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from consent_ledger import lexicon_words as default
from consent_ledger.likeness import Likeness
from consent_ledger.signs import Signs
from consent_ledger.slips import slipped
from consent_ledger.tokens import BREAK, sentences_of, written
from consent_ledger.tokens import tokens_of as tokens_of


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


READ_AT_MOST: Final = 1_600
"""Characters: the longest text that SMS providers deliver as one message. The rest is not read."""

MOST_WORDS: Final = 500
"""Of one list: ten times what seven languages need, and small enough to check at every change."""

LONGEST_PHRASE: Final = 8
"""Words of one entry; it bounds the look-ahead, and so keeps reading linear."""

LONGEST_SPELT: Final = 16
"""Pieces that one entry is looked for in; 'u n s u b s c r i b e' has eleven."""

# Signs that say it without a word; anything else of that kind is as often a joke.
_SIGNS_ALONE: Final = frozenset("\U0001f6d1\u26d4\U0001f6ab\U0001f595\u270b\u274c")
_SIGNS_OF_AN_END: Final = frozenset("\U0001f6d1\u26d4\U0001f6ab")
_SPELT: Final = re.compile(r"\b\w(?: \w\b){2,}")
SPELT_FROM: Final = 3
"""Letters apart that make a word; 'r u ok' is none."""
_RUN: Final = re.compile(r"([a-z])\1\1+")


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


class Reading(NamedTuple):
    """A verdict, the entry of the lexicon that matched (never the text), and its version (R-K5)."""

    understood_as: Understood
    matched: str | None
    lexicon_version: int | str


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
    def index(self) -> "_Index":
        """What `interpret` looks words up in; built once per lexicon."""
        return _Index(self)


# What STOP ends comes first, and what opens last.
_LISTED: Final = (
    *(Understood.STOP, Understood.DECLINE, Understood.NO, Understood.HELP),
    *(Understood.START, Understood.CONSENT, Understood.YES),
)
_OPENING: Final = frozenset({Understood.START, Understood.CONSENT, Understood.YES})
# 'No!' is an answer, and 'no no no' or 'no consent' may be a wish to end texts.
_MAY_BE_MORE: Final = frozenset({Understood.NO, Understood.OTHER})
# Two words of one mind are the weightier of the two.
_TOGETHER: Final = {
    frozenset({Understood.YES, Understood.CONSENT}): Understood.CONSENT,
    frozenset({Understood.NO, Understood.DECLINE}): Understood.DECLINE,
}


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
class _Entry:
    tokens: tuple[str, ...]
    meaning: Understood | None  # None: politeness
    word: str


class _Index:
    """A lexicon by first word, longest phrase first."""

    def __init__(self, lexicon: Lexicon) -> None:
        manners = lexicon.manners
        self.entries: dict[str, list[_Entry]] = {}
        self.compact: dict[str, _Entry] = {}
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
        entry = _Entry(tokens, meaning, written(tokens))
        self.entries.setdefault(tokens[0], []).append(entry)
        if len(tokens) > 1:  # R-K1: 'opt out' and 'OPTOUT' are one word
            self.entries.setdefault(whole, []).append(replace(entry, tokens=(whole,)))
        if meaning is not None:
            self.compact[whole] = entry

    def entry_at(self, tokens: tuple[str, ...], at: int) -> _Entry | None:
        """The longest entry that the tokens continue with."""
        for entry in self.entries.get(tokens[at], ()):
            if tokens[at : at + len(entry.tokens)] == entry.tokens:
                return entry
        return None


def _single(words: Sequence[str]) -> frozenset[str]:
    return frozenset("".join(tokens_of(word)) for word in words)


@lru_cache(maxsize=1)
def signs() -> Signs:
    """The signs of R-K4: every lexicon has the same, which no account can change."""
    return Signs(default.LANGUAGES_OF_SIGNS, default.FILLERS)


LIKENESS: Final = "sounds like a wish to end texts"
"""What matched where no phrase did, and the words weigh enough together (likeness.py)."""


@lru_cache(maxsize=1)
def likeness() -> Likeness:
    """The weights of words that wishes have; like the signs, no account can change them."""
    return default.likeness()


DEFAULT_VERSION: Final = 2
DEFAULT_LEXICON: Final = Lexicon(DEFAULT_VERSION)


def interpret(text: str, lexicon: Lexicon = DEFAULT_LEXICON) -> Reading:
    """Read a reply by R-K1 to R-K4: any string gives a reading, in time linear in its length.

    What lies beyond READ_AT_MOST is not read, and a text cut there may close but never opens.
    """
    said = text.strip()
    understood_as, matched = _understand(said[:READ_AT_MOST], lexicon.index)
    if len(said) > READ_AT_MOST and understood_as in _OPENING:
        understood_as, matched = Understood.OTHER, None
    return Reading(understood_as, matched, lexicon.version)


_Verdict = tuple[Understood, str | None]


def _understand(text: str, index: _Index) -> _Verdict:
    sentences = sentences_of(text)
    tokens = _without_breaks(sentences)
    verdict: _Verdict = (Understood.OTHER, None)
    if not tokens:
        suspicion = _sign_alone(text)
    else:
        if whole := _whole(tokens, index) or _whole(_spelt_out(tokens), index):
            verdict = _weigh(whole, index)
            if verdict[0] not in _MAY_BE_MORE:
                return verdict
        suspicion = _suspicion(sentences, tokens, index)
        if suspicion is None and not whole and likeness().is_wish(sentences):
            suspicion = LIKENESS
    if suspicion is None and index.courtesies.issuperset(tokens):
        suspicion = _sign_among(text)
    if suspicion is not None:
        return Understood.SUSPECTED_REVOCATION, suspicion
    return verdict


def _without_breaks(sentences: list[str]) -> tuple[str, ...]:
    if BREAK not in sentences:
        return tuple(sentences)
    return tuple([token for token in sentences if token != BREAK])


def _spelt_out(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The words with 's t o p' as one; nothing where no word is spelt out."""
    if len(tokens) <= SPELT_FROM or len(tokens[0]) > 1 < len(tokens[-1]):
        return ()
    joined = _SPELT.sub(lambda found: found.group().replace(" ", ""), " ".join(tokens))
    return tuple(joined.split())


def _sign_among(text: str) -> str | None:
    """A stop sign beside nothing but politeness; a raised hand there may be a greeting."""
    return next((char for char in text if char in _SIGNS_OF_AN_END), None)


def _sign_alone(text: str) -> str | None:
    """A stop sign without a word beside it; with words, R-K1 ignores it."""
    return next((char for char in text if char in _SIGNS_ALONE), None)


def _whole(tokens: tuple[str, ...], index: _Index) -> dict[Understood, str]:
    """The meanings of a text that holds only listed words, politeness and objects of a STOP."""
    if 1 < len(tokens) <= LONGEST_SPELT:  # R-K1: however it is spaced, 'o p t o u t' too.
        spelt = index.compact.get("".join(tokens))
        if spelt is not None and spelt.meaning is not None:
            return {spelt.meaning: spelt.word}
    said: dict[Understood, str] = {}
    at = 0
    while at < len(tokens):
        entry = index.entry_at(tokens, at)
        if entry is None:
            return {}
        at += len(entry.tokens)
        if entry.meaning is not None:
            said.setdefault(entry.meaning, entry.word)
        if entry.meaning is Understood.STOP:
            at = _past_object(tokens, at, index)
    return said


def _past_object(tokens: tuple[str, ...], at: int, index: _Index) -> int:
    """Where 'me these texts' ends; nowhere further if no anchor says that texts are meant."""
    end, anchored = at, False
    while end < len(tokens) and tokens[end] in index.objects:
        anchored = anchored or tokens[end] in index.anchors
        end += 1
    return end if anchored else at


def _weigh(said: dict[Understood, str], index: _Index) -> _Verdict:
    """One verdict for all that was said; a STOP among it is never less than suspicious."""
    stop = said.get(Understood.STOP)
    if stop is not None:
        sure = len(said) == 1 or stop in index.plain
        return (Understood.STOP if sure else Understood.SUSPECTED_REVOCATION), stop
    meaning = next(iter(said)) if len(said) == 1 else _TOGETHER.get(frozenset(said))
    return (Understood.OTHER, None) if meaning is None else (meaning, said[meaning])


def _suspicion(sentences: list[str], tokens: tuple[str, ...], index: _Index) -> str | None:
    """The word that a text is a slip of, or the sign of R-K4 that it holds."""
    joined = " ".join(sentences)
    if _RUN.search(joined):
        sentences = _RUN.sub(r"\1", joined).split()
        tokens = _without_breaks(sentences)
        stop = _whole(tokens, index).get(Understood.STOP)
        if stop is not None:
            return stop
    slip = _slip(tokens, index)
    if slip is not None:
        return slip
    found = signs().find(sentences)
    if found is None and len(sentences) - len(tokens) >= len(tokens) - 1:
        found = signs().find(list(tokens))  # 'Leave. Me. Alone.'
    return found


def _slip(tokens: tuple[str, ...], index: _Index) -> str | None:
    """The exit word that the only word of a text, but for politeness, is a slip of."""
    only = None
    for token in tokens:
        if token not in index.courtesies:
            if only is not None:
                return None
            only = token
    return only and slipped(only, index.slips_of)
