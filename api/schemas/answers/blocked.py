"""The blocked list."""

from typing import Annotated

from pydantic import Field

from api.schemas.answers.base import NUMBER_ID, POSITION, Answered, Id, Items, Moment
from consent_ledger.words import ActorKind, Channel


class BlockedPurpose(Answered):
    """A purpose that is blocked for a number."""

    number: str | None
    """The number; null where the person was erased."""
    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    purpose: str
    """The purpose whose texts are refused."""
    since: Moment
    """Since when."""
    by: str | None
    """The person who blocked it, by an opaque id."""
    actor: ActorKind | None
    """What they are to the account; null where the fact is of a later version than this one."""
    channel: Channel | None
    """The way it reached the ledger; null in the same case."""
    event_id: str
    """The event that it rests on."""


class PurposeBlockPage(Items[BlockedPurpose]):
    """A page of the blocked list."""

    position: Annotated[int, Field(description=POSITION)]
