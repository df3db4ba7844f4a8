"""Words and replies of an account."""

from typing import Annotated

from pydantic import Field

from api.schemas.answers.base import Answered, Id, Items, Moment
from consent_ledger.lexicon import Understood


class Word(Answered):
    """A word and what it means."""

    kind: str
    """What a text means that says only this."""
    language: str
    """The language of its list."""
    word: str
    """The word, or the phrase."""


class CountingWord(Word):
    """A word that counts."""

    default: bool
    """Whether it is in the default list."""
    removable: bool
    """Whether the account may take it out; seven words that end texts stay."""


class KeywordList(Items[CountingWord]):
    """Every word that counts."""

    lexicon_version: str
    """The name of this set of words: equal sets have equal versions."""
    removed: list[Word]
    """Default words that the account took out."""


class OwnKeywords(Answered):
    """The account's own changes of one list."""

    kind: str
    """The list's meaning."""
    language: str
    """The list's language."""
    add: list[str]
    """Words that it has besides."""
    remove: list[str]
    """Default words that it has no longer."""


class Wording(Answered):
    """A reply or request, as it is worded."""

    kind: str
    """Which one."""
    language: str | None
    """The language; null is for all that have no wording."""
    text: str
    """The wording."""
    own: bool
    """Whether it is the account's, and not the default."""
    encoding: str
    """How an SMS carries it: `gsm-7` or `ucs-2`."""
    segments: int
    """How many parts of an SMS it takes, with the account's name in it."""
    placeholders: list[str]
    """The parts that are filled in."""


class WordingList(Items[Wording]):
    """Every wording."""


class PastReading(Answered):
    """How a reply was read when it came."""

    understood_as: Understood
    """What it was read as."""
    matched: str | None
    """The word that matched."""
    lexicon_version: str
    """The words that it was read with."""


class NewReading(Answered):
    """How it would be read now."""

    understood_as: Understood
    """What it would be read as."""
    matched: str | None
    """The word that would match."""


class Reread(Answered):
    """A past reply that would be read otherwise."""

    number_id: Id
    """The opaque id of the number."""
    event_id: str
    """The event of the reply."""
    occurred_at: Moment
    """When it was said."""
    from_: Annotated[PastReading, Field(alias="from", description="How it was read.")]
    to: NewReading
    """How it would be read."""


class RereadPage(Items[Reread]):
    """Past replies that would be read otherwise. Nothing was recorded."""

    lexicon_version: str
    """The words that they were read with now."""
    examined: int
    """Replies that were read for this page."""
