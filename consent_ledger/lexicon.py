"""What a reply says, read from its words alone (rulebook section 6).

Nothing here knows the number's state: YES is read as yes, and the fold says what it did. The
word lists are data, in `lexicon_words.py`; `interpret` below is one pass over them.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Final

from consent_ledger import lexicon_words as default


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

_GLUE_READ: Final = 3
"""Words looked back over between a phrase and its negation; 'not want you to' is the longest."""


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
    suspected: tuple[str, ...] = default.SUSPECTED
    suspected_at_start: tuple[str, ...] = default.SUSPECTED_AT_START
    suspected_at_end: tuple[str, ...] = default.SUSPECTED_AT_END
    suspected_whole: tuple[str, ...] = default.SUSPECTED_WHOLE
    negations: tuple[str, ...] = default.NEGATIONS
    glue: tuple[str, ...] = default.GLUE


@dataclass(frozen=True, slots=True)
class Reading:
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
    stop: tuple[str, ...] = (*default.FCC_SEVEN, *default.PROVIDERS_STOP)
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


# Squared and circled white-on-black letters are look-alikes of form that NFKC does not fold.
_FOLDED: Final = {
    start + place: letter
    for start in (0x1F150, 0x1F170)
    for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
}
_APOSTROPHES: Final = frozenset("'\u2018\u2019\u02bc`\u00b4")
_ACCENTS: Final = range(0x300, 0x370)


class _Folding(dict[int, str]):
    """What becomes of each character, learnt as characters come (Unicode bounds its size)."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = _FOLDED.get(code) or _fold(char)
        return self[code]


def _fold(char: str) -> str:
    category = unicodedata.category(char)
    if char in _APOSTROPHES or ord(char) in _ACCENTS or category in ("Cf", "Me"):
        return ""
    if 0xFE00 <= ord(char) <= 0xFE0F:  # variation selectors only choose how an emoji looks
        return ""
    return char if category[0] in "LNM" else " "


_FOLDING = _Folding()


def tokens_of(text: str) -> tuple[str, ...]:
    """The words of a text by R-K1: no case, accent, punctuation, emoji or look-alike of form."""
    if text.isascii():
        return tuple(text.lower().translate(_FOLDING).split())
    # Folding case can bring back what decomposition took apart (Unicode 3.13, D145).
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return tuple(unicodedata.normalize("NFKC", apart.translate(_FOLDING)).split())


@dataclass(frozen=True, slots=True)
class _Entry:
    tokens: tuple[str, ...]
    meaning: Understood | None  # None: politeness
    word: str


_Phrases = dict[str, list[tuple[int, tuple[str, ...]]]]


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
        self.plain = {" ".join(tokens_of(word)) for word in (*manners.plain, *manners.stop_phrases)}
        # A sentence that is one of those holds one of these; 'i', of 'i opt out', would hold all.
        self.plain_signs = _single((*manners.plain, *manners.stop_phrases))
        self.plain_signs |= {tokens_of(word)[0] for word in manners.plain}
        self.suspected = _phrases(manners.suspected)
        self.suspected_at_start = tuple(tokens_of(phrase) for phrase in manners.suspected_at_start)
        self.suspected_at_end = tuple(tokens_of(phrase) for phrase in manners.suspected_at_end)
        self.suspected_whole = {tokens_of(phrase) for phrase in manners.suspected_whole}
        self.courtesies = {token for word in manners.polite for token in tokens_of(word)}
        self.negations = _single(manners.negations)
        self.glue = _single(manners.glue)

    def _add(self, word: str, meaning: Understood | None) -> None:
        tokens = tokens_of(word)
        whole = "".join(tokens)
        entry = _Entry(tokens, meaning, " ".join(tokens))
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


def _phrases(said: Sequence[str]) -> _Phrases:
    """Phrases and a place in them, by the word at that place: the longest, as the rarest."""
    by_longest: _Phrases = {}
    for tokens in map(tokens_of, said):
        place = max(range(len(tokens)), key=lambda at: len(tokens[at]))
        by_longest.setdefault(tokens[place], []).append((place, tokens))
    return by_longest


