"""Texts that wait, or waited: what the facts on a message add up to (contract section 5)."""

from typing import Final, cast
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.decision import Question
from consent_ledger.standing import Standing
from consent_ledger.words import MessageState, Preference

Asked = f.MessagePermitted | f.MessageDeferred | f.MessageRefused | f.MessageNeedsConfirmation

ASKED_STATES: Final[dict[type[f.Fact], MessageState]] = {
    f.MessagePermitted: MessageState.PERMITTED,
    f.MessageDeferred: MessageState.DEFERRED,
    f.MessageRefused: MessageState.REFUSED,
    f.MessageNeedsConfirmation: MessageState.NEEDS_CONFIRMATION,
}
ENDED_STATES: Final[dict[type[f.Fact], MessageState]] = {
    f.MessageReleased: MessageState.RELEASED,
    f.MessageCancelled: MessageState.CANCELLED,
    f.MessageExpired: MessageState.EXPIRED,
}
WAITING: Final = (MessageState.DEFERRED, MessageState.NEEDS_CONFIRMATION)


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text that waits, or waited: what was asked, at which event and instant, and its fate."""

    message_id: str
    state: MessageState
    version: int
    asked_at: int
    asked: Asked
    location: str | None = None
    sending_number_id: UUID | None = None
    policy_version: int = 0
    claimed_by: str | None = None
    ended_at: int | None = None

    @property
    def question(self) -> Question:
        """The question it was asked with, the contact's other numbers apart."""
        return Question(
            purpose=self.asked.purpose,
            location=self.location,
            sending_number_id=self.sending_number_id,
            sent_by=self.asked.sent_by,
            manual=self.asked.manual,
            confirmed=self.asked.confirmed,
            time_zone=self.asked.time_zone,
        )

    def is_expired(self, at: int) -> bool:
        """Whether it still waits and has outlived its expiry."""
        expires_at = self.asked.expires_at
        return self.state in WAITING and expires_at is not None and expires_at <= at

    def is_barred(self, standing: Standing) -> bool:
        """Whether it must never go (R-F1, R-F4, R-F8)."""
        asked = self.asked
        return standing.bars_held(asked.purpose, asked.needs_consent, self.asked_at)

    def may_be_ready(self, standing: Standing) -> bool:
        """Whether the number's facts leave it a chance to go; the policy then decides.

        False only where no policy could let it go, or only one later than it was asked under. A
        review is the policy's to judge: it may exempt the purpose (R-K4).
        """
        purpose = self.asked.purpose
        barred = standing.opt_out_from(purpose) is not None
        if self.state is not MessageState.DEFERRED or barred:
            return False
        if purpose in standing.blocks:
            return False
        said = standing.strictest_preference()
        presumed = said is not None and said[0] is Preference.CONSENTED
        granted = standing.strongest_grant(purpose) is not None
        return granted or presumed or not self.asked.needs_consent


def evolve_held(held: dict[str, Held], event: f.Event) -> None:
    """Applies an event to the texts of its number, by message id, in place."""
    fact, message_id = event.fact, event.context.message_id
    if message_id is None:
        return
    asked = ASKED_STATES.get(type(fact))
    if asked is not None:
        if asked in WAITING or message_id in held:
            held[message_id] = _asked(event, asked, message_id)
    elif type(fact) in ENDED_STATES and message_id in held:
        held[message_id] = _ended(held[message_id], event)


def _asked(event: f.Event, state: MessageState, message_id: str) -> Held:
    return Held(
        message_id=message_id,
        state=state,
        version=event.originator_version,
        asked_at=event.context.at,
        asked=cast(Asked, event.fact),
        location=event.context.location_id,
        sending_number_id=event.context.sending_number_id,
        policy_version=event.context.policy_version,
    )


def _ended(message: Held, event: f.Event) -> Held:
    fact = event.fact
    claimant = fact.claimed_by if isinstance(fact, f.MessageReleased) else None
    return replace(
        message,
        state=ENDED_STATES[type(fact)],
        claimed_by=claimant,
        ended_at=event.context.at,
    )
