"""The default lexicon's words, of all languages: `lexicon_data/` holds them, by language.

Any spelling will do there, case and accents do not matter: all of it is normalised by R-K1. A new
language is a new file, and a name in LANGUAGES_READ. Where one file would be long, the language
goes on in others: after `en.toml` come `en-refusal.toml` and so on, and share its groups.
"""

import re
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from consent_ledger.likeness import Kinds, Likeness
from consent_ledger.signs import JOINED, Context, Language, Sign
from consent_ledger.tokens import tokens_of

LANGUAGES_READ: Final = ("en", "es", "fr", "pt", "ar", "zh", "vi")
"""In this order: where two languages share a word, it is shown as the first one's."""

# 47 CFR 64.1200(a)(10): reasonable per se, so no account may stop honouring them.
FCC_SEVEN: Final = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")


def files_of(code: str) -> tuple[Traversable, ...]:
    """A language's files, the one with its words first."""
    names = (each for each in files("consent_ledger").joinpath("lexicon_data").iterdir())
    mine = [each for each in names if re.fullmatch(rf"{code}(-\w+)?\.toml", each.name)]
    return tuple(sorted(mine, key=lambda each: each.name.removesuffix(".toml")))


def _load(code: str) -> dict[str, Any]:
    loaded: dict[str, Any] = {}
    for file in files_of(code):
        for key, value in tomllib.loads(file.read_text("utf-8")).items():
            if isinstance(value, list):
                loaded.setdefault(key, []).extend(value)
            else:
                loaded.setdefault(key, {}).update(value)
    return loaded


_DATA: Final = {code: _load(code) for code in LANGUAGES_READ}


def _phrases(text: str) -> tuple[str, ...]:
    """Phrases that a slash or a line's end parts."""
    return tuple(filter(None, map(str.strip, text.replace("/", "\n").splitlines())))


def _all(section: str, name: str) -> tuple[str, ...]:
    found = (_phrases(data.get(section, {}).get(name, "")) for data in _DATA.values())
    return tuple(dict.fromkeys(phrase for phrases in found for phrase in phrases))


# R-K2: the FCC's words, the providers', and those of the other languages.
STOP: Final = tuple(dict.fromkeys((*FCC_SEVEN, *_all("words", "stop"))))
START: Final = _all("words", "start")
HELP: Final = _all("words", "help")
CONSENT: Final = _all("words", "consent")
DECLINE: Final = _all("words", "decline")
# A YES may consent or reopen, so nothing is read as one that could be meant otherwise: 'si' is
# also 'if', 'ok' is also 'I have read it'.
YES: Final = _all("words", "yes")
NO: Final = _all("words", "no")

# Words that ask, thank, hurry or curse: around a word of a list they change nothing (R-K3).
POLITE: Final = _all("manners", "polite") + _all("manners", "curses")
# What may follow an opt-out word, if one of the anchors among it says that texts are meant.
OBJECTS: Final = _all("manners", "objects") + _all("manners", "curses")
ANCHORS: Final = _all("manners", "anchors")
# Ways to say STOP that are on no list but leave no doubt, such as an echo of our instruction.
STOP_PHRASES: Final = _all("manners", "stop_phrases")
# Opt-out words that mean little else: 'Cancel.' in a longer text is more often about a visit.
PLAIN: Final = _all("manners", "plain")
# Words that a text of one word may be a slip of.
SLIPS_OF: Final = _all("manners", "slips_of")

_FILLERS: Final = _all("manners", "fillers")
# Of longer phrases no single word: 'on', of one language's thanks, means much in another.
FILLERS: Final = frozenset(
    tokens[0] for tokens in map(tokens_of, (*POLITE, *_FILLERS)) if len(tokens) == 1
)


def _tokens(text: str) -> frozenset[str]:
    return frozenset(token for phrase in _phrases(text) for token in tokens_of(phrase))


def _language(code: str, data: dict[str, Any]) -> Language:
    contexts = {
        name: Context(_tokens(context["opens"]), _tokens(context["keeps"]))
        for name, context in data.get("contexts", {}).items()
    }
    signs = tuple(
        Sign(name, pattern, code, tuple(group.get("unless", ())))
        for group in data.get("signs", ())
        for name, pattern in group["phrases"].items()
    )
    hints = tuple(
        _hint(code, group, pattern)
        for group in data.get("hints", ())
        for pattern in group["phrases"]
    )
    spellings = {word: _tokens(others) for word, others in data.get("spellings", {}).items()}
    return Language(code, data.get("groups", {}), contexts, signs + hints, spellings)


def _hint(code: str, group: dict[str, Any], pattern: str) -> Sign:
    """A pattern of a kind of hint; its name tells the language, as an answer is written in it."""
    kind = group["kind"]
    name = kind if code == "en" else f"{kind} ({code})"
    return Sign(name, pattern, code, tuple(group.get("unless", ())), group["weight"], kind)


LANGUAGES_OF_SIGNS: Final = tuple(_language(code, data) for code, data in _DATA.items())
SIGN_LANGUAGES: Final = {
    sign.name: sign.language for language in LANGUAGES_OF_SIGNS for sign in language.signs
}


def _kinds() -> Kinds:
    spellings: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for data in _DATA.values():
        if "likeness" in data:
            for word, others in data["spellings"].items():
                spellings |= dict.fromkeys(_tokens(others), word)
            names = data["groups"][data["likeness"]["names"]].replace("|", "/")
            spellings |= dict.fromkeys(_tokens(names), _ANY_NAME)
            for kind, words in data["likeness"]["kinds"].items():
                kinds |= dict.fromkeys(words.split(), kind)
    return Kinds(spellings, kinds)


_ANY_NAME: Final = "*name"
KINDS: Final = _kinds()


def likeness() -> Likeness:
    """The weights of likeness: the first line is the bias, each other a weight and its feature."""
    file = files("consent_ledger").joinpath("lexicon_data", "en.weights")
    bias, *lines = file.read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines)
    return Likeness(KINDS, int(bias), {feature: int(weight) for weight, feature in pairs})


def language_of(matched: str) -> str | None:
    """The language of a sign, or of the hints that were found together."""
    return SIGN_LANGUAGES.get(matched.split(JOINED)[0])


def _languages() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, data in _DATA.items():
        for text in data["words"].values():
            for word in _phrases(text):
                found.setdefault(word, code)
    return {word: code for word, code in found.items() if code != "en" and word not in FCC_SEVEN}


# Of the words above, those that are not English.
LANGUAGES: Final = _languages()
