"""Requests for consent: when one waits for a reply, and what ends or fails it (R-F9, R-L3)."""

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.phases import REQUEST, Effect, Effects, closing
from consent_ledger.said import Said
from consent_ledger.standing import REQUESTS_KEPT, Request, Standing


def requested(before: Standing, item: Said, fact: f.ConsentRequested) -> Effects:
    """A request waits for a reply; void where a STOP stands, unless it re-authorises (R-F9)."""
    every = bool(fact.purposes) and all(purpose in before.scoped for purpose in fact.purposes)
    if (before.contact is not None or every) and not fact.reauthorises:
        return [(REQUEST, item, lambda now: _counted(now, item))]

    def effect(now: Standing) -> Standing:
        return replace(
            _counted(now, item),
            request=Request(
                item.mark,
                item.basis,
                fact.purposes,
                fact.reauthorises,
                item.disclosed,
                expires_at=fact.expires_at,
            ),
            pending=True,
            reauthorisation_used=now.reauthorisation_used or fact.reauthorises,
        )

    return [(REQUEST, item, effect)]


def _counted(now: Standing, item: Said) -> Standing:
    # A void request was a text too, so the limit counts it.
    return replace(now, request_times=(*now.request_times, item.at)[-REQUESTS_KEPT:])


def request_failed(item: Said) -> Effect:
    """A request whose text never arrived may be repeated (R-F9)."""

    def effect(now: Standing) -> Standing:
        request = now.request
        # A report counts at the instant of its text, which for a request is the request's own.
        if request is None or request.mark.at != item.at:
            return now
        return replace(now, request=replace(request, failed=True))

    return effect


def answer(before: Standing) -> Effect:
    """Ends the request that waited before this instant, not one made in it."""
    waited = before.request if before.pending else None

    def effect(now: Standing) -> Standing:
        same = waited is not None and now.request is not None
        if same and now.request.mark == waited.mark:  # type: ignore[union-attr]
            return replace(now, pending=False)
        return now

    return effect


def other_words(before: Standing, item: Said, fact: f.ReplyNotUnderstood) -> Effects:
    """Words not understood end a request where the policy of their time has it so (R-L3)."""
    return closing(item, answer(before)) if fact.ends_request else []
