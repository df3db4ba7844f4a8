"""The set-up of an account (contract section 7)."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Body, Instant, Name, Number, OpaqueId, PurposeName, example
from consent_ledger.words import Permission


class PolicyBody(Body):
    """A policy: a preset, and what differs from it."""

    model_config = example(preset="consent-first", changes={"requests_allowed": 1})

    preset: str
    """The preset to begin with: `consent-first`, `opt-out`, `recalls` or `authorization`."""
    changes: dict[str, Any] = {}
    """What differs from it, by the fields of a policy."""
    effective_from: Instant | None = None
    """From when it holds; left out, from now on."""


class LocationBody(Body):
    """A location."""

    model_config = example(id="main-street", name="Main Street Clinic")

    id: OpaqueId
    """The location's id. One that is there is renamed."""
    name: Name
    """Its name, as contacts read it in texts."""


class SendingNumberBody(Body):
    """A number the account sends from."""

    model_config = example(number="+14155550199", location="main-street", purposes=["conversation"])

    number: Number
    """The number that the account sends from."""
    location: OpaqueId
    """The id of the location that it belongs to."""
    purposes: Annotated[list[PurposeName], Field(max_length=50)]
    """The purposes that it serves."""


class PermissionBody(Body):
    """'Allow SMS' (R-L2)."""

    model_config = example(permission="allow", groups=["front-desk"])

    permission: Permission
    """“Allow SMS” of the user; `inherit` is what the groups say."""
    groups: Annotated[list[OpaqueId], Field(max_length=100)] | None = None
    """The user's groups, all of them; left out, they stay as they are."""


class GroupPermissionBody(Body):
    """'Allow SMS' of a group (R-L2)."""

    model_config = example(permission="deny")

    permission: Permission
    """What the users of the group inherit."""


class KeyBody(Body):
    """A new API key."""

    model_config = example(role="sender", name="campaign tool")

    role: Literal["sender", "agent", "admin", "auditor"]
    """What the key may do."""
    name: Name
    """What to call it in lists."""
