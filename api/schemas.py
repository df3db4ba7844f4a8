"""Bodies of requests (contract sections 3 to 5). A field that is not known is an error: a typing
mistake in `sent_by` must not silently drop a rule."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from consent_ledger.words import Level, Permission, Preference, Verdict

TEXT_LIMIT: Final = 10_000
"""Characters of an inbound text that are read and kept: six times the longest SMS."""
CONTACT_NUMBERS_LIMIT: Final = 20
"""Other numbers of one contact in a question."""
BATCH_LIMIT: Final = 10_000
"""Items in a batch check (contract section 3)."""
WRITE_BATCH_LIMIT: Final = 10_000
"""Rows in a batch of opt-outs or opt-ins."""


E164: Final = re.compile(r"\+\d{7,15}")
"""Ids go into events and URLs, where no number may be (rulebook section 9)."""


def _instant(value: object) -> int:
    """Microseconds since 1970 of an RFC 3339 time with its zone."""
    if not isinstance(value, str):
        raise ValueError("must be a time such as 2026-03-04T10:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a time such as 2026-03-04T10:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must name its time zone, such as Z")
    try:
        delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        raise ValueError("is no time that can be kept") from None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _day(value: object) -> str:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise ValueError("must be a day such as 2026-03-04") from None


_TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Instant = Annotated[int, BeforeValidator(_instant, json_schema_input_type=_TimeText)]
Day = Annotated[str, BeforeValidator(_day), Field(json_schema_extra={"format": "date"})]


def _no_number(value: str) -> str:
    if E164.fullmatch(value):
        raise ValueError("must be an opaque id, not a phone number")
    return value


OpaqueId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_no_number),
]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
EndpointName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9._~-]+$")]
"""Part of a URL that a provider signs, so nothing in it may need an escape."""
Search = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Number = Annotated[str, StringConstraints(max_length=64)]
PurposeName = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")
]
Text = Annotated[str, StringConstraints(max_length=TEXT_LIMIT)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid")


class Told(Body):
    """What everything that is told may say: when it happened, and who tells."""

    occurred_at: Instant | None = None
    by: OpaqueId | None = None
    correlation_id: OpaqueId | None = None


class CheckBody(Body):
    """A question (contract section 3)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"number": "+14155550100", "purpose": "conversation"}]},
    )

    number: Number
    purpose: PurposeName
    location: OpaqueId | None = None
    sending_number: Number | None = None
    sent_by: OpaqueId | None = None
    manual: bool = False
    contact_numbers: Annotated[list[Number], Field(max_length=CONTACT_NUMBERS_LIMIT)] = []
    as_of: Instant | None = None
    known_at: Instant | None = None


class BatchItem(Body):
    """One number of a batch."""

    number: str
    correlation_id: OpaqueId | None = None


class BatchCheckBody(Body):
    """One question about many numbers."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"purpose": "recall", "items": [{"number": "+14155550100"}]}]
        },
    )

    purpose: PurposeName
    location: OpaqueId | None = None
    sending_number: Number | None = None
    sent_by: OpaqueId | None = None
    manual: bool = False
    items: Annotated[list[BatchItem], Field(max_length=BATCH_LIMIT)]


class ContactsBody(Body):
    """The numbers of one contact (R-V2)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"numbers": ["+14155550100"]}]}
    )

    numbers: Annotated[list[Number], Field(min_length=1, max_length=CONTACT_NUMBERS_LIMIT)]


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body with an example for the documentation."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class InboundBody(Told):
    """A text from a contact."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {"from": "+14155550100", "to": "+14155550199", "body": "STOP", "message_id": "m-1"}
            ]
        },
    )

    sender: Annotated[str, Field(alias="from", max_length=200)]
    to: Annotated[str, Field(max_length=200)]
    body: Text
    message_id: OpaqueId
    received_at: Instant | None = None
    media_count: Annotated[int, Field(ge=0, le=1000)] = 0


class ConsentBody(Told):
    """Consent given on the web, on paper or by voice."""

    model_config = example(
        number="+14155550100",
        purposes=["conversation"],
        level="express",
        method="web",
        evidence={"form_id": "intake-7"},
        by="agent-7",
    )

    number: Number
    purposes: Annotated[list[PurposeName], Field(min_length=1, max_length=50)]
    level: Level
    method: Literal["web", "paper", "verbal", "import"]
    evidence: str | dict[str, Any]


class ConsentRequestBody(Told):
    """A request for consent by hand (R-F9)."""

    model_config = example(number="+14155550100", purposes=["conversation"], sent_by="agent-7")

    number: Number
    purposes: Annotated[list[PurposeName], Field(max_length=50)] = []
    location: OpaqueId | None = None
    sent_by: OpaqueId | None = None


class OptOutBody(Told):
    """An opt-out by an agent, or by the contact outside SMS (R-F6)."""

    model_config = example(number="+14155550100", by="agent-7", requested_by="agent")

    number: Number
    reason: Text | None = None
    requested_by: Literal["agent", "contact"] = "agent"
    means: Annotated[str, StringConstraints(max_length=40)] | None = None


class OptInBody(Told):
    """An admin takes back an agent's opt-out (R-F6)."""

    model_config = example(number="+14155550100", by="admin-1", reason="recorded by mistake")

    number: Number
    reason: Text | None = None


