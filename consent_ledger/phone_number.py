"""The aggregate: one number of one account. A command in, facts out, or a refusal.

Rules decide here; the fold only applies. Nothing here reads a clock or a database: the writer
brings what a command needs, and the instant.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import Account
from consent_ledger.commands import Command, Told
from consent_ledger.decision import Decision
from consent_ledger.held import Held, evolve_held
from consent_ledger.moments import EARLIEST
from consent_ledger.policy import PolicyVersion
from consent_ledger.snapshot import HistoryNeededError, Snapshot
from consent_ledger.standing import CLOCK_MARGIN, Standing
from consent_ledger.words import ActorKind, Basis, Channel, MessageState, Source

FUTURE_TOLERANCE: Final = CLOCK_MARGIN
"""How far ahead of the ledger's clock a fact may claim to be (R-O3)."""


class RefusedError(Exception):
    """A command that the rules refuse; nothing was recorded.

    `code` is the stable name of the refusal, `field` where in the input it lies, if anywhere;
    `number_id` is the number that a `decision` is about.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        reason: str | None = None,
        source: Source | None = None,
        decision: Decision | None = None,
        number_id: UUID | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.reason = reason
        self.source = source
        self.decision = decision
        self.number_id = number_id


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a command is answered with, beside what was recorded. Without number; it is kept so
    that a repetition gets the same answer."""

    understood_as: str | None = None
    reply: str | None = None
    text: str | None = None
    review: int | None = None
    request: int | None = None
    delivery_class: str | None = None
    decision: Decision | None = None
    state: MessageState | None = None
    purpose: str | None = None


class PhoneNumber:
    """One number while one command is handled.

    `id`, `version` and `collect_events` are the eventsourcing library's aggregate protocol.
    `history` is the whole stream, brought only where a late fact needs it; `held` the texts that
    wait; `referred` the event that the command refers to; `contacts` where the other numbers of
    the contact stand, for a text that was asked about with them (R-M5).
    """

    def __init__(
        self,
        number_id: UUID,
        account: Account,
        snapshot: Snapshot,
        now: int,
        *,
        history: Iterable[f.Event] | None = None,
        held: Mapping[str, Held] | None = None,
        referred: f.Event | None = None,
        contacts: tuple[tuple[UUID, Standing], ...] = (),
    ) -> None:
        self.id = number_id
        self.account = account
        self.snapshot = snapshot
        self.history = None if history is None else list(history)
        self.held = dict(held or {})
        self.referred = referred
        self.contacts = contacts
        self.recorded_at = max(now, snapshot.clock + 1)
        self.pending_events: list[f.Event] = []
        self._instant = self.recorded_at - 1
        self._taken = self._instants()

    @property
    def version(self) -> int:
        """The version of the latest event, pending ones included."""
        return self.snapshot.version

    @property
    def standing(self) -> Standing:
        """What is true of the number now."""
        return self.snapshot.standing

    @property
    def policy(self) -> PolicyVersion:
        """The policy that holds now."""
        return self.account.policy_at(self.recorded_at)

    def collect_events(self) -> list[f.Event]:
        """The events that were triggered and not yet collected."""
        events, self.pending_events = self.pending_events, []
        return events

    def instant(self) -> int:
        """An instant of the ledger's clock that no other fact of the number has (R-O2)."""
        self._instant += 1
        while self._instant in self._taken:
            self._instant += 1
        return self._instant

    def context(self, told: Told, *, contacts_words: bool = False) -> f.Context:
        """The envelope of a fact that was told, at the time it happened (R-O0, R-O3)."""
        basis = told.basis if told.at is not None else Basis.LEDGER
        at, claimed = told.at, None
        if at is not None and (doubt := self._doubt(at)) is not None:
            if not contacts_words:
                raise doubt
            at, claimed, basis = None, at, Basis.LEDGER
        return f.Context(
            at=self.instant() if at is None else at,
            basis=basis,
            actor=told.actor,
            channel=told.channel,
            policy_version=self.policy.version,
            account_version=self.account.version,
            actor_id=told.actor_id,
            claimed_at=claimed,
            evidence=told.evidence,
            correlation_id=told.correlation_id,
        )

    def _doubt(self, at: int) -> RefusedError | None:
        """Why nothing can have happened at such a time."""
        if at > self.recorded_at + FUTURE_TOLERANCE:
            code = "occurred-at-in-future"
            detail = "A fact may not lie more than 5 minutes in the future."
        elif at < EARLIEST:
            code, detail = "time-too-early", "No text was sent before 1970."
        else:
            return None
        return RefusedError(code, detail, field="occurred_at")

    def own_context(self, cause: str | None = None) -> f.Context:
        """The envelope of a fact that the ledger itself adds."""
        told = Told(actor=ActorKind.LEDGER, channel=Channel.SMS)
        return replace(self.context(told), causation_id=cause)

    def trigger(self, fact: f.Fact, context: f.Context) -> f.Event:
        """Adds a fact to the number; HistoryNeededError where it is too late for the window."""
        event = f.Event(
            originator_id=self.id,
            originator_version=self.version + 1,
            account_id=self.account.account_id,
            recorded_at=self.recorded_at,
            context=context,
            fact=fact,
        )
        self.snapshot = self._absorb(event)
        self.pending_events.append(event)
        evolve_held(self.held, event)
        return event

    def cancel_barred(self, cause: f.Event) -> None:
        """Cancels every held text that must never go now (R-F1, R-F4, R-F8)."""
        for message in list(self.held.values()):
            if message.state is MessageState.DEFERRED and message.is_barred(self.standing):
                self.end(message, f.MessageCancelled(cause=cause.topic), cause.event_id)

    def end(self, message: Held, fact: f.Fact, cause: str | None = None) -> f.Event:
        """Ends the wait of a held text."""
        context = replace(self.own_context(cause), message_id=message.message_id)
        return self.trigger(fact, context)

    def _absorb(self, event: f.Event) -> Snapshot:
        if self.history is not None:
            self.history.append(event)
            return self.snapshot.absorb_late(self.history)
        return self.snapshot.absorb(event)

    def _instants(self) -> set[int]:
        if self.history is not None:
            return {event.context.at for event in self.history}
        if self.snapshot.is_late(self.recorded_at):
            raise HistoryNeededError
        return {item.at for item in self.snapshot.tail}


def named(command: Command) -> str:
    """The command's name, for logs and metrics."""
    return type(command).__name__
