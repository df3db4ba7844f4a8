"""Why a text reads as it does: for whoever tries words out. It holds words, so it is not kept."""

from dataclasses import dataclass

from consent_ledger import lexicon_words as default
from consent_ledger.interpreting import LIKENESS, READ_AT_MOST, Reading, likeness
from consent_ledger.keywords import OwnLexicon
from consent_ledger.signs import ENOUGH, JOINED
from consent_ledger.tokens import sentences_of

_SIGNS = [sign for each in default.LANGUAGES_OF_SIGNS for sign in each.signs]
_PATTERNS = {sign.name: sign.pattern for sign in _SIGNS if sign.weight >= ENOUGH}
_SHOWN = 5
"""Features of likeness that are named: together they are most of what it weighed."""
_HINTS = {sign.name for sign in _SIGNS if sign.weight < ENOUGH}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reading, the words as they were read, and what was found among them."""

    reading: Reading
    language: str | None
    words: tuple[str, ...]
    found: str


def explain(text: str, own: OwnLexicon) -> Explanation:
    """How a text reads under an account's words, and why."""
    reading, language = own.read(text)
    words = tuple(sentences_of(text.strip()[:READ_AT_MOST]))
    return Explanation(reading, language, words, _found(reading, words))


def _found(reading: Reading, words: tuple[str, ...]) -> str:
    if reading.matched is None:
        return "nothing that is one of the words, and nothing that sounds like a wish to end texts"
    if reading.matched in _PATTERNS:
        return f"a phrase that sounds like a wish to end texts: {_PATTERNS[reading.matched]}"
    if reading.matched == LIKENESS:
        telling = (
            f"{each} {weight / 100:+.1f}" for each, weight in likeness().telling(words, _SHOWN)
        )
        return f"its words are those of wishes to end texts: {', '.join(telling)}"
    if _HINTS.issuperset(reading.matched.split(JOINED)):
        return f"hints of a wish to end texts, which weigh enough together: {reading.matched}"
    if reading.understood_as == "suspected_revocation":
        return "a sign or a misspelt word that may end texts"
    return "the whole text is the word, with what may stand around it"
