"""Events as they are followed and delivered, and where providers deliver (section 6)."""

from typing import Any, Literal

from api.schemas.answers.base import Answered, Id, Items, Moment


class CloudEvent(Answered):
    """An event as a CloudEvent 1.0."""

    specversion: str
    """`1.0`."""
    id: str
    """The event's id: the same in every delivery."""
    source: str
    """The account."""
    type: str
    """`ConsentLedger.` and the event's type."""
    time: Moment | None = None
    """When it happened; absent where this version of the ledger cannot read the event."""
    recordedtime: Moment
    """When the ledger stored it."""
    subject: Id | None = None
    """The number's opaque id; absent for an event of the account."""
    numberversion: int | None = None
    """The event's place among those of its number."""
    accountversion: int | None = None
    """The event's place among those of the account."""
    datacontenttype: str
    """`application/json`."""
    position: str
    """Its place in the ledger, as digits."""
    correlationid: str | None = None
    """The caller's own thread through several requests."""
    causationid: str | None = None
    """The event that led to it."""
    data: dict[str, Any]
    """What the history shows of it, without words; of a reply `asked_by` too."""


class FeedPage(Answered):
    """Events after a position."""

    items: list[CloudEvent]
    """In the order of their positions, none missed."""
    next_after: int
    """Ask with it as `after` for what follows. It grows also where no event fits."""


class WebhookEndpoint(Answered):
    """A URL that events are delivered to, and how it is doing."""

    endpoint_id: Id
    """Its id."""
    url: str
    """Where events are delivered."""
    types: list[str] | None
    """The types that are delivered; null is all."""
    user: str | None
    """Only replies to this user's texts; null is everything."""
    state: Literal["enabled", "disabled"]
    """Whether deliveries go on."""
    disabled_because: Literal["gone", "failing"] | None
    """Why not: it answered 410, or has failed for days."""
    position: int
    """The place in the ledger up to which it has been told."""
    failures: int
    """Failed attempts in a row."""
    failing_since: Moment | None
    """Since when it fails."""
    next_attempt_at: Moment | None
    """When the next attempt is due."""
    last_attempt_at: Moment | None
    """When the last attempt was."""
    last_status: int | None
    """What it answered then."""
    last_error: str | None
    """What went wrong then, where it did not answer."""
    last_delivered_at: Moment | None
    """When it last took an event."""
    former_secret_until: Moment | None
    """Until when the secret before this one signs too."""
    created_at: Moment
    """When it was made."""


class WebhookEndpointWithSecret(WebhookEndpoint):
    """An endpoint with its secret, shown this once."""

    secret: str
    """What signs the deliveries, by Standard Webhooks. It cannot be shown again."""


class WebhookEndpointList(Items[WebhookEndpoint]):
    """The account's endpoints, all of them."""


class WebhookEndpointDeleted(Answered):
    """An endpoint that is gone."""

    endpoint_id: Id
    """Its id."""
    deleted: bool
    """True."""


class ProviderEndpointNamed(Answered):
    """Where a provider's webhooks arrive."""

    endpoint: str
    """Its name."""
    provider: str
    """The provider."""
    url: str
    """The URL to give to the provider."""


class ProviderEndpoint(ProviderEndpointNamed):
    """An endpoint, without its secrets."""

    created_at: Moment
    """When it was made."""
    former_secret_until: Moment | None
    """Until when the secret before this one counts too."""


class ProviderEndpointList(Items[ProviderEndpoint]):
    """The account's endpoints for providers, all of them."""


class ProviderEndpointDeleted(Answered):
    """An endpoint that is gone."""

    endpoint: str
    """Its name."""
    deleted: bool
    """True."""
