"""Decisions (contract section 3)."""

from typing import Annotated

from pydantic import Field

from api.schemas.answers.base import (
    NUMBER_ID,
    NUMBER_VERSION,
    POSITION,
    Answered,
    FieldError,
    Id,
    Moment,
)
from consent_ledger.words import Answer, Consent, LiftedBy, Reason, Source


class EventReference(Answered):
    """An event that a decision rests on."""

    event_id: str
    """The id by which the history and the feed show it."""
    type: str
    """The event's type, such as `StopReceived`."""
    occurred_at: Moment
    """The time at which it counts. A verdict counts when the words were said and a delivery report
    when its text went out, as the history tells beside when they were given; all else counts when
    it happened."""


class Decided(Answered):
    """The fields of a decision."""

    may_text: bool
    """Whether the text may go now. True for `allow` alone."""
    decision: Answer
    """Go, not yet, a person has to say yes, or no."""
    reason: Reason
    """The one rule that decided."""
    explanation: str
    """The reason as a sentence for people."""
    lifted_by: LiftedBy | None
    """Who or what can change the answer; null for a yes."""
    source: Source | None
    """Who opted the number out, where that decided."""
    since: Moment | None
    """Since when what decided has stood."""
    not_before: Moment | None
    """When permitted hours begin; of `quiet_hours` alone."""
    consent: Consent
    """Where consent stands for the purpose asked."""
    opted_out: bool
    """Whether any opt-out stands."""
    opt_out_source: Source | None
    """Whose opt-out stands; of several the one that is hardest to lift."""
    do_not_text: bool
    """Whether an opt-out stands, or words that may mean one wait for a person."""
    status_label: str
    """The state of consent as people read it, such as `Pending Authorization`."""
    purpose: str
    """The purpose that was asked about."""
    policy_version: int
    """The version of the policy that decided."""
    evidence: list[EventReference]
    """The events that it rests on."""


class CheckAnswer(Decided):
    """The answer to “may I text this number?”."""

    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    position: Annotated[int, Field(description=POSITION)]
    answered_at: Moment
    """The instant that the answer is of, by the ledger's clock."""
    as_of: Moment | None = None
    """The moment asked about; of a question about the past alone."""
    known_at: Moment | None = None
    """The moment by which it was known; of a question about the past alone."""


class ItemUnread(Answered):
    """Why an item has no answer."""

    code: str
    """`number-unparseable`, or `invalid-body` where the item does not fit."""
    detail: str
    """The same as a sentence."""
    errors: list[FieldError] = []
    """What is wrong with each field, by pointers into the item; the first hundred."""


class BatchItemAnswer(Decided):
    """The answer for one item; `position` is told once for all."""

    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    answered_at: Moment
    """The instant that the answer is of: the same for all items."""
    correlation_id: str | None = None
    """The item's own, where it had one."""


class BatchItemError(Answered):
    """An item that cannot be read: do not text it."""

    error: ItemUnread
    """What is wrong with it."""
    correlation_id: str | None = None
    """The item's own, where it had one."""


class BatchAnswer(Answered):
    """The answers, in the order of the items, from one consistent look."""

    results: list[BatchItemAnswer | BatchItemError]
    """One for each item: an answer, or an `error`."""
    position: Annotated[int, Field(description=POSITION)]


class ContactNumber(Answered):
    """One number of a contact."""

    number: str
    """The number, as it was sent."""
    opted_out: bool
    """Whether any opt-out stands on it; also where its record cannot be read."""
    opt_out_source: Source | None
    """Whose opt-out stands; of several the one that is hardest to lift."""
    consent: Consent
    """Where consent stands for `conversation`."""


class ContactAnswer(Answered):
    """Whether a contact is opted out."""

    opted_out: bool
    """Whether any of the numbers is."""
    numbers: list[ContactNumber]
    """The numbers, in the order in which they were sent."""
