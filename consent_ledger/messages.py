"""Texts that a sender asks about: decided, held, released to one claimant (contract section 5)."""

from typing import Final

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.commands import AskMessage, CancelMessage, ReleaseMessage
from consent_ledger.decision import Decision, Question, UnknownPurposeError, decide
from consent_ledger.held import ASKED_STATES, WAITING, Held
from consent_ledger.phone_number import Answered, PhoneNumber, RefusedError
from consent_ledger.requests import automatic_request
from consent_ledger.words import Answer, MessageState, Reason

ASKED: Final[dict[Answer, type[f.MessageAsked]]] = {
    Answer.ALLOW: f.MessagePermitted,
    Answer.DEFER: f.MessageDeferred,
    Answer.CONFIRM: f.MessageNeedsConfirmation,
    Answer.DENY: f.MessageRefused,
}


def ask(number: PhoneNumber, command: AskMessage) -> Answered:
    """Decides about a text and records the answer; a deferral asks for consent too (R-M1)."""
    question = replace(command.question, contacts=number.contacts)
    policy = number.policy.policy
    if question.manual and question.sent_by is None and not policy.unnamed_users_may_text:
        raise RefusedError(
            "sent-by-required", "This account asks who sends a manual text.", field="sent_by"
        )
    before = number.held.get(command.message_id)
    if before is not None and not _decides_anew(number, before, question):
        return _as_it_is(number, before)
    if command.expires_at is not None and command.expires_at <= number.recorded_at:
        raise RefusedError(
            "expires-at-in-past", "The text would have expired already.", field="expires_at"
        )
    decision = decide(number.standing, question, number.account, number.recorded_at)
    kind = ASKED[decision.answer]
    event = number.trigger(_asked(number, command, decision, kind), _context(number, command))
    answer = Answered(decision=decision, state=ASKED_STATES[kind])
    if decision.reason is Reason.CONSENT_REQUIRED and decision.answer is Answer.DEFER:
        return automatic_request(number, answer, question, event)
    return answer


def _decides_anew(number: PhoneNumber, message: Held, question: Question) -> bool:
    """Only a text that waits for a person's yes, and got it in time, is decided anew."""
    confirms = message.state is MessageState.NEEDS_CONFIRMATION and question.confirmed
    return confirms and not message.is_expired(number.recorded_at)


def _as_it_is(number: PhoneNumber, message: Held) -> Answered:
    """A text that was asked about before: its fate is no other for asking again (R-F1)."""
    decision, state = _decide_again(number, message), message.state
    if message.is_expired(number.recorded_at):
        number.end(message, f.MessageExpired())
        state = MessageState.EXPIRED
    return Answered(decision=decision, state=state, purpose=message.asked.purpose)


def _asked(
    number: PhoneNumber, command: AskMessage, decision: Decision, kind: type[f.MessageAsked]
) -> f.MessageAsked:
    question, before = command.question, number.held.get(command.message_id)
    return kind(
        purpose=question.purpose,
        reason=decision.reason,
        sent_by=question.sent_by,
        manual=question.manual,
        confirmed=question.confirmed,
        needs_consent=number.policy.policy.purposes[question.purpose].needs_consent,
        contacts=tuple(number_id for number_id, _ in number.contacts),
        expires_at=before.asked.expires_at if before is not None else command.expires_at,
        not_before=decision.not_before,
        again=before is not None,
        time_zone=question.time_zone,
    )


def _context(number: PhoneNumber, command: AskMessage) -> f.Context:
    return replace(
        number.context(command.told),
        message_id=command.message_id,
        location_id=command.question.location,
        sending_number_id=command.question.sending_number_id,
    )


def release(number: PhoneNumber, command: ReleaseMessage) -> Answered:
    """Hands a held text to one claimant, decided again at this instant."""
    message = _held(number, command.message_id)
    if message.state is MessageState.RELEASED:
        if message.claimed_by != command.claimed_by or command.anew:
            raise RefusedError("already-released", "The text was handed out to a claimant.")
        return Answered(state=message.state, purpose=message.asked.purpose)
    if message.is_expired(number.recorded_at) or message.state is not MessageState.DEFERRED:
        return _as_it_is(number, message)
    decision = _decide_again(number, message)
    if message.is_barred(number.standing) or not decision.may_text:
        return Answered(decision=decision, state=message.state, purpose=message.asked.purpose)
    number.end(message, f.MessageReleased(command.claimed_by))
    return Answered(state=MessageState.RELEASED, purpose=message.asked.purpose)


def _decide_again(number: PhoneNumber, message: Held) -> Decision:
    question = replace(message.question, contacts=number.contacts)
    try:
        return decide(number.standing, question, number.account, number.recorded_at)
    except UnknownPurposeError:
        raise RefusedError(
            "not-releasable", "The account no longer has the purpose of this text."
        ) from None


def cancel(number: PhoneNumber, command: CancelMessage) -> Answered:
    """The sender takes a held text back; again is no error, after its release it is."""
    message = _held(number, command.message_id)
    if message.state is MessageState.RELEASED:
        raise RefusedError("already-released", "The text was handed out and cannot be taken back.")
    if message.state in (MessageState.CANCELLED, MessageState.EXPIRED):
        return Answered(state=message.state, purpose=message.asked.purpose)
    if message.state not in WAITING:
        raise RefusedError("not-releasable", "This text was decided and does not wait.")
    number.end(message, f.MessageCancelled(cause="sender"))
    return Answered(state=MessageState.CANCELLED, purpose=message.asked.purpose)


def _held(number: PhoneNumber, message_id: str) -> Held:
    try:
        return number.held[message_id]
    except KeyError:
        raise RefusedError("not-releasable", "This text was never held.") from None
