"""What a contact's text does to a number: a fact that says what it meant, and perhaps a reply."""

from typing import Final

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger import replies
from consent_ledger.commands import ReceiveText
from consent_ledger.phone_number import Answered, PhoneNumber
from consent_ledger.standing import Standing
from consent_ledger.words import ReplyKind, RevokeScope, Source

WORDS: Final[dict[str, type[f.Words]]] = {
    "start": f.StartReceived,
    "help": f.HelpRequested,
    "decline": f.ConsentDeclined,
    "yes": f.AffirmativeReceived,
    "no": f.NegativeReceived,
}
"""The words that say all there is to say by themselves."""


def receive_text(number: PhoneNumber, command: ReceiveText) -> Answered:
    """Records what a contact texts, and the reply that it asks for."""
    before, known = number.standing, number.snapshot.known
    context = replace(
        number.context(command.told, contacts_words=True),
        sending_number_id=command.sending_number_id,
        location_id=_location(number, command),
        lexicon_version=command.lexicon_version,
    )
    event = number.trigger(_words(number, command, context.at), context)
    number.cancel_barred(event)
    kind = None
    if not command.answered_by_provider:
        kind = _reply_kind(number, command, before, known, context)
    review = event.originator_version if isinstance(event.fact, f.RevocationSuspected) else None
    answered = Answered(understood_as=command.understood_as, review=review)
    return _with_reply(number, answered, kind, event, command.language)


def _location(number: PhoneNumber, command: ReceiveText) -> str | None:
    found = number.account.sending_numbers.get(str(command.sending_number_id))
    return found.location_id if found else None


def _words(number: PhoneNumber, command: ReceiveText, at: int) -> f.Words:
    policy = number.policy.policy
    matched, media = command.matched, command.media_count
    match command.understood_as:
        case "stop":
            ended = _ended_by_stop(number, command, at)
            return f.StopReceived(matched=matched, media_count=media, purposes=ended)
        case "consent":
            return f.ConsentGranted(
                matched=matched, media_count=media, purposes=policy.consent_purposes
            )
        case "suspected_revocation":
            return f.RevocationSuspected(
                matched=matched, media_count=media, ends_request=policy.other_words_end_request
            )
        case "other":
            return f.ReplyNotUnderstood(
                matched=matched, media_count=media, ends_request=policy.other_words_end_request
            )
        case word:
            return WORDS[word](matched=matched, media_count=media)


def _ended_by_stop(number: PhoneNumber, command: ReceiveText, at: int) -> tuple[str, ...]:
    """What a STOP ends under the policy of its time: nothing named is everything (section 8).

    Where it is not known what the sending number serves, the contact means everything.
    """
    policy = number.account.policy_at(at).policy
    answered = number.account.sending_numbers.get(str(command.sending_number_id))
    if policy.revoke_scope is RevokeScope.ALL or answered is None:
        return ()
    everything = set(answered.purposes) >= set(policy.purposes)
    return () if everything else tuple(sorted(answered.purposes))


def _reply_kind(
    number: PhoneNumber,
    command: ReceiveText,
    before: Standing,
    known: bool,
    context: f.Context,
) -> ReplyKind | None:
    after, policy = number.standing, number.policy.policy
    pending = before.waits_at(context.at)
    match command.understood_as:
        case "stop":
            return replies.after_stop(before, after, context.at, number.recorded_at)
        case "help":
            return ReplyKind.HELP
        case "consent":
            return replies.after_opening(before, after, number.snapshot, _stop_id(number))
        case "start":
            return replies.after_start(before, after)
        case "decline" | "suspected_revocation":
            return None
        case "no" if pending:
            return None
        case "yes" if pending:
            kind = replies.after_opening(before, after, number.snapshot, None)
        case "yes":
            kind = replies.after_start(before, after)
        case _:
            kind = None
    return kind or replies.after_other(pending, after, known, policy)


def _stop_id(number: PhoneNumber) -> str | None:
    stop = number.standing.opt_out_by(Source.CONTACT)
    return f.event_id(number.id, stop.mark.version) if stop else None


def _with_reply(
    number: PhoneNumber,
    answer: Answered,
    kind: ReplyKind | None,
    event: f.Event,
    language: str | None,
) -> Answered:
    if kind is None or not replies.may_reply(kind, number.snapshot, number.recorded_at):
        return answer
    text = replies.text_of(kind, number.account, event.context.location_id, language)
    cause = _stop_id(number) if kind is ReplyKind.HOW_TO_OPT_IN else event.event_id
    context = replace(
        number.own_context(cause),
        in_reply_to=event.event_id,
        evidence=f.Evidence(template_version=replies.digest_of(text)),
    )
    number.trigger(f.ReplyIssued(kind), context)
    return replace(answer, reply=str(kind), text=text)
