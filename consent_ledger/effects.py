"""What each fact does to a standing, read against the standing before its instant.

Rulebook sections 4 and 5; one function a fact, each giving effects and the phase they come in.
"""

from collections.abc import Callable, Collection, Iterable
from enum import IntEnum
from typing import Any, Final

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.carrier import SUPPRESSES_AT_ONCE, DeliveryClass
from consent_ledger.said import Said
from consent_ledger.standing import (
    ANY,
    REQUESTS_KEPT,
    Grant,
    Mark,
    OptOut,
    Request,
    ScopedStop,
    Standing,
    outranks,
)
from consent_ledger.words import Basis, Level, Method, Preference, Source


class Phase(IntEnum):
    OPENING = 0
    REQUEST = 1
    CLOSING = 2
    STOP = 3


Effect = Callable[[Standing], Standing]
Effects = list[tuple[Phase, "Said", Effect]]


# Members of enums that most facts ask for: to look one up takes longer than to compare it.
_OPENING, _REQUEST, _CLOSING, _STOP = Phase
_DELIVERED: Final = DeliveryClass.DELIVERED
UNREACHABLE: Final = DeliveryClass.UNREACHABLE


def effects_of(before: Standing, item: Said, stopped: bool) -> Effects:
    """What one fact does, read against the standing before its instant.

    `before` has the instant's failures counted (R-F7); `stopped` says that the instant has a STOP.
    """
    rule = _RULES.get(type(item.fact))
    if rule is None or (stopped and _consents(before, item)):
        return []
    return rule(before, item, item.fact)


def _consents(before: Standing, item: Said) -> bool:
    """Whether a fact would consent, which it does not at the instant of a STOP (R-F3)."""
    kind = type(item.fact)
    return kind is f.ConsentGranted or (kind is f.AffirmativeReceived and before.waits_at(item.at))


def _opening(item: Said, effect: Effect) -> Effects:
    # A time that the ledger did not believe opens nothing (R-O3).
    return [(_OPENING, item, effect)] if item.believed else []


def _closing(item: Said, effect: Effect) -> Effects:
    return [(_CLOSING, item, effect)]


def _stopping(item: Said, effect: Effect) -> Effects:
    return [(_STOP, item, effect)]


def _lift_contact(now: Standing, at: int) -> Standing:
    lifted = at if now.contact is not None else now.stop_lifted_at
    return replace(now, contact=None, stops={}, stop_lifted_at=lifted)


def _start(before: Standing, item: Said) -> Effect:
    """START lifts every opt-out; what was granted before the STOP counts again (R-F2)."""
    lifts_contact = outranks(item.at, item.basis, before.stops)
    lifted = [
        purpose
        for purpose, stop in before.scoped.items()
        if outranks(item.at, item.basis, stop.stops)
    ]

    def effect(now: Standing) -> Standing:
        now = _review_lifted(replace(now, system=None, agent=None), item)
        now = _lift_scoped(now, lifted, item.at)
        if lifts_contact:
            now = _lift_contact(now, item.at)
        return replace(now, grants=_resumed(now))

    return effect


def _review_lifted(now: Standing, item: Said) -> Standing:
    """START lifts a review as it would the STOP that its words may turn out to be (R-F10)."""
    lifted = {
        review
        for review, mark in now.reviews.items()
        if outranks(item.at, item.basis, {now.review_clocks[review]: mark.at})
    }
    return _without_reviews(now, lifted)


def _without_reviews(now: Standing, gone: set[int]) -> Standing:
    return replace(
        now,
        reviews={v: mark for v, mark in now.reviews.items() if v not in gone},
        review_clocks={v: clock for v, clock in now.review_clocks.items() if v not in gone},
    )


def _lift_scoped(now: Standing, purposes: Iterable[str], at: int) -> Standing:
    lifted = [purpose for purpose in purposes if purpose in now.scoped]
    if not lifted:
        return now
    return replace(
        now,
        scoped={p: stop for p, stop in now.scoped.items() if p not in lifted},
        scoped_lifted_at={**now.scoped_lifted_at, **dict.fromkeys(lifted, at)},
    )


