"""Names of languages: BCP 47 tags, each in one spelling."""

import re
from typing import Final

from consent_ledger.errors import SetUpError

DEFAULT_LANGUAGE: Final = "en"
LONGEST_TAG: Final = 35
"""Characters; RFC 5646 section 4.4.1 asks for no more of who stores tags."""
_TAG: Final = re.compile("[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}")


def language_tag(text: str) -> str:
    """The tag as RFC 5646 writes it, `pt-BR` for `PT-br`; SetUpError where it is none."""
    if len(text) > LONGEST_TAG or not _TAG.fullmatch(text):
        raise SetUpError("language", "must be a language tag such as en, es or pt-BR")
    first, *rest = text.lower().split("-")
    return "-".join((first, *map(_cased, rest)))


def _cased(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag


def fallbacks(language: str | None) -> tuple[str, ...]:
    """The tag and what is less special than it: `pt-BR`, then `pt`."""
    parts = (language or "").split("-") if language else []
    return tuple("-".join(parts[:end]) for end in range(len(parts), 0, -1))
