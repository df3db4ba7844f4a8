"""What an account says in its own words: its keywords and the wording of its replies."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from api.schemas.base import Body, example
from consent_ledger.keywords import LONGEST_WORD, MOST_OWN
from consent_ledger.language import DEFAULT_LANGUAGE, LONGEST_TAG
from consent_ledger.wording import LONGEST_TEXT

Language = Annotated[str, StringConstraints(min_length=2, max_length=LONGEST_TAG)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_WORD)]
KindName = Annotated[str, StringConstraints(min_length=1, max_length=40)]
KEYWORDS: Final = {"kind": "stop", "language": "es", "add": ["basta"], "remove": ["alto"]}


class KeywordsBody(Body):
    """The account's own changes of one list, whole: they replace those it made before."""

    model_config = example(**KEYWORDS)

    kind: Literal["stop", "start", "help", "consent", "decline", "yes", "no"]
    """What a text means that says only such a word."""
    language: Language = DEFAULT_LANGUAGE
    """The language of the list, such as `es` or `pt-BR`."""
    add: Annotated[list[Word], Field(max_length=MOST_OWN)] = []
    """Words that count besides the default ones."""
    remove: Annotated[list[Word], Field(max_length=MOST_OWN)] = []
    """Default words that count no longer."""


TEXTS_READ: Final = 1_000
"""Replies read in one request: a tenth of a second."""
LISTS_TRIED: Final = 20
"""Lists tried at once: the seven kinds in a few languages."""


class RereadBody(Body):
    """Which kept replies to read again, and lists to try in place of the account's own."""

    model_config = example(keywords=[KEYWORDS], limit=1000)

    keywords: Annotated[list[KeywordsBody], Field(max_length=LISTS_TRIED)] = []
    """Lists to try in place of the account's own."""
    limit: Annotated[int, Field(strict=True, ge=1, le=TEXTS_READ)] = TEXTS_READ
    """Replies to read."""
    cursor: Annotated[str, StringConstraints(max_length=60)] | None = None
    """The `next_cursor` of the page before."""


class WordingBody(Body):
    """The wording of a reply, in one language or, without one, in all that have none."""

    model_config = example(text="{name}: ya no le enviaremos mensajes.", language="es")

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    """The wording; `{name}` is the location's name, or the account's."""
    language: Language | None = None
    """Its language; left out, all that have no wording."""