class OptOutBatchBody(Body):
    """Many opt-outs; each row has its own verdict."""

    model_config = example(items=[{"number": "+14155550100", "by": "agent-7"}])

    items: Annotated[list[OptOutBody], Field(max_length=WRITE_BATCH_LIMIT)]


class OptInBatchBody(Body):
    """Many opt-ins; each row has its own verdict."""

    model_config = example(items=[{"number": "+14155550100", "by": "admin-1", "reason": "mistake"}])

    items: Annotated[list[OptInBody], Field(max_length=WRITE_BATCH_LIMIT)]


class CarrierReportBody(Told):
    """The fate of a text, in the provider's code (R-F7)."""

    model_config = example(number="+14155550100", provider="twilio", code="21610")

    number: Number
    provider: OpaqueId
    code: Annotated[
        str,
        StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$"),
        AfterValidator(_no_number),
    ]
    message_id: OpaqueId | None = None


class PurposeBlockBody(Told):
    """The blocked list (R-B1)."""

    model_config = example(number="+14155550100", purpose="recall", blocked=True, by="agent-7")

    number: Number
    purpose: PurposeName
    blocked: bool


class PreferenceBody(Told):
    """What a system of record says of marketing (R-B2)."""

    model_config = example(number="+14155550100", value="not_consented", system="practice")

    number: Number
    value: Preference
    system: OpaqueId


class ReassignmentBody(Told):
    """A number that was disconnected (R-F8)."""

    model_config = example(number="+14155550100", disconnected_on="2026-03-04")

    number: Number
    disconnected_on: Day
    evidence: str | dict[str, Any] | None = None


class ReviewBody(Told):
    """A person's verdict on a suspected revocation."""

    model_config = example(verdict="revoked", by="admin-1")

    verdict: Verdict


class MessageBody(Body):
    """A text about to be sent (contract section 5)."""

    model_config = example(message_id="text-1", number="+14155550100", purpose="conversation")

    message_id: OpaqueId
    number: Number
    purpose: PurposeName
    location: OpaqueId | None = None
    sending_number: Number | None = None
    sent_by: OpaqueId | None = None
    manual: bool = False
    confirmed: bool = False
    contact_numbers: Annotated[list[Number], Field(max_length=CONTACT_NUMBERS_LIMIT)] = []
    expires_at: Instant | None = None


class ReleaseBody(Body):
    """Who takes a held text."""

    model_config = example(claimed_by="worker-1")

    claimed_by: OpaqueId


class ReleaseNextBody(Body):
    """Who takes held texts, and how many at the most."""

    model_config = example(claimed_by="worker-1", limit=100)

    claimed_by: OpaqueId
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class NumberBody(Body):
    """A number to be looked up."""

    model_config = example(number="+14155550100")

    number: Number


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


class EndpointBody(Body):
    """Where a provider's webhooks arrive, and the secret that signs them."""

    model_config = example(provider="twilio", secret="the account's auth token")

    provider: Literal["twilio"]
    secret: Annotated[str, StringConstraints(min_length=1, max_length=500)]
