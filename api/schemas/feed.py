"""Endpoints that are told of events (contract section 6)."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from api.schemas.base import Body, OpaqueId, example

URL_LIMIT: Final = 2_000
"""Characters of an endpoint's URL; longer ones do not pass every proxy."""
LAST_POSITION: Final = 2**63 - 1

Position = Annotated[int, Field(ge=0, le=LAST_POSITION)]
"""In a query too, where every number is a text; a body adds `strict`."""
NOW: Final = "now"


def _place(value: Any) -> Any:
    return None if value == NOW else value


_PLACE: Final = {
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": LAST_POSITION}, {"const": NOW}]
}
Place = Annotated[Position | None, BeforeValidator(_place), WithJsonSchema(_PLACE)]
"""A position, or None for `now`: the place behind which whatever is recorded from now on lies."""
TypeName = Annotated[str, StringConstraints(max_length=64)]


class WebhookEndpointBody(Body):
    """Where events are delivered, and which ones."""

    model_config = example(
        url="https://hooks.example.com/consent", types=["StopReceived", "ReplyNotUnderstood"]
    )

    url: Annotated[str, StringConstraints(min_length=1, max_length=URL_LIMIT)]
    """Where to deliver: https, to a host on the internet."""
    types: Annotated[list[TypeName], Field(min_length=1, max_length=100)] | None = None
    """The types of events to deliver; left out, all."""
    user: OpaqueId | None = None
    """Deliver only the replies to this user's texts."""


class ReplayBody(Body):
    """From where an endpoint is told again."""

    model_config = example(after=42)

    after: Annotated[Position, Field(strict=True)]
    """The position after which every event is delivered again."""
