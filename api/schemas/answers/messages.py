"""Texts that were asked about (contract section 5)."""

from typing import Annotated

from pydantic import Field

from api.schemas.answers.asked import Decided
from api.schemas.answers.base import (
    NUMBER_ID,
    NUMBER_VERSION,
    POSITION,
    RECORDED,
    Answered,
    Id,
    Items,
    Moment,
    Receipt,
)
from consent_ledger.words import MessageState, Reason


class RequestToSend(Answered):
    """A request for consent to send now, in place of the text that waits."""

    request_id: str
    """The request's id; it serves as `message_id` in carrier reports."""
    to: str
    """The contact's number."""
    text: str
    """The text to send."""


class MessageAnswer(Decided):
    """The decision on a text, and what became of it."""

    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    position: Annotated[int, Field(description=POSITION)]
    recorded: Annotated[list[str], Field(description=RECORDED)]
    state: MessageState
    """Send it for `permitted`; `deferred` is held; `needs_confirmation` asks the person sending."""
    consent_request: RequestToSend | None
    """A request for consent to send now, or null."""


class Message(Answered):
    """A text and its fate; what was in it is nowhere."""

    message_id: str
    """The sender's id of it."""
    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    state: MessageState
    """Where it stands now."""
    purpose: str
    """Its purpose."""
    reason: Reason
    """Why it was answered as it was, when it was asked about."""
    asked_at: Moment
    """When it was asked about."""
    expires_at: Moment | None
    """When it is over, if it was given an end."""
    claimed_by: str | None
    """Who took it, once it is released."""
    ended_at: Moment | None = None
    """When it was released, cancelled or expired; absent where it was answered at once."""


class MessagePage(Items[Message]):
    """Held texts that may go now, the oldest first."""


class Released(Receipt):
    """A text that is this claimant's to send, and nobody else's."""

    message_id: str
    """The sender's id of it."""
    state: MessageState
    """`released`."""
    claimed_by: str
    """The claimant."""
    number: str
    """The number to send it to."""
    purpose: str
    """Its purpose."""


class HandedOut(Answered):
    """A text to send now."""

    message_id: str
    """The sender's id of it."""
    number: str
    """The number to send it to."""
    purpose: str
    """Its purpose."""


class HandedOutList(Answered):
    """Texts to send now, each given to this claimant alone."""

    items: list[HandedOut]
    """The oldest first."""


class Cancelled(Receipt):
    """A text that will never go."""

    message_id: str
    """The sender's id of it."""
    state: MessageState
    """Where it stands now."""
