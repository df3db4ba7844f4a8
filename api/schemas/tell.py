"""What is told (contract section 4)."""

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from api.schemas.base import (
    Body,
    Day,
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
from consent_ledger.words import Level, Preference, Verdict

WRITE_BATCH_LIMIT: Final = 10_000
"""Rows in a batch of opt-outs or opt-ins."""


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
    to: Annotated[str, Field(max_length=200)]
    body: Text
    message_id: OpaqueId
    received_at: Instant | None = None
    media_count: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0


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


def _code(value: object) -> object:
    # Many providers' codes are digits, and some send them as a number.
    return str(value) if type(value) is int else value


class CarrierReportBody(Told):
    """The fate of a text, in the provider's code (R-F7)."""

    model_config = example(number="+14155550100", provider="twilio", code="21610")

    number: Number
    provider: OpaqueId
    code: Annotated[
        str,
        BeforeValidator(_code),
        StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$"),
        AfterValidator(no_number),
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


class TimeZoneBody(Told):
    """Where the contact lives, for permitted hours; null takes it back."""

    model_config = example(number="+14155550100", time_zone="America/Chicago")

    number: Number
    time_zone: TimeZone | None


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
