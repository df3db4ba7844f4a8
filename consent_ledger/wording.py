"""The wording of replies and requests: what there is by default, and what an own one must hold."""

import unicodedata
from collections.abc import Mapping
from typing import Final

from consent_ledger.errors import SetUpError
from consent_ledger.language import language_tag
from consent_ledger.lexicon import LONGEST_PHRASE, Lexicon, Understood
from consent_ledger.tokens import tokens_of
from consent_ledger.words import ReplyKind

NAME: Final = "{name}"
CONSENT_REQUEST: Final = "consent_request"
DISCLOSURE: Final = "disclosure"

LONGEST_TEXT: Final = 1_600
"""Characters: the longest text that SMS providers take as one message."""
MOST_NAMES: Final = 5
"""A name may be 200 characters long, so more of them would make a text that nobody can send."""

DEFAULT_TEXTS: Final[dict[str, str]] = {
    ReplyKind.STOP_CONFIRMATION: (
        "{name}: you are opted out and will get no more texts from us. Text START to opt back in."
    ),
    ReplyKind.START_CONFIRMATION: (
        "{name}: you are opted back in. Text STOP at any time to opt out."
    ),
    ReplyKind.CONSENT_CONFIRMATION: (
        "{name}: thank you, we will text you at this number. Text STOP to opt out, HELP for help."
    ),
    ReplyKind.HOW_TO_OPT_IN: "{name}: you opted out earlier. To get our texts again, text START.",
    ReplyKind.HELP: "{name}: for help please call our office. Text STOP to opt out.",
    ReplyKind.ASK_AGAIN: (
        "{name}: we could not use your last text. May we text you? Answer CONSENT or DECLINE."
    ),
    ReplyKind.PLEASE_CALL: (
        "We could not use your text, as we do not know this number. Please call us instead."
    ),
    CONSENT_REQUEST: (
        "{name} would like to text with you. Texts are not fully private. "
        "Answer CONSENT to agree or DECLINE to refuse."
    ),
    DISCLOSURE: (
        "{name} would like to send you offers by automated text; agreeing is no condition of any "
        "purchase. Msg & data rates may apply. Answer CONSENT or DECLINE."
    ),
}
"""The wording where the account has none of its own; `{name}` is the location's or account's."""

NAMED: Final = frozenset({CONSENT_REQUEST, DISCLOSURE, ReplyKind.STOP_CONFIRMATION})
"""Consent is given to somebody and a STOP ends somebody's texts, so these say whose (R-K6)."""

_AGREES: Final = (Understood.CONSENT, Understood.YES)
_REOPENS: Final = (Understood.START, Understood.YES)
ANSWERED_WITH: Final[dict[str, tuple[Understood, ...]]] = {
    CONSENT_REQUEST: _AGREES,
    DISCLOSURE: _AGREES,
    ReplyKind.ASK_AGAIN: _AGREES,
    ReplyKind.HOW_TO_OPT_IN: _REOPENS,
}
"""Texts that ask for an answer: who follows them must be understood, so they name such a word."""


def check_kind(kind: str) -> None:
    """SetUpError where there is no reply of this kind."""
    if kind not in DEFAULT_TEXTS:
        raise SetUpError("kind", "no reply is of this kind")


def check_wording(kind: str, text: str, language: str | None) -> None:
    """SetUpError where a text may not be the wording of this kind, whatever the word lists."""
    check_kind(kind)
    if language is not None and language_tag(language) != language:
        raise SetUpError("language", "must be spelt as RFC 5646 does, such as pt-BR")
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise SetUpError("text", f"must be 1 to {LONGEST_TEXT} characters, and not only space")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text if char != "\n"):
        raise SetUpError("text", "must hold no control character but line ends")
    if {"{", "}"} & set(text.replace(NAME, "")):
        raise SetUpError("text", "may hold {name}, and no other brace")
    if text.count(NAME) > MOST_NAMES:
        raise SetUpError("text", f"may hold {{name}} {MOST_NAMES} times at most")
    if kind in NAMED and NAME not in text:
        raise SetUpError("text", "must hold {name}: the contact has to know whose texts these are")


def names_answer(kind: str, text: str, lexicon: Lexicon) -> bool:
    """Whether a text that asks for an answer names a word that would be understood."""
    meanings = ANSWERED_WITH.get(kind)
    if meanings is None:
        return True
    lists = lexicon.words()
    counted = {"".join(tokens_of(word)) for meaning in meanings for word in lists[meaning]}
    tokens = tokens_of(text.replace(NAME, " "))
    return any(
        "".join(tokens[at:end]) in counted
        for at in range(len(tokens))
        for end in range(at + 1, min(at + LONGEST_PHRASE, len(tokens)) + 1)
    )


def check_answers(
    field: str, lexicon: Lexicon, own: Mapping[str, str], own_in: Mapping[str, Mapping[str, str]]
) -> None:
    """SetUpError where a contact would be asked for a word that the lists do not hold."""
    for texts in ({**DEFAULT_TEXTS, **own}, *own_in.values()):
        for kind, text in texts.items():
            if not names_answer(kind, text, lexicon):
                message = f"the text {kind} has to name a word that counts as its answer"
                raise SetUpError(field, message, "reply-unanswerable")
