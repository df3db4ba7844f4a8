"""The set-up of an account (contract section 7)."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Body, Instant, Name, Number, OpaqueId, PurposeName, example
from consent_ledger.words import Permission


class PolicyBody(Body):
    """A policy: a preset, and what differs from it."""

    model_config = example(preset="consent-first", changes={"requests_allowed": 1})

    preset: str
    changes: dict[str, Any] = {}
    effective_from: Instant | None = None


class LocationBody(Body):
    """A location."""

    model_config = example(id="main-street", name="Main Street Clinic")

    id: OpaqueId
    name: Name


class SendingNumberBody(Body):
    """A number the account sends from."""

    model_config = example(number="+14155550199", location="main-street", purposes=["conversation"])

    number: Number
    location: OpaqueId
    purposes: Annotated[list[PurposeName], Field(max_length=50)]


class PermissionBody(Body):
    """'Allow SMS' (R-L2)."""

    model_config = example(permission="allow", groups=["front-desk"])

    permission: Permission
    groups: Annotated[list[OpaqueId], Field(max_length=100)] | None = None


class GroupPermissionBody(Body):
    """'Allow SMS' of a group (R-L2)."""

    model_config = example(permission="deny")

    permission: Permission


class KeyBody(Body):
    """A new API key."""

    model_config = example(role="sender", name="campaign tool")

    role: Literal["sender", "agent", "admin", "auditor"]
    name: Name