def _resumed(now: Standing) -> dict[str, dict[Level, Grant]]:
    """Every grant counts again but those that a STOP still bars."""
    open_again = [purpose for purpose in now.grants if now.stopped(purpose) is None]
    return _with_suspended(now.grants, open_again, suspended=False)


def _with_suspended(
    grants: dict[str, dict[Level, Grant]], purposes: Collection[str], suspended: bool
) -> dict[str, dict[Level, Grant]]:
    if not grants:
        return grants
    return {
        purpose: {level: replace(grant, suspended=suspended) for level, grant in levels.items()}
        if purpose in purposes
        else levels
        for purpose, levels in grants.items()
    }


def _affirmative(before: Standing, item: Said, _: f.AffirmativeReceived) -> Effects:
    """YES: consent while a request waits, START while an opt-out stands, else nothing (R-K2)."""
    every = [before.stops, *(stop.stops for stop in before.scoped.values())]
    if not all(outranks(item.at, item.basis, stops) for stops in every):
        # Maybe said before the STOP, when it meant something else.
        return []
    if before.waits_at(item.at):
        return _consent(before, item, f.ConsentGranted(method=Method.SMS))
    if before.opt_out_by(Source.CONTACT) is not None or before.system is not None:
        return _opening(item, _start(before, item))
    return []


def _consent(before: Standing, item: Said, fact: f.ConsentGranted) -> Effects:
    """Consent grants what was asked; while a STOP stands only a re-authorisation does (R-F3)."""
    if fact.method is not Method.SMS:
        levels = dict.fromkeys(fact.purposes, fact.level)
        return _opening(item, lambda now: _grant(now, item.mark, levels))
    levels = _levels_asked(before.request, fact)
    if before.contact is not None and not _reauthorised(before, before.stops):
        return []
    # A STOP that ended one purpose bars it alone, until a request re-authorised it (R-L5).
    again = {p for p, s in before.scoped.items() if p in levels and _reauthorised(before, s.stops)}
    levels = {p: level for p, level in levels.items() if p in again or p not in before.scoped}
    everything = before.contact is not None

    def effect(now: Standing) -> Standing:
        revoked = now.grants if everything else again
        if everything:
            now = _lift_contact(now, item.at)
        now = _without_older(_lift_scoped(now, again, item.at), revoked, item.at)
        return _answer(before)(_grant(now, item.mark, levels))

    return _opening(item, effect)


def _without_older(now: Standing, purposes: Collection[str], at: int) -> Standing:
    """What was granted before a re-authorisation stays revoked (R-F3)."""
    kept = {
        purpose: {level: g for level, g in grants.items() if g.mark.at >= at}
        if purpose in purposes
        else grants
        for purpose, grants in now.grants.items()
    }
    return replace(now, grants={purpose: grants for purpose, grants in kept.items() if grants})


def _levels_asked(request: Request | None, fact: f.ConsentGranted) -> dict[str, Level]:
    if request is None:
        return dict.fromkeys(fact.purposes, fact.level)
    # A request that carried the disclosure is answered in writing: 47 CFR 64.1200(f)(9).
    level = Level.EXPRESS_WRITTEN if request.disclosed else Level.EXPRESS
    return dict.fromkeys(request.purposes, level)


def _reauthorised(before: Standing, stops: dict[Basis, int]) -> bool:
    """Whether the request that is answered was sent to re-authorise, after these STOPs."""
    request = before.request
    return (
        request is not None
        and request.reauthorises
        and outranks(request.mark.at, request.basis, stops)
    )


def _grant(now: Standing, mark: Mark, levels: dict[str, Level]) -> Standing:
    grants, declines = dict(now.grants), dict(now.declines)
    lifted = dict(now.decline_lifted_at)
    for purpose, level in levels.items():
        grants[purpose] = {**grants.get(purpose, {}), level: Grant(mark)}
        if now.declined(purpose) is not None:
            declines[purpose] = None
            lifted[purpose] = mark.at
    return replace(now, grants=grants, declines=declines, decline_lifted_at=lifted)


def _answer(before: Standing) -> Effect:
    """Ends the request that waited before this instant, not one made in it."""
    waited = before.request if before.pending else None

    def effect(now: Standing) -> Standing:
        same = waited is not None and now.request is not None
        if same and now.request.mark == waited.mark:  # type: ignore[union-attr]
            return replace(now, pending=False)
        return now

    return effect


