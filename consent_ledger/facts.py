"""The facts on a number: past tense, immutable, without personal data (rulebook section 2).

An event is a fact with its context. Its stored form is for ever: the short wire names and the
tags below may be added to, and never change their meaning. Times are microseconds since 1970,
UTC.
"""

from uuid import UUID

import msgspec

from consent_ledger.words import (
    ActorKind,
    Basis,
    Channel,
    Level,
    Method,
    Preference,
    Reason,
    ReplyKind,
    Source,
)


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What proves a fact: opaque ids and digests, never the thing itself."""

    provider_message_id: str | None = msgspec.field(default=None, name="p")
    file_digest: str | None = msgspec.field(default=None, name="f")
    row: int | None = msgspec.field(default=None, name="r")
    form_id: str | None = msgspec.field(default=None, name="i")
    template_version: str | None = msgspec.field(default=None, name="v")
    disclosure_digest: str | None = msgspec.field(default=None, name="d")
    text_digest: str | None = msgspec.field(default=None, name="t")


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The envelope of a fact: when, by whom, through what, under which rules.

    `at` is `occurred_at`, by the clock that `basis` names; `claimed_at` is a time that the ledger
    did not believe (R-O3). `account_version` says under which set-up of the account it was decided.
    """

    at: int = msgspec.field(name="o")
    basis: Basis = msgspec.field(name="b")
    actor: ActorKind = msgspec.field(name="k")
    channel: Channel = msgspec.field(name="c")
    policy_version: int = msgspec.field(name="y")
    account_version: int = msgspec.field(name="a")
    actor_id: str | None = msgspec.field(default=None, name="i")
    claimed_at: int | None = msgspec.field(default=None, name="q")
    sending_number_id: UUID | None = msgspec.field(default=None, name="s")
    location_id: str | None = msgspec.field(default=None, name="l")
    message_id: str | None = msgspec.field(default=None, name="m")
    in_reply_to: str | None = msgspec.field(default=None, name="r")
    lexicon_version: str | None = msgspec.field(default=None, name="x")
    evidence: Evidence | None = msgspec.field(default=None, name="e")
    correlation_id: str | None = msgspec.field(default=None, name="g")
    causation_id: str | None = msgspec.field(default=None, name="h")


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="t"):
    """What happened. The tag is the fact's short stable name on the wire."""


class Words(Fact, frozen=True):
    """What the contact said by text: `matched` is the word of the lexicon, never the text."""

    matched: str | None = msgspec.field(default=None, name="w")
    media_count: int = msgspec.field(default=0, name="n")


class StopReceived(Words, frozen=True, tag="stop"):
    """The contact asked for texts to stop (R-F1).

    `purposes` is what the policy of its time let it end, where it answered a number that serves
    only some (section 8, `revoke_scope`); empty is everything.
    """

    purposes: tuple[str, ...] = msgspec.field(default=(), name="p")


class StartReceived(Words, frozen=True, tag="start"):
    """The contact asked for texts to start again (R-F2)."""


class AffirmativeReceived(Words, frozen=True, tag="yes"):
    """YES: what it means is read at its place in time (R-K2)."""


class NegativeReceived(Words, frozen=True, tag="no"):
    """NO: what it means is read at its place in time (R-K2)."""


class HelpRequested(Words, frozen=True, tag="help"):
    """The contact asked for help."""


class ReplyNotUnderstood(Words, frozen=True, tag="other"):
    """Any other text; `ends_request` is what the policy of its time makes of it (R-L3)."""

    ends_request: bool = msgspec.field(default=False, name="z")


class RevocationSuspected(Words, frozen=True, tag="suspect"):
    """Words that a reasonable person would read as a wish to end texts (R-K4)."""

    ends_request: bool = msgspec.field(default=False, name="z")


class ConsentDeclined(Words, frozen=True, tag="decline"):
    """DECLINE: answers the latest request before it (R-F4).

    `purposes` is what a list says was declined, `*` for everything; a list answers no request.
    """

    purposes: tuple[str, ...] = msgspec.field(default=(), name="p")


