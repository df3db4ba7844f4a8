"""Where a number stands, what happened to it, and who is opted out (contract section 6)."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.answers.base import (
    NUMBER_ID,
    NUMBER_VERSION,
    POSITION,
    Answered,
    Day,
    Id,
    Items,
    Moment,
)
from consent_ledger.words import ActorKind, Basis, Channel, Consent, Preference, Source


class StandingOptOut(Answered):
    """An opt-out that stands."""

    source: Source
    """Who opted the number out."""
    since: Moment
    """Since when."""
    by: str | None
    """The person who recorded it, by an opaque id."""


class Standing(Answered):
    """What is true of a number."""

    opted_out: bool
    """Whether any opt-out stands."""
    opt_out_source: Source | None
    """Whose opt-out stands; of several the one that is hardest to lift."""
    do_not_text: bool
    """Whether an opt-out stands, or words that may mean one wait for a person."""
    consent: Consent | None
    """Where consent stands for `conversation`."""
    consents: dict[str, Consent]
    """Where consent stands for each purpose."""
    status_label: str | None
    """The state for `conversation`, as people read it."""
    status_labels: dict[str, str]
    """The same for each purpose."""
    opt_outs: list[StandingOptOut]
    """Every opt-out that stands, the hardest to lift first."""
    blocked_purposes: list[str]
    """Purposes that staff blocked."""
    preferences: dict[str, Preference]
    """What each system of record says of marketing."""
    stopped_purposes: list[str]
    """Purposes that a STOP ended, under a policy that lets it end only some."""
    time_zone: str | None
    """Where the contact lives, if that was recorded."""
    request_pending: bool
    """Whether a request for consent waits for its answer."""
    reviews: int
    """How many replies wait for a person."""


class NumberNow(Standing):
    """A number by its id, and where it stands now."""

    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    known: bool
    """Whether anything was ever recorded of it."""
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    position: Annotated[int, Field(description=POSITION)]
    answered_at: Moment
    """The instant that the answer is of."""
    held_messages: int
    """How many texts to it are held."""


class NumberThen(Standing):
    """Where a number stood at a moment."""

    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    known: bool
    """Whether anything was recorded of it by then."""
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    as_of: Moment | None
    """The moment asked about."""
    known_at: Moment | None
    """The moment by which it was known."""
    answered_at: Moment
    """The instant of the answer."""


class Actor(Answered):
    """Who caused an event."""

    kind: ActorKind
    """What they are to the account."""
    id: str | None
    """An opaque id of the person or key."""


class Proof(Answered):
    """Ids and digests that prove an event."""

    provider_message_id: str | None
    """The provider's id of the text."""
    file_digest: str | None
    """Digest of an imported file."""
    row: int | None
    """Row of that file."""
    form_id: str | None
    """Id of a form."""
    template_version: str | None
    """Version or digest of the wording that was shown."""
    disclosure_digest: str | None
    """Digest of a disclosure that was shown."""
    text_digest: str | None
    """Keyed digest of words that are kept apart from the event."""


class Event(Answered):
    """One fact, with who, when and why."""

    event_id: str
    """The event's id."""
    type: str
    """Its type, such as `StopReceived`."""
    number_version: int
    """Its place among the events of the number, or of the account."""
    position: int | None
    """Its place in the ledger."""
    occurred_at: Moment
    """When it happened."""
    occurred_at_basis: Basis
    """Whose clock says so."""
    claimed_occurred_at: Moment | None
    """A time that was given and not believed, as it lay in the future or before 1970."""
    recorded_at: Moment
    """When the ledger stored it."""
    actor: Actor
    """Who caused it."""
    channel: Channel
    """The way it reached the ledger."""
    sending_number_id: Id | None
    """The account's number that took part."""
    location_id: str | None
    """The account's location that took part."""
    message_id: str | None
    """The sender's id of the text that it is about."""
    in_reply_to: str | None
    """The event that it answers."""
    policy_version: int
    """The policy in force when it was recorded."""
    account_version: int
    """The version of the account's set-up that it was decided under."""
    lexicon_version: str | None
    """The word lists that a reply was read with."""
    evidence: Proof | None
    """What proves it."""
    correlation_id: str | None
    """The caller's own thread through several requests."""
    causation_id: str | None
    """The event that led to it."""
    data: dict[str, Any]
    """What it says, by its type: docs/reference/events.md has the fields of each."""


class EventWithWords(Event):
    """An event of a history."""

    words: str | None
    """What was said or given as a reason, while it is kept."""


class HistoryPage(Items[EventWithWords]):
    """A number's events, in the order in which they were recorded."""


class OptOut(Answered):
    """An opt-out of the report."""

    source: Source
    """Who opted the number out."""
    since: Moment
    """Since when."""
    by: str | None
    """The person who recorded it, by an opaque id."""
    reason: str | None
    """The reason given, or the contact's words, while they are kept."""
    channel: Channel
    """The way it reached the ledger."""
    purposes: list[str] | None
    """The purposes that a STOP ended; null is every purpose."""
    event_id: str
    """The event that it rests on."""


class OptedOutNumber(OptOut):
    """An opted-out number, with the opt-out that is hardest to lift."""

    number: str | None
    """The number; null where the person was erased."""
    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    opt_in_allowed: bool
    """Whether `POST /v1/opt-ins` would take it back."""
    opt_outs: list[OptOut]
    """Every opt-out that stands, the hardest to lift first."""


class OptOutPage(Items[OptedOutNumber]):
    """A page of the report."""

    position: Annotated[int, Field(description=POSITION)]


class OptOutCount(Answered):
    """How many numbers were opted out on a day by a source."""

    day: Day
    """The day, by UTC."""
    source: Source
    """Who opted them out."""
    numbers: int
    """How many."""


class OptOutSummary(Answered):
    """The opt-outs that stand, counted."""

    items: list[OptOutCount]
    """The latest day first."""
    position: Annotated[int, Field(description=POSITION)]