def _decline(before: Standing, item: Said) -> Effect:
    """Declines what the latest request named; never asked, everything (R-F3, R-F4)."""
    purposes = before.request.purposes if before.request is not None else (ANY,)

    def effect(now: Standing) -> Standing:
        everything = ANY in purposes
        grants = {p: g for p, g in now.grants.items() if not everything and p not in purposes}
        declines = {} if everything else dict(now.declines)
        declines.update(dict.fromkeys(purposes, item.mark))
        return _answer(before)(replace(now, grants=grants, declines=declines))

    return effect


def _negative(before: Standing, item: Said, _: f.NegativeReceived) -> Effects:
    """NO: declines while a request waits, else nothing (R-K2)."""
    return _closing(item, _decline(before, item)) if before.waits_at(item.at) else []


def _other_words(before: Standing, item: Said, fact: f.ReplyNotUnderstood) -> Effects:
    return _closing(item, _answer(before)) if fact.ends_request else []


def _suspect(before: Standing, item: Said, fact: f.RevocationSuspected) -> Effect:
    def effect(now: Standing) -> Standing:
        now = replace(
            now,
            reviews={**now.reviews, item.version: item.mark},
            review_clocks={**now.review_clocks, item.version: item.basis},
        )
        return _answer(before)(now) if fact.ends_request else now

    return effect


def _without_review(review: int) -> Effect:
    return lambda now: _without_reviews(now, {review})


def _stop_received(_: Standing, item: Said, fact: f.StopReceived) -> Effects:
    purposes = fact.purposes
    return _stopping(item, _stop_purposes(item, purposes) if purposes else _stop(item))


def _stop(item: Said) -> Effect:
    """STOP: the contact's opt-out stands, grants are suspended, what waits is over (R-F1)."""

    def effect(now: Standing) -> Standing:
        if type(item.fact) is f.RevocationConfirmed:
            now = _without_review(item.fact.review)(now)
        return replace(
            now,
            stops={**now.stops, item.basis: item.at},
            pending=False,
            grants=_with_suspended(now.grants, now.grants, suspended=True),
            contact=now.contact or OptOut(item.mark, item.by, item.channel),
            reauthorisation_used=now.reauthorisation_used and now.contact is not None,
        )

    return effect


def _stop_purposes(item: Said, purposes: tuple[str, ...]) -> Effect:
    """STOP that ends some purposes only, as the policy of its time had it (section 8)."""

    def effect(now: Standing) -> Standing:
        opt_out, scoped = OptOut(item.mark, item.by, item.channel), dict(now.scoped)
        for purpose in purposes:
            stop = scoped.get(purpose, ScopedStop(opt_out, {}))
            scoped[purpose] = replace(stop, stops={**stop.stops, item.basis: item.at})
        anew = now.contact is None and not now.scoped.keys() >= set(purposes)
        return replace(
            now,
            scoped=scoped,
            pending=False,
            grants=_with_suspended(now.grants, purposes, suspended=True),
            reauthorisation_used=now.reauthorisation_used and not anew,
        )

    return effect


def _opted_out(_: Standing, item: Said, fact: f.OptedOut) -> Effects:
    match fact.source:
        case Source.CONTACT:
            return _stopping(item, _stop(item))
        case Source.SYSTEM:
            return _closing(item, _suppress(item))
        case Source.AGENT:
            return _closing(item, _opt_out_by_agent(item))


def _opt_out_by_agent(item: Said) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, agent=now.agent or OptOut(item.mark, item.by, item.channel))

    return effect


def _opt_in(before: Standing, item: Said, _: f.AdminOptedIn) -> Effects:
    """An admin's opt-in changes nothing while the contact or the carrier bars (R-F6)."""
    if before.opt_out_by(Source.CONTACT) is not None or before.system is not None:
        return []
    return _opening(item, lambda now: replace(now, agent=None))


def _suppress(item: Said) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, system=now.system or OptOut(item.mark, item.by, item.channel))

    return effect


def _request(before: Standing, item: Said, fact: f.ConsentRequested) -> Effects:
    """A request waits for a reply; void where a STOP stands, unless it re-authorises (R-F9)."""
    every = bool(fact.purposes) and all(purpose in before.scoped for purpose in fact.purposes)
    if (before.contact is not None or every) and not fact.reauthorises:
        return [(_REQUEST, item, lambda now: _counted(now, item))]

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

    return [(_REQUEST, item, effect)]