DEFAULT_VERSION: Final = 1
DEFAULT_LEXICON: Final = Lexicon(DEFAULT_VERSION)


def interpret(text: str, lexicon: Lexicon = DEFAULT_LEXICON) -> Reading:
    """Read a reply by R-K1 to R-K4: any string gives a reading, in time linear in its length.

    What lies beyond READ_AT_MOST is not read, and a text cut there may close but never opens.
    """
    said = text.strip()
    tokens = tokens_of(said[:READ_AT_MOST])
    understood_as, matched = _understand(said[:READ_AT_MOST], tokens, lexicon.index)
    if len(said) > READ_AT_MOST and understood_as in _OPENING:
        understood_as, matched = Understood.OTHER, None
    return Reading(understood_as, matched, lexicon.version)


_Verdict = tuple[Understood, str | None]


def _understand(text: str, tokens: tuple[str, ...], index: _Index) -> _Verdict:
    if not tokens:
        return Understood.OTHER, None
    whole = _whole(tokens, index)
    if whole:
        return _weigh(whole, index)
    suspicion = _suspicion(tokens, index) or _plain_sentence(text, tokens, index)
    if suspicion is not None:
        return Understood.SUSPECTED_REVOCATION, suspicion
    return Understood.OTHER, None


def _whole(tokens: tuple[str, ...], index: _Index) -> dict[Understood, str]:
    """The meanings of a text that holds only listed words, politeness and objects of a STOP."""
    spelt = index.compact.get("".join(tokens[:LONGEST_PHRASE])) if len(tokens) > 1 else None
    if spelt is not None and len(tokens) <= LONGEST_PHRASE and spelt.meaning is not None:
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


def _suspicion(tokens: tuple[str, ...], index: _Index) -> str | None:
    """The R-K4 phrase that the text is, begins with, ends with or holds."""
    core = _without_politeness(tokens, index)
    if core in index.suspected_whole:
        return " ".join(core)
    for phrase in index.suspected_at_start:
        if core[: len(phrase)] == phrase:
            return " ".join(phrase)
    for phrase in index.suspected_at_end:
        if core[-len(phrase) :] == phrase and not _negated(core, len(core) - len(phrase), index):
            return " ".join(phrase)
    if index.suspected.keys().isdisjoint(tokens):
        return None
    return next(_suspected_phrases(tokens, index), None)


def _suspected_phrases(tokens: tuple[str, ...], index: _Index) -> Iterator[str]:
    for seen, token in enumerate(tokens):
        for place, phrase in index.suspected.get(token, ()):
            at = seen - place
            if (
                at >= 0
                and tokens[at : at + len(phrase)] == phrase
                and not _negated(tokens, at, index)
            ):
                yield " ".join(phrase)


def _negated(tokens: tuple[str, ...], at: int, index: _Index) -> bool:
    before = at - 1
    while before >= max(0, at - _GLUE_READ) and tokens[before] in index.glue:
        before -= 1
    return before >= 0 and tokens[before] in index.negations


def _without_politeness(tokens: tuple[str, ...], index: _Index) -> tuple[str, ...]:
    start, end = 0, len(tokens)
    while start < end and tokens[start] in index.courtesies:
        start += 1
    while end > start and tokens[end - 1] in index.courtesies:
        end -= 1
    return tokens[start:end]


_SENTENCE_ENDS = re.compile("[.!?;,:\\n\\r\\u2026\\u2013\\u2014\\u3002]| - ")


def _plain_sentence(text: str, tokens: tuple[str, ...], index: _Index) -> str | None:
    """An opt-out word that stands as a sentence of its own: 'Who is this? STOP.'"""
    if index.plain_signs.isdisjoint(tokens):
        return None
    for sentence in _SENTENCE_ENDS.split(text):
        word = _whole(tokens_of(sentence), index).get(Understood.STOP)
        if word in index.plain:
            return word
    return None