class ConsentGranted(Words, frozen=True, tag="grant"):
    """Consent, by text or otherwise (R-F3).

    By text (`method` sms) `purposes` is what it opens if nothing was ever asked; otherwise it is
    what the form named. `undated`: a list's row that tells no time. It has that of the import, and
    may be older than anything else.
    """

    method: Method = msgspec.field(default=Method.SMS, name="d")
    level: Level = msgspec.field(default=Level.EXPRESS, name="l")
    purposes: tuple[str, ...] = msgspec.field(default=(), name="p")
    undated: bool = msgspec.field(default=False, name="u")


class ConsentRequested(Fact, frozen=True, tag="ask"):
    """A request for consent goes out (R-F9); whether it re-authorises after STOP (R-L5).

    From `expires_at` on it waits no longer, by the policy of its time (R-L3).
    """

    purposes: tuple[str, ...] = msgspec.field(name="p")
    reauthorises: bool = msgspec.field(default=False, name="r")
    automatic: bool = msgspec.field(default=False, name="a")
    expires_at: int | None = msgspec.field(default=None, name="x")


class ReplyIssued(Fact, frozen=True, tag="reply"):
    """The ledger asked the sender to send this reply (R-K6)."""

    kind: ReplyKind = msgspec.field(name="k")


class RevocationConfirmed(Fact, frozen=True, tag="confirm"):
    """A person read the words at event `review`: they were a STOP, at their own time (R-F10)."""

    review: int = msgspec.field(name="v")
    words_at: int = msgspec.field(name="o")
    words_basis: Basis = msgspec.field(name="b")


class RevocationDismissed(Fact, frozen=True, tag="dismiss"):
    """A person read the words at event `review`: they were no wish to end texts."""

    review: int = msgspec.field(name="v")


class OptedOut(Fact, frozen=True, tag="optout"):
    """Opted out otherwise than by text; source `contact` where the contact asked (R-F6)."""

    source: Source = msgspec.field(name="s")


class AdminOptedIn(Fact, frozen=True, tag="optin"):
    """An admin took back the agent's opt-out (R-F6)."""


class DeliveryReported(Fact, frozen=True, tag="dlr"):
    """The fate of a text, classified (R-F7).

    `about_at` is the time of the text, if known; `request` the version of the ConsentRequested
    that the text carried, if it did.
    """

    provider: str = msgspec.field(name="p")
    code: str = msgspec.field(name="c")
    delivery_class: str = msgspec.field(name="d")
    unreachable_limit: int = msgspec.field(name="n")
    about_at: int | None = msgspec.field(default=None, name="o")
    request: int | None = msgspec.field(default=None, name="q")


class CarrierSuppressed(Fact, frozen=True, tag="carrier"):
    """The provider has the number on its own opt-out list (R-F7)."""

    provider: str = msgspec.field(name="p")
    code: str = msgspec.field(name="c")
    about_at: int | None = msgspec.field(default=None, name="o")


class PurposeBlocked(Fact, frozen=True, tag="block"):
    """Staff put the number on the blocked list for a purpose (R-B1)."""

    purpose: str = msgspec.field(name="p")


class PurposeUnblocked(Fact, frozen=True, tag="unblock"):
    """Staff took the number off the blocked list for a purpose (R-B1)."""

    purpose: str = msgspec.field(name="p")


class MarketingPreferenceRecorded(Fact, frozen=True, tag="pref"):
    """What a system of record says of marketing (R-B2, R-B3)."""

    system: str = msgspec.field(name="s")
    value: Preference = msgspec.field(name="v")


class TimeZoneRecorded(Fact, frozen=True, tag="zone"):
    """Where the contact lives, as a time zone of the IANA database; None takes it back (row 14)."""

    time_zone: str | None = msgspec.field(default=None, name="z")


class NumberReassigned(Fact, frozen=True, tag="reassign"):
    """The number was disconnected; `ends_at` is the end of that day, UTC (R-F8)."""

    disconnected_on: str = msgspec.field(name="d")
    ends_at: int = msgspec.field(name="o")


class FactRetracted(Fact, frozen=True, tag="retract"):
    """The fact at this version of the number never counted: it compensates an import."""

    version: int = msgspec.field(name="v")


class PersonalDataErased(Fact, frozen=True, tag="erase"):
    """The number and the words were deleted; the facts stay (rulebook section 9)."""


