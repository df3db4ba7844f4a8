"""What a reply says, read from its words alone (rulebook section 6).

Nothing here knows the number's state: YES is read as yes, and the fold says what it did. It is one
pass over a text for the lists of the lexicon, and one for the signs of R-K4.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from consent_ledger import lexicon_words as default
from consent_ledger.automaton import Signs
from consent_ledger.lexicon import DEFAULT_LEXICON, Index, Lexicon, Understood
from consent_ledger.likeness import Likeness
from consent_ledger.slips import slipped
from consent_ledger.tokens import BREAK, sentences_of

READ_AT_MOST: Final = 1_600
"""Characters: the longest text that SMS providers deliver as one message. The rest is not read."""

LONGEST_SPELT: Final = 16
"""Pieces that one entry is looked for in; 'u n s u b s c r i b e' has eleven."""

# Signs that say it without a word; anything else of that kind is as often a joke.
_SIGNS_ALONE: Final = frozenset("\U0001f6d1\u26d4\U0001f6ab\U0001f595\u270b\u274c")
_SIGNS_OF_AN_END: Final = frozenset("\U0001f6d1\u26d4\U0001f6ab")
_SPELT: Final = re.compile(r"\b\w(?: \w\b){2,}")
SPELT_FROM: Final = 3
"""Letters apart that make a word; 'r u ok' is none."""
_RUN: Final = re.compile(r"([a-z])\1\1+")
_OPENING: Final = frozenset({Understood.START, Understood.CONSENT, Understood.YES})
# 'No!' is an answer, and 'no no no' or 'no consent' may be a wish to end texts.
_MAY_BE_MORE: Final = frozenset({Understood.NO, Understood.OTHER})
# Two words of one mind are the weightier of the two.
_TOGETHER: Final = {
    frozenset({Understood.YES, Understood.CONSENT}): Understood.CONSENT,
    frozenset({Understood.NO, Understood.DECLINE}): Understood.DECLINE,
}


class Reading(NamedTuple):
    """A verdict, the entry of the lexicon that matched (never the text), and its version (R-K5)."""

    understood_as: Understood
    matched: str | None
    lexicon_version: int | str


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


def _understand(text: str, index: Index) -> _Verdict:
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


def _whole(tokens: tuple[str, ...], index: Index) -> dict[Understood, str]:
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


def _past_object(tokens: tuple[str, ...], at: int, index: Index) -> int:
    """Where 'me these texts' ends; nowhere further if no anchor says that texts are meant."""
    end, anchored = at, False
    while end < len(tokens) and tokens[end] in index.objects:
        anchored = anchored or tokens[end] in index.anchors
        end += 1
    return end if anchored else at


def _weigh(said: dict[Understood, str], index: Index) -> _Verdict:
    """One verdict for all that was said; a STOP among it is never less than suspicious."""
    stop = said.get(Understood.STOP)
    if stop is not None:
        sure = len(said) == 1 or stop in index.plain
        return (Understood.STOP if sure else Understood.SUSPECTED_REVOCATION), stop
    meaning = next(iter(said)) if len(said) == 1 else _TOGETHER.get(frozenset(said))
    return (Understood.OTHER, None) if meaning is None else (meaning, said[meaning])


def _suspicion(sentences: list[str], tokens: tuple[str, ...], index: Index) -> str | None:
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


def _slip(tokens: tuple[str, ...], index: Index) -> str | None:
    """The exit word that the only word of a text, but for politeness, is a slip of."""
    only = None
    for token in tokens:
        if token not in index.courtesies:
            if only is not None:
                return None
            only = token
    return only and slipped(only, index.slips_of)
