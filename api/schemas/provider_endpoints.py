"""Where providers' webhooks arrive, and what signs them (contract section 4)."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from api.providers.registry import PROVIDERS
from api.schemas.base import Body, example

LONGEST_OVERLAP: Final = 168
"""Hours: in a week every process of a sender has been told of a new secret."""
OVERLAP: Final = 24


def _known(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
    return name


ProviderName = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": list(PROVIDERS)})
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class EndpointBody(Body):
    """An endpoint: whose webhooks arrive there, and the secret that signs them."""

    model_config = example(provider="twilio", secret="the account's auth token")

    provider: ProviderName
    """Whose webhooks arrive there."""
    secret: Secret
    """What the provider signs with. It is never shown again."""


class RotationBody(Body):
    """A new secret; the one before counts for as many hours more."""

    model_config = example(secret="the new auth token", overlap_hours=24)

    secret: Secret
    """What the provider signs with from now on."""
    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=LONGEST_OVERLAP)] = OVERLAP
    """Hours for which the secret before this one counts too."""