class MessageAsked(Fact, frozen=True):
    """A question about one outgoing text, with all that the answer rested on.

    `again`: it was asked before, needed confirmation, and is decided anew.
    """

    purpose: str = msgspec.field(name="p")
    reason: Reason = msgspec.field(name="r")
    sent_by: str | None = msgspec.field(default=None, name="u")
    manual: bool = msgspec.field(default=False, name="n")
    confirmed: bool = msgspec.field(default=False, name="f")
    needs_consent: bool = msgspec.field(default=False, name="c")
    contacts: tuple[UUID, ...] = msgspec.field(default=(), name="k")
    expires_at: int | None = msgspec.field(default=None, name="x")
    not_before: int | None = msgspec.field(default=None, name="b")
    again: bool = msgspec.field(default=False, name="a")
    time_zone: str | None = msgspec.field(default=None, name="z")


class MessagePermitted(MessageAsked, frozen=True, tag="permit"):
    """The text may go now."""


class MessageDeferred(MessageAsked, frozen=True, tag="defer"):
    """The text is held until it may go (R-M1)."""


class MessageRefused(MessageAsked, frozen=True, tag="refuse"):
    """The text may not go."""


class MessageNeedsConfirmation(MessageAsked, frozen=True, tag="query"):
    """The person sending has to say yes first (R-B2)."""


class MessageReleased(Fact, frozen=True, tag="release"):
    """A held text was handed to one claimant."""

    claimed_by: str = msgspec.field(name="c")


class MessageCancelled(Fact, frozen=True, tag="cancel"):
    """A held text will never go; `cause` is a reason, or `sender` who took it back."""

    cause: str = msgspec.field(name="c")


class MessageExpired(Fact, frozen=True, tag="expire"):
    """A held text outlived its expiry."""


type_of_fact: dict[str, type[Fact]] = {
    kind.__name__: kind
    for kind in (
        StopReceived,
        StartReceived,
        AffirmativeReceived,
        NegativeReceived,
        HelpRequested,
        ReplyNotUnderstood,
        RevocationSuspected,
        ConsentDeclined,
        ConsentGranted,
        ConsentRequested,
        ReplyIssued,
        RevocationConfirmed,
        RevocationDismissed,
        OptedOut,
        AdminOptedIn,
        DeliveryReported,
        CarrierSuppressed,
        PurposeBlocked,
        PurposeUnblocked,
        MarketingPreferenceRecorded,
        TimeZoneRecorded,
        NumberReassigned,
        FactRetracted,
        PersonalDataErased,
        MessagePermitted,
        MessageDeferred,
        MessageRefused,
        MessageNeedsConfirmation,
        MessageReleased,
        MessageCancelled,
        MessageExpired,
    )
}
"""Every kind of fact on a number, by its topic."""

KINDS_OF_WORDS = frozenset(kind for kind in type_of_fact.values() if issubclass(kind, Words))
"""What a contact can say by text."""


class Event(msgspec.Struct, frozen=True):
    """A fact in its place: version `originator_version` of the number `originator_id`.

    The field names are the eventsourcing library's (DomainEventProtocol). `position` is the place
    in the whole ledger, known once the event is stored.
    """

    originator_id: UUID
    originator_version: int
    account_id: UUID
    recorded_at: int
    context: Context
    fact: Fact
    position: int | None = None

    @property
    def topic(self) -> str:
        """The stable name of the fact."""
        return type(self.fact).__name__

    @property
    def event_id(self) -> str:
        """The event's id: its stream and its place there, so that it names where to look."""
        return event_id(self.originator_id, self.originator_version)


LAST_VERSION = 2**31 - 1
"""Of any stream: a version is four bytes in the database."""


def event_id(number_id: UUID, version: int) -> str:
    """The id of the event at `version` of a number."""
    return f"{number_id.hex}-{version}"


def parse_event_id(text: str) -> tuple[UUID, int]:
    """The number and the version that an event id names; ValueError if it is none."""
    head, _, tail = text.partition("-")
    version = int(tail)
    if not 0 < version <= LAST_VERSION:
        raise ValueError("no event has this version")
    return UUID(hex=head), version
