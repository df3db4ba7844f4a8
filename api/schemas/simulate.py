"""A policy to be tried (contract section 7)."""

from typing import Annotated, Any, Final

from pydantic import Field

from api.schemas.base import Body, Instant, example

NUMBERS_EXAMINED: Final = 100_000
"""Numbers examined unless the caller asks for another limit: about a minute of work, and a share
that is told from so many is right to a third of a percent."""
NUMBERS_LIMIT: Final = 1_000_000
"""Numbers examined at the most: some minutes, about as long as a caller waits."""


class SimulationBody(Body):
    """A policy as `PUT /v1/policy` takes it, and how much to try it on."""

    model_config = example(preset="authorization", changes={}, limit=10_000)

    preset: str
    """The preset to try."""
    changes: dict[str, Any] = {}
    """What differs from it, by the fields of a policy."""
    effective_from: Instant | None = None
    """The time to try it at; left out, now."""
    since: Instant | None = None
    """From when on past decisions are examined; left out, 30 days."""
    limit: Annotated[int, Field(strict=True, ge=1, le=NUMBERS_LIMIT)] = NUMBERS_EXAMINED
    """Numbers, and past decisions, examined at the most."""
