"""Questions (contract section 3)."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from api.schemas.base import Body, Instant, Number, OpaqueId, PurposeName, TimeZone, example

CONTACT_NUMBERS_LIMIT: Final = 20
"""Other numbers of one contact in a question."""
BATCH_LIMIT: Final = 10_000
"""Items in a batch check (contract section 3)."""


class QuestionBody(Body):
    """What is asked of one number, of a text in mind or about to be sent."""

    number: Number
    purpose: PurposeName
    location: OpaqueId | None = None
    sending_number: Number | None = None
    sent_by: OpaqueId | None = None
    manual: bool = False
    contact_numbers: Annotated[
        list[Number], Field(default_factory=list, max_length=CONTACT_NUMBERS_LIMIT)
    ]
    time_zone: TimeZone | None = None


class CheckBody(QuestionBody):
    """A question (contract section 3)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"number": "+14155550100", "purpose": "conversation"}]},
    )

    as_of: Instant | None = None
    known_at: Instant | None = None


class BatchItem(Body):
    """One number of a batch."""

    number: str
    correlation_id: OpaqueId | None = None
    time_zone: TimeZone | None = None
    contact_numbers: Annotated[
        list[Number], Field(default_factory=list, max_length=CONTACT_NUMBERS_LIMIT)
    ]


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


class NumberBody(Body):
    """A number to be looked up."""

    model_config = example(number="+14155550100")

    number: Number
