"""What is told (contract section 4)."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from api.schemas.base import (
    Day,
    GivenId,
    Instant,
    Number,
    OpaqueId,
    PurposeName,
    Text,
    TimeZone,
    Told,
    example,
    no_number,
)
from api.schemas.batch import BatchBody, Limited
from consent_ledger.words import Level, Preference, Verdict


class InboundBody(Told):
    """A text from a contact."""

    takes_half_text: ClassVar[bool] = True

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
    """Who wrote: the contact's number. One that cannot be read is kept for a person."""
    to: Annotated[str, Field(max_length=200)]
    """The account's number that it was sent to."""
    body: Text
    """The text, as it came."""
    message_id: GivenId
    """The provider's id of it. The same one again is one fact, and gets the same reply."""
    correlation_id: GivenId | None = None
    """Your own thread through several requests; the event keeps it."""
    received_at: Instant | None = None
    """When the provider took it in, by the provider's clock."""
    media_count: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0
    """How many pictures or other media came along. They are never stored."""


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
    """The number that may be texted."""
    purposes: Annotated[list[PurposeName], Field(min_length=1, max_length=50)]
    """The purposes consented to."""
    level: Level
    """How strong the consent is; marketing needs `express_written`."""
    method: Literal["web", "paper", "verbal", "import"]
    """Where it was given."""
    evidence: str | dict[str, Any]
    """What proves it: words, or an object. Its `form_id`, `template_version`, `disclosure_digest`
    and `provider_message_id` stand in the event where they are short ids; all of it is kept
    apart."""


class ConsentRequestBody(Told):
    """A request for consent by hand (R-F9)."""

    model_config = example(number="+14155550100", purposes=["conversation"], sent_by="agent-7")

    number: Number
    """The number to ask."""
    purposes: Annotated[list[PurposeName], Field(max_length=50)] = []
    """What to ask for; left out, every purpose that needs consent, marketing apart."""
    location: OpaqueId | None = None
    """The account's location that asks; the text names it."""
    sent_by: OpaqueId | None = None
    """The user who asks, by an opaque id; left out, whoever `by` names. Where nobody is named the
    request is the account's own, and nobody's permission applies."""


class OptOutBody(Told):
    """An opt-out by an agent, or by the contact outside SMS (R-F6)."""

    model_config = example(number="+14155550100", by="agent-7", requested_by="agent")

    number: Number
    """The number to opt out."""
    reason: Text | None = None
    """Why, for people; kept apart from the event."""
    requested_by: Literal["agent", "contact"] = "agent"
    """`contact` where the contact asked for it: then only the contact lifts it."""
    means: Annotated[str, StringConstraints(max_length=40)] | None = None
    """How they asked: `phone`, `email`, `in_person`, `web`, `paper` or `sms`. Anything else is
    `other`."""


class OptInBody(Told):
    """An admin takes back an agent's opt-out (R-F6)."""

    model_config = example(number="+14155550100", by="admin-1", reason="recorded by mistake")

    number: Number
    """The number to opt in again."""
    reason: Text | None = None
    """Why, for people; kept apart from the event."""


class OptOutBatchBody(BatchBody):
    """Many opt-outs; each row has its own verdict."""

    model_config = example(items=[{"number": "+14155550100", "by": "agent-7"}])

    items: Annotated[list[OptOutBody], Limited]
    """The rows, each an opt-out of its own."""


class OptInBatchBody(BatchBody):
    """Many opt-ins; each row has its own verdict."""

    model_config = example(items=[{"number": "+14155550100", "by": "admin-1", "reason": "mistake"}])

    items: Annotated[list[OptInBody], Limited]
    """The rows, each an opt-in of its own."""


def _code(value: object) -> object:
    # Many providers' codes are digits, and some send them as a number.
    return str(value) if type(value) is int else value


class CarrierReportBody(Told):
    """The fate of a text, in the provider's code (R-F7)."""

    model_config = example(number="+14155550100", provider="twilio", code="21610")

    number: Number
    """The number that the text went to."""
    provider: OpaqueId
    """The provider, such as `twilio`."""
    code: Annotated[
        str,
        BeforeValidator(_code),
        StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$"),
        AfterValidator(no_number),
    ]
    """The provider's code of the fate: digits or a word."""
    message_id: OpaqueId | None = None
    """The text that it is about: a `message_id` or `request_id` of yours."""


class PurposeBlockBody(Told):
    """The blocked list (R-B1)."""

    model_config = example(number="+14155550100", purpose="recall", blocked=True, by="agent-7")

    number: Number
    """The number."""
    purpose: PurposeName
    """The purpose to block."""
    blocked: bool
    """False lifts the block."""


class PreferenceBody(Told):
    """What a system of record says of marketing (R-B2)."""

    model_config = example(number="+14155550100", value="not_consented", system="practice")

    number: Number
    """The number."""
    value: Preference
    """What the system says; `unreadable` where it hides it."""
    system: OpaqueId
    """The system of record, by an opaque id."""


class TimeZoneBody(Told):
    """Where the contact lives, for permitted hours; null takes it back."""

    model_config = example(number="+14155550100", time_zone="America/Chicago")

    number: Number
    """The number."""
    time_zone: TimeZone | None
    """A time zone of the IANA database; null takes it back."""


class ReassignmentBody(Told):
    """A number that was disconnected (R-F8)."""

    model_config = example(number="+14155550100", disconnected_on="2026-03-04")

    number: Number
    """The number."""
    disconnected_on: Day
    """The day of disconnection, by UTC; before today."""
    evidence: str | dict[str, Any] | None = None
    """What proves it: words, or an object."""


class ReviewBody(Told):
    """A person's verdict on a suspected revocation."""

    model_config = example(verdict="revoked", by="admin-1")

    verdict: Verdict
    """`revoked` counts as a STOP at the time of the words; `dismissed` lets texts go on."""
