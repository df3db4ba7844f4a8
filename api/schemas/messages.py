"""Texts about to be sent, and texts held (contract section 5)."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import Body, Instant, OpaqueId, example
from api.schemas.questions import QuestionBody


class MessageBody(QuestionBody):
    """A text about to be sent (contract section 5)."""

    model_config = example(message_id="text-1", number="+14155550100", purpose="conversation")

    message_id: OpaqueId
    """Your own id of the text. The same one again gets the same answer."""
    confirmed: bool = False
    """Whether the person sending was shown the notice, and goes on."""
    expires_at: Instant | None = None
    """When a held text is over, whatever happens."""


class ReleaseBody(Body):
    """Who takes a held text."""

    model_config = example(claimed_by="worker-1")

    claimed_by: OpaqueId
    """Who will send it: an opaque id. The same one again gets the same answer."""


class ReleaseNextBody(Body):
    """Who takes held texts, and how many at the most."""

    model_config = example(claimed_by="worker-1", limit=100)

    claimed_by: OpaqueId
    """Who will send them: an opaque id."""
    limit: Annotated[int, Field(strict=True, ge=1, le=1000)] = 100
    """How many at the most."""
