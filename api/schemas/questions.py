"""Questions (contract section 3)."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from api.schemas.base import Body, Instant, Number, OpaqueId, PurposeName, TimeZone, example
from api.schemas.batch import BatchBody, Limited

CONTACT_NUMBERS_LIMIT: Final = 20
"""Other numbers of one contact in a question."""


class QuestionBody(Body):
    """What is asked of one number, of a text in mind or about to be sent."""

    number: Number
    """The number to be texted: E.164, or national form with the account's region."""
    purpose: PurposeName
    """Why the text would go out: a purpose of the account's policy."""
    location: OpaqueId | None = None
    """The account's location that it would come from."""
    sending_number: Number | None = None
    """The account's number that it would come from."""
    sent_by: OpaqueId | None = None
    """The user who would send it, by an opaque id. Needed where users must be permitted."""
    manual: bool = False
    """Whether a person is about to send it. Everything else is automated."""
    contact_numbers: Annotated[
        list[Number], Field(default_factory=list, max_length=CONTACT_NUMBERS_LIMIT)
    ]
    """The contact's other numbers. Under `consent-first` a STOP on one of them counts."""
    time_zone: TimeZone | None = None
    """Where the contact lives, for permitted hours, such as `America/Chicago`."""


class CheckBody(QuestionBody):
    """A question (contract section 3)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"number": "+14155550100", "purpose": "conversation"}]},
    )

    as_of: Instant | None = None
    """Answer for this past moment, under the set-up of then, with all that is known now."""
    known_at: Instant | None = None
    """Answer with what the ledger had recorded by this past moment."""


class BatchItem(Body):
    """One number of a batch."""

    number: str
    """The number to be texted. One that cannot be read gets an `error` in its place."""
    correlation_id: OpaqueId | None = None
    """Comes back with the answer."""
    time_zone: TimeZone | None = None
    """Where this contact lives, for permitted hours."""
    contact_numbers: Annotated[
        list[Number], Field(default_factory=list, max_length=CONTACT_NUMBERS_LIMIT)
    ]
    """The contact's other numbers."""


class BatchCheckBody(BatchBody):
    """One question about many numbers."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"purpose": "recall", "items": [{"number": "+14155550100"}]}]
        },
    )

    purpose: PurposeName
    """Why the texts would go out: a purpose of the account's policy."""
    location: OpaqueId | None = None
    """The account's location that they would come from."""
    sending_number: Number | None = None
    """The account's number that they would come from."""
    sent_by: OpaqueId | None = None
    """The user who would send them, by an opaque id."""
    manual: bool = False
    """Whether a person is about to send them."""
    items: Annotated[list[BatchItem], Limited]
    """The numbers; the answers come in their order."""


class ContactsBody(Body):
    """The numbers of one contact (R-V2)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"numbers": ["+14155550100"]}]}
    )

    numbers: Annotated[list[Number], Field(min_length=1, max_length=CONTACT_NUMBERS_LIMIT)]
    """All numbers of the contact."""


class NumberBody(Body):
    """A number to be looked up."""

    model_config = example(number="+14155550100")

    number: Number
    """E.164, or national form with the account's region."""
