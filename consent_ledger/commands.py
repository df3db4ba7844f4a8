"""What the ledger can be told, and the one question that is recorded: imperative, frozen.

Commands carry ids and digests, no number and no text. Times are microseconds since 1970, UTC.
"""

from uuid import UUID

import msgspec

from consent_ledger.decision import Question
from consent_ledger.facts import Evidence
from consent_ledger.words import (
    ActorKind,
    Basis,
    Channel,
    Level,
    Method,
    Preference,
    Source,
    Verdict,
)


class Told(msgspec.Struct, frozen=True):
    """Who tells the ledger, when it happened (`at`, None for now) and by whose clock."""

    actor: ActorKind
    channel: Channel = Channel.API
    actor_id: str | None = None
    at: int | None = None
    basis: Basis = Basis.SENDER
    evidence: Evidence | None = None
    correlation_id: str | None = None


class Command(msgspec.Struct, frozen=True):
    """Something to be recorded on one number."""

    told: Told


class HearText(Command, frozen=True):
    """The contact texted; the words come beside the command, and are read with the account's own
    lists at the version it has then (R-K2)."""

    media_count: int = 0
    sending_number_id: UUID | None = None
    answered_by_provider: bool = False


class ReceiveText(Command, frozen=True):
    """The contact texted; what it reads as was settled by the lexicon (rulebook section 6).

    `language` is that of the word that matched, where it is certain.
    """

    understood_as: str
    matched: str | None
    lexicon_version: str
    media_count: int = 0
    sending_number_id: UUID | None = None
    answered_by_provider: bool = False
    language: str | None = None


class GiveConsent(Command, frozen=True):
    """Consent given on the web, on paper, by voice or by import (R-F3).

    `undated`: by a row that tells no time.
    """

    purposes: tuple[str, ...]
    level: Level
    method: Method
    undated: bool = False


class DeclineConsent(Command, frozen=True):
    """The contact had declined these purposes, or everything, says an imported list (R-V6)."""

    purposes: tuple[str, ...] = ()


class RequestConsent(Command, frozen=True):
    """Ask for consent by hand (R-F9); `purposes` empty: all that need it, marketing apart."""

    purposes: tuple[str, ...] = ()
    location: str | None = None
    sent_by: str | None = None


class OptOut(Command, frozen=True):
    """Opt a number out, on whose account (R-F5, R-F6)."""

    source: Source = Source.AGENT


class OptIn(Command, frozen=True):
    """An admin takes back the agent's opt-out (R-F6)."""


class ReportDelivery(Command, frozen=True):
    """The fate of a text, classified (R-F7). `refers_to`: the event that sent the text."""

    provider: str
    code: str
    delivery_class: str
    message_id: str | None = None
    refers_to: int | None = None


class BlockPurpose(Command, frozen=True):
    """Put a number on the blocked list for a purpose, or take it off (R-B1)."""

    purpose: str
    blocked: bool


class RecordPreference(Command, frozen=True):
    """What a system of record says of marketing (R-B2, R-B3)."""

    system: str
    value: Preference


class RecordTimeZone(Command, frozen=True):
    """Where the contact lives, as a time zone of the IANA database; None takes it back (row 14)."""

    time_zone: str | None


class Reassign(Command, frozen=True):
    """The number was disconnected on this day, ISO 8601 (R-F8)."""

    disconnected_on: str


class Judge(Command, frozen=True):
    """A person's verdict on the words at event `refers_to` (R-K4, R-F10)."""

    refers_to: int
    verdict: Verdict


class AskMessage(Command, frozen=True):
    """May this text go? The answer is recorded, and the text held where it may go later."""

    message_id: str
    question: Question
    expires_at: int | None = None


class ReleaseMessage(Command, frozen=True):
    """Hand a held text to one claimant, if it may go now.

    `anew`: a text that this claimant has already is refused, rather than answered once more.
    """

    message_id: str
    claimed_by: str
    anew: bool = False


class CancelMessage(Command, frozen=True):
    """The sender takes a held text back."""

    message_id: str


class RetractFact(Command, frozen=True):
    """The fact at this version never counted: it compensates an import."""

    version: int


class ErasePerson(Command, frozen=True):
    """Delete the number and the words; keep the facts (rulebook section 9)."""
