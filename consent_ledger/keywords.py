"""An account's word lists: the default ones with its own changes, for each kind and language.

All lists of an account are read together (R-K2): nobody tells us which language a contact uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from consent_ledger import lexicon_words as default
from consent_ledger.errors import SetUpError
from consent_ledger.interpreting import Reading, interpret
from consent_ledger.language import DEFAULT_LANGUAGE, language_tag
from consent_ledger.lexicon import DEFAULT_LEXICON, LONGEST_PHRASE, Lexicon, Understood
from consent_ledger.tokens import tokens_of

MOST_OWN: Final = 300
"""Own words of one kind, in all languages; with the default ones a list stays within its limit."""
LONGEST_WORD: Final = 100
"""Characters of one word or phrase."""
MOST_LISTS: Final = 100
"""Own lists of an account: seven kinds in more languages than any account texts in."""
DIGITS_OF_A_NUMBER: Final = 7
"""A word is stored in events, where no phone number may be (rulebook section 9)."""
LEXICONS_KEPT: Final = 256
"""Built ones, each some 200 kB; an account with no list of its own needs none."""

KINDS: Final = tuple(DEFAULT_LEXICON.words())
"""The kinds of lists; where two would claim a word, the first here keeps it: STOP before all."""
_DEFAULTS: Final = {
    "".join(tokens_of(word)): kind
    for kind, words in DEFAULT_LEXICON.words().items()
    for word in words
}


class KeywordList(msgspec.Struct, frozen=True, omit_defaults=True):
    """The account's own changes of the list of one kind in one language."""

    kind: str
    language: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


Lists = tuple[KeywordList, ...]


class Keyword(NamedTuple):
    """A word as the account has it; `removed` where it is a default word that no longer counts."""

    kind: Understood
    language: str
    word: str
    default: bool
    removable: bool
    removed: bool = False


@dataclass(frozen=True, slots=True)
class OwnLexicon:
    """What an account's texts are read with, and which language its words belong to."""

    lexicon: Lexicon
    languages: dict[tuple[Understood, str], str | None]

    def read(self, text: str) -> tuple[Reading, str | None]:
        """How a text reads, and the language of the word that matched, where that is certain."""
        reading = interpret(text, self.lexicon)
        if reading.matched is None:
            return reading, None
        key = reading.understood_as, reading.matched.replace(" ", "")
        # What is on no list is one of the default phrases, such as 'unsubscribe me', or a sign.
        known = default.language_of(reading.matched) or DEFAULT_LANGUAGE
        return reading, self.languages.get(key, known)


def compact(word: str) -> str:
    """A word in its one spelling: 'Opt-Out' and 'optout' are the same (R-K1)."""
    return "".join(tokens_of(word))


FCC: Final = frozenset(compact(word) for word in default.FCC_SEVEN)
_LONGEST_FCC: Final = max(len(tokens_of(word)) for word in default.FCC_SEVEN)
_CORE: Final = DEFAULT_LEXICON.with_words(version=0, stop=default.FCC_SEVEN)
"""What no account can change: the FCC's seven, and R-K4's signs that texts are to end."""


def with_list(lists: Lists, changed: KeywordList) -> Lists:
    """The lists with this one in place of the one of its kind and language."""
    key = changed.kind, changed.language
    others = [each for each in lists if (each.kind, each.language) != key]
    if changed.added or changed.removed:
        others.append(changed)
    return tuple(sorted(others, key=lambda each: (each.kind, each.language)))


def keywords(lists: Lists) -> Iterator[Keyword]:
    """Every word of the account, kind by kind, the default ones first."""
    for kind, words in DEFAULT_LEXICON.words().items():
        own = [each for each in lists if each.kind == kind]
        removed = {compact(word) for each in own for word in each.removed} - FCC
        there = set()
        for word in words:
            language = default.LANGUAGES.get(word, DEFAULT_LANGUAGE)
            key = compact(word)
            yield Keyword(kind, language, word, True, key not in FCC, key in removed)
            if key not in removed:
                there.add((language, key))
        for each in own:
            for word in each.added:
                if (each.language, compact(word)) not in there:
                    there.add((each.language, compact(word)))
                    yield Keyword(kind, each.language, word, False, True)


