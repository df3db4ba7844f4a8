"""Texts about to be sent, and texts held (contract section 5)."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import Body, Instant, OpaqueId, example
from api.schemas.questions import QuestionBody


class MessageBody(QuestionBody):
    """A text about to be sent (contract section 5)."""

    model_config = example(message_id="text-1", number="+14155550100", purpose="conversation")

    message_id: OpaqueId
    confirmed: bool = False
    expires_at: Instant | None = None


class ReleaseBody(Body):
    """Who takes a held text."""

    model_config = example(claimed_by="worker-1")

    claimed_by: OpaqueId


class ReleaseNextBody(Body):
    """Who takes held texts, and how many at the most."""

    model_config = example(claimed_by="worker-1", limit=100)

    claimed_by: OpaqueId
    limit: Annotated[int, Field(strict=True, ge=1, le=1000)] = 100
