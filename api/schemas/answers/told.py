"""What is answered to what was told (contract section 4)."""

from typing import Annotated

from pydantic import Field

from api.schemas.answers.base import (
    NUMBER_ID,
    NUMBER_VERSION,
    POSITION,
    RECORDED,
    Answered,
    FieldError,
    Id,
    Items,
    Moment,
    Receipt,
)
from consent_ledger.carrier import DeliveryClass
from consent_ledger.lexicon import Understood
from consent_ledger.words import ReplyKind


class ReplyToSend(Answered):
    """A text to send to the contact now."""

    kind: ReplyKind
    """Which of the canned replies it is."""
    to: str
    """The contact's number."""
    text: str
    """The text, as the account words it."""


class InboundReceipt(Answered):
    """How a contact's text was understood, and what to reply."""

    number_id: Annotated[Id | None, Field(description=f"{NUMBER_ID} Null where `from` is none.")]
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    position: Annotated[int | None, Field(description=POSITION)]
    recorded: Annotated[list[str], Field(description=RECORDED)]
    understood_as: Understood | None
    """What the text was read as. What YES or NO did is in `recorded`."""
    reply: ReplyToSend | None
    """The text to send, or null: then send none."""
    review_id: str | None
    """The review that the text opened, for a person to judge."""
    kept_for_review: bool = False
    """Whether the text was only kept, as `from` is no number that can be read."""


class ConsentRequestReceipt(Receipt):
    """A request for consent, to be sent now."""

    request_id: str
    """The request's id; it serves as `message_id` in carrier reports."""
    text: str
    """The text to send to the contact."""


class CarrierReceipt(Receipt):
    """How a delivery report was classified."""

    class_: Annotated[DeliveryClass, Field(alias="class")]
    """What the report means for the number."""
    known_code: bool
    """Whether the code is in the ledger's table; an unknown one suppresses nothing."""


class RowProblem(Answered):
    """Why a row was not recorded."""

    status: int
    """The status that the row would have got by itself."""
    code: str
    """The code of the problem."""
    detail: str
    """The same as a sentence."""
    errors: list[FieldError] = []
    """What is wrong with each field, by pointers into the row."""
    source: str | None = None
    """Of `opt-in-forbidden`: who opted the number out."""


class RowError(Answered):
    """A row that was not recorded."""

    error: RowProblem
    """What is wrong with it."""


class BatchReceipt(Answered):
    """A verdict for each row."""

    results: list[Receipt | RowError]
    """In the order of the rows: what was recorded, or an `error`."""


class Review(Answered):
    """Words that may mean STOP, and wait for a person."""

    review_id: str
    """The id by which the verdict is given."""
    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    occurred_at: Moment
    """When the contact said it."""


class ReviewPage(Items[Review]):
    """Reviews that are open. A page may be longer than `limit`: a number's go together."""


class UnreadableSender(Answered):
    """A text whose sender is no phone number: it is on no record."""

    kept_id: str
    """The id by which it is filed away."""
    sender: str
    """Who it is from, as it came."""
    text: str
    """What it says."""
    received_at: Moment
    """When it came in."""


class UnreadableSenderPage(Items[UnreadableSender]):
    """Texts that wait for a person."""


class FiledAway(Answered):
    """A text that was read: its sender and its words are deleted."""

    kept_id: str
    """The text's id."""
    done: bool
    """True."""


class WebhookReplies(Answered):
    """The texts to send, for a provider that takes no reply in the answer."""

    replies: list[ReplyToSend]
    """None, one, or one for each text of the request."""


class Health(Answered):
    """The service answers."""

    status: str
    """`ok`."""