def _counted(now: Standing, item: Said) -> Standing:
    # A void request was a text too, so the limit counts it.
    return replace(now, request_times=(*now.request_times, item.at)[-REQUESTS_KEPT:])


def _delivery(before: Standing, item: Said, fact: f.DeliveryReported) -> Effects:
    if fact.delivery_class == _DELIVERED:
        return []
    effects = _closing(item, _suppress(item)) if _suppresses(before, fact) else []
    return effects if fact.request is None else effects + _closing(item, _request_failed(item))


def _suppresses(before: Standing, fact: f.DeliveryReported) -> bool:
    if fact.delivery_class == UNREACHABLE:
        return before.failures >= fact.unreachable_limit
    return fact.delivery_class in SUPPRESSES_AT_ONCE


def _request_failed(item: Said) -> Effect:
    """A request whose text never arrived may be repeated (R-F9)."""

    def effect(now: Standing) -> Standing:
        request = now.request
        # A report counts at the instant of its text, which for a request is the request's own.
        if request is None or request.mark.at != item.at:
            return now
        return replace(now, request=replace(request, failed=True))

    return effect


def _block(item: Said, purpose: str) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, blocks={purpose: item.mark, **now.blocks})

    return effect


def _unblock(purpose: str) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, blocks={p: mark for p, mark in now.blocks.items() if p != purpose})

    return effect


def _preference(_: Standing, item: Said, fact: f.MarketingPreferenceRecorded) -> Effects:
    phase = {
        Preference.CONSENTED: _OPENING,
        Preference.UNREADABLE: _REQUEST,
        Preference.NOT_CONSENTED: _CLOSING,
    }[fact.value]

    def effect(now: Standing) -> Standing:
        latest = {**now.preferences, fact.system: (fact.value, item.mark)}
        return replace(now, preferences=latest)

    return [(phase, item, effect)]


def _reassign(item: Said) -> Effect:
    """Another person holds the number now: what the last one agreed to is void (R-F8)."""

    def effect(now: Standing) -> Standing:
        kept = {
            system: said
            for system, said in now.preferences.items()
            if said[0] is not Preference.CONSENTED
        }
        return replace(
            now,
            grants={},
            request=None,
            pending=False,
            preferences=kept,
            time_zone=None,
            reassigned_until=item.at,
        )

    return effect


def _time_zone(_: Standing, item: Said, fact: f.TimeZoneRecorded) -> Effects:
    return _closing(item, lambda now: replace(now, time_zone=fact.time_zone))


_RULES: Final[dict[type[f.Fact], Callable[[Standing, Said, Any], Effects]]] = {
    f.StartReceived: lambda before, item, _: _opening(item, _start(before, item)),
    f.AffirmativeReceived: _affirmative,
    f.ConsentGranted: _consent,
    f.ConsentDeclined: lambda before, item, _: _closing(item, _decline(before, item)),
    f.NegativeReceived: _negative,
    f.ReplyNotUnderstood: _other_words,
    f.RevocationSuspected: lambda before, item, fact: _closing(item, _suspect(before, item, fact)),
    f.RevocationDismissed: lambda _, item, fact: _opening(item, _without_review(fact.review)),
    f.StopReceived: _stop_received,
    f.RevocationConfirmed: lambda _, item, fact: _stopping(item, _stop(item)),
    f.OptedOut: _opted_out,
    f.AdminOptedIn: _opt_in,
    f.ConsentRequested: _request,
    f.DeliveryReported: _delivery,
    f.CarrierSuppressed: lambda _, item, fact: _closing(item, _suppress(item)),
    f.PurposeBlocked: lambda _, item, fact: _closing(item, _block(item, fact.purpose)),
    f.PurposeUnblocked: lambda _, item, fact: _opening(item, _unblock(fact.purpose)),
    f.MarketingPreferenceRecorded: _preference,
    f.TimeZoneRecorded: _time_zone,
    f.NumberReassigned: lambda _, item, fact: _closing(item, _reassign(item)),
}
"""What each kind of fact does; one that is not here does nothing by itself."""
