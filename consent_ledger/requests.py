"""Requests for consent: when one may go out, and what it asks for (R-F9, R-L3, R-L5)."""

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger import replies
from consent_ledger.commands import RequestConsent, Told
from consent_ledger.consent import has_expired, live_grant
from consent_ledger.decision import Question, UnknownPurposeError, bars_before_consent
from consent_ledger.phone_number import Answered, PhoneNumber, RefusedError
from consent_ledger.policy import DAY, Policy
from consent_ledger.standing import Standing
from consent_ledger.wording import CONSENT_REQUEST, DISCLOSURE
from consent_ledger.words import ActorKind, Channel, Purpose, Reason


def automatic_request(
    number: PhoneNumber, answer: Answered, question: Question, cause: f.Event
) -> Answered:
    """The request that a deferred text brings with it, if one may go now (R-M1)."""
    standing, policy, at = number.standing, number.policy.policy, number.recorded_at
    if _waits(standing, policy, at) or _over_limit(standing, policy, at):
        return answer
    if bars_before_consent(standing, question, number.account, at) is not None:
        return answer
    told = Told(actor=ActorKind.LEDGER, channel=Channel.SMS)
    context = replace(
        number.context(told),
        message_id=cause.context.message_id,
        location_id=question.location,
        sending_number_id=question.sending_number_id,
        causation_id=cause.event_id,
    )
    return _issue(number, answer, (question.purpose,), context, automatic=True)


def request_consent(number: PhoneNumber, command: RequestConsent) -> Answered:
    """A request by hand; RefusedError says why where it may not go."""
    purposes = command.purposes or number.policy.policy.consent_purposes
    if not set(purposes) <= set(number.policy.policy.purposes):
        raise UnknownPurposeError
    if not purposes:
        # Who said STOP is not told to need no consent.
        _check_bars(number, command, (Purpose.CONVERSATION,), reauthorises=False)
        raise _refused(
            Reason.NO_CONSENT_NEEDED, "Of this account's purposes none but marketing needs consent."
        )
    context = replace(number.context(command.told), location_id=command.location)
    reauthorises = _reauthorises(number, command, purposes)
    if reauthorises and not number.standing.is_after_stops(context.at, context.basis, purposes):
        # The yes to it would open nothing (R-O2), and it is the only one for this STOP.
        raise _refused("reauthorisation_too_early", "Wait five minutes after the STOP.")
    _check_bars(number, command, purposes, reauthorises)
    _check_need(number, purposes, context.at)
    answered = _issue(number, Answered(), purposes, context, reauthorises=reauthorises)
    # Told late, it may make a NO of then the answer to it.
    number.cancel_barred(number.pending_events[-1])
    return answered


def _reauthorises(number: PhoneNumber, command: RequestConsent, purposes: tuple[str, ...]) -> bool:
    """Once per STOP, by a named user, never while a system opt-out stands (R-L5)."""
    standing, policy = number.standing, number.policy.policy
    stopped = any(standing.stopped(purpose) is not None for purpose in purposes)
    if not stopped or not policy.reauthorise_after_stop:
        return False
    if standing.system is not None or command.sent_by is None:
        return False
    # One text to a number that said STOP: days alone allow no second one.
    undelivered = standing.request is not None and standing.request.failed
    if standing.reauthorisation_used and not (standing.pending and undelivered):
        raise _refused("reauthorisation_used", "One re-authorisation request per STOP may be sent.")
    return True


def _check_bars(
    number: PhoneNumber, command: RequestConsent, purposes: tuple[str, ...], reauthorises: bool
) -> None:
    standing = number.standing
    if reauthorises:
        standing = replace(standing, contact=None, stops={}, scoped={})
    for purpose in purposes:
        question = Question(
            purpose, command.location, sent_by=command.sent_by, contacts=number.contacts
        )
        barred = bars_before_consent(standing, question, number.account, number.recorded_at)
        if barred is not None:
            raise RefusedError(
                "consent-request-refused",
                "A request for consent is a text too, and this number may not be texted.",
                reason=str(barred.reason),
                source=barred.source,
                decision=barred,
                number_id=number.id,
            )


def _check_need(number: PhoneNumber, purposes: tuple[str, ...], at: int) -> None:
    standing, policy = number.standing, number.policy.policy
    if all(_is_granted(standing, policy, purpose, at) for purpose in purposes):
        raise _refused(Reason.CONSENTED, "Consent was already given.")
    declined = any(standing.declined(purpose) for purpose in purposes)
    if declined and not policy.request_after_decline:
        raise _refused(Reason.CONSENT_DECLINED, "The contact declined.")
    if _waits(standing, policy, at) and not _may_repeat(standing, policy, at):
        raise _refused(Reason.CONSENT_PENDING, "A request already waits for a reply.")
    if _over_limit(standing, policy, at):
        raise _refused("request_limit_reached", "Too many requests in the policy's window.")


def _is_granted(standing: Standing, policy: Policy, purpose: str, at: int) -> bool:
    # Under a STOP a grant opens nothing, so there is still need to ask.
    granted = live_grant(standing, purpose, policy.purposes[purpose], at) is not None
    return granted and standing.stopped(purpose) is None


def _waits(standing: Standing, policy: Policy, at: int) -> bool:
    request = standing.request
    return standing.pending and request is not None and not has_expired(request, policy, at)


def _may_repeat(standing: Standing, policy: Policy, at: int) -> bool:
    """A request that waits may be repeated after a failed delivery or some days (R-F9)."""
    request = standing.request
    if request is None:
        return True
    return request.failed or at >= request.mark.at + policy.request_repeat_days * DAY


def _over_limit(standing: Standing, policy: Policy, at: int) -> bool:
    # Later ones count too: a request may be told with a time that lies before theirs.
    recent = [t for t in standing.request_times if at - policy.requests_days * DAY < t]
    return len(recent) >= policy.requests_allowed


def _issue(
    number: PhoneNumber,
    answer: Answered,
    purposes: tuple[str, ...],
    context: f.Context,
    *,
    reauthorises: bool = False,
    automatic: bool = False,
) -> Answered:
    marketing = any(number.policy.policy.purposes[purpose].marketing for purpose in purposes)
    kind = DISCLOSURE if marketing else CONSENT_REQUEST
    text = replies.text_of(kind, number.account, context.location_id)
    digest = replies.digest_of(text)
    evidence = f.Evidence(template_version=digest, disclosure_digest=digest if marketing else None)
    days = number.policy.policy.request_expires_days
    fact = f.ConsentRequested(
        purposes,
        reauthorises=reauthorises,
        automatic=automatic,
        expires_at=None if days is None else context.at + days * DAY,
    )
    event = number.trigger(fact, replace(context, evidence=evidence))
    return replace(answer, request=event.originator_version, text=text)


def _refused(reason: str, detail: str) -> RefusedError:
    return RefusedError("consent-request-refused", detail, reason=str(reason))