@lru_cache(maxsize=LEXICONS_KEPT)
def lexicon_of(lists: Lists) -> OwnLexicon:
    """The lexicon of an account, whatever is stored: a text has to be read, so nothing is refused.

    Where a later release gives a stored word another meaning, STOP wins, and then what the
    account said.
    """
    counted: dict[Understood, list[str]] = {kind: [] for kind in KINDS}
    owner: dict[str, Understood] = {}
    languages: dict[tuple[Understood, str], str | None] = {}
    for found in sorted(keywords(lists), key=_precedence):
        tokens = tokens_of(found.word)
        key = "".join(tokens)
        if found.removed or not 0 < len(tokens) <= LONGEST_PHRASE:
            continue
        if owner.setdefault(key, found.kind) is not found.kind:
            continue
        place = found.kind, key
        if place not in languages:
            counted[found.kind].append(" ".join(tokens))
        certain = languages.setdefault(place, found.language) == found.language
        languages[place] = found.language if certain else None
    if owner == _DEFAULTS:
        return OwnLexicon(DEFAULT_LEXICON, languages)
    lists_by_name = {str(kind): words for kind, words in counted.items()}
    own = DEFAULT_LEXICON.with_words(version=None, **lists_by_name)
    return OwnLexicon(own, languages)


def _precedence(found: Keyword) -> tuple[bool, bool]:
    return found.kind is not Understood.STOP, found.default


def check_keywords(lists: Lists, changed: KeywordList) -> None:
    """SetUpError where the account may not have this list beside its others (R-K2)."""
    if changed.kind not in set(KINDS):
        raise SetUpError("kind", "must be stop, start, help, consent, decline, yes or no")
    if language_tag(changed.language) != changed.language:
        raise SetUpError("language", "must be spelt as RFC 5646 does, such as pt-BR")
    for place, word in enumerate(changed.added):
        _check_added(f"add/{place}", Understood(changed.kind), word)
    added = {compact(word) for word in changed.added}
    for place, word in enumerate(changed.removed):
        _check_removed(f"remove/{place}", Understood(changed.kind), word, added)
    _check_together(with_list(lists, changed), changed)


def _check_added(field: str, kind: Understood, word: str) -> None:
    tokens = tokens_of(word)
    if len(word) > LONGEST_WORD or not 0 < len(tokens) <= LONGEST_PHRASE:
        message = f"must be 1 to {LONGEST_PHRASE} words of letters or digits"
        raise SetUpError(field, message, "keyword-unusable")
    if sum(char.isdigit() for char in word) >= DIGITS_OF_A_NUMBER:
        raise SetUpError(field, "must be a word, not a phone number", "keyword-unusable")
    if set(tokens) <= DEFAULT_LEXICON.index.courtesies:
        raise SetUpError(
            field, "must mean something: this is said out of politeness", "keyword-unusable"
        )
    if kind is not Understood.STOP and _asks_to_stop(word, tokens):
        message = "asks for texts to stop, and can mean nothing else (47 CFR 64.1200(a)(10))"
        raise SetUpError(field, message, "keyword-protected")


def _asks_to_stop(word: str, tokens: tuple[str, ...]) -> bool:
    """Longest entries win, so 'stop my' as another word would take STOP out of 'stop my texts'."""
    parts = (
        "".join(tokens[at:end])
        for at in range(len(tokens))
        for end in range(at + 1, at + _LONGEST_FCC + 1)
    )
    suspicious = interpret(word, _CORE).understood_as is Understood.SUSPECTED_REVOCATION
    return suspicious or compact(word) in FCC or not FCC.isdisjoint(parts)


def _check_removed(field: str, kind: Understood, word: str, added: set[str]) -> None:
    key = compact(word)
    if kind is Understood.STOP and key in FCC:
        message = "is one of the seven words that always end texts (47 CFR 64.1200(a)(10))"
        raise SetUpError(field, message, "keyword-protected")
    if key not in {compact(each) for each in DEFAULT_LEXICON.words()[kind]}:
        raise SetUpError(field, "is no default word of this kind", "keyword-unknown")
    if key in added:
        raise SetUpError(field, "cannot be added and removed at once", "keyword-taken")


def _check_together(lists: Lists, changed: KeywordList) -> None:
    if len(lists) > MOST_LISTS:
        raise SetUpError(
            "language", f"an account has {MOST_LISTS} lists at most", "keyword-unusable"
        )
    if sum(len(each.added) for each in lists if each.kind == changed.kind) > MOST_OWN:
        raise SetUpError(
            "add", f"of one kind there may be {MOST_OWN} own words", "keyword-unusable"
        )
    owner: dict[str, Understood] = {}
    others = [word for word in keywords(lists) if not word.removed and word.kind != changed.kind]
    for found in others:
        owner[compact(found.word)] = found.kind
    for place, word in enumerate(changed.added):
        if compact(word) in owner:
            raise SetUpError(
                f"add/{place}", f"already means {owner[compact(word)]}", "keyword-taken"
            )
    for found in keywords(lists):
        if found.kind == changed.kind and not found.removed and compact(found.word) in owner:
            message = f"has to hold a word that by now means {owner[compact(found.word)]}"
            raise SetUpError("remove", message, "keyword-taken")
