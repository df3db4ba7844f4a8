"""What consents and what declines: YES and NO, CONSENT and DECLINE, by text or told (R-F3, R-F4).

They answer the latest request before them, so what they mean is read from the standing.
"""

from collections.abc import Collection

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.opt_outs import lift_contact, lift_scoped, start
from consent_ledger.effects.phases import Effect, Effects, closing, opening
from consent_ledger.effects.requests import answer
from consent_ledger.said import Said
from consent_ledger.standing import ANY, Grant, Mark, Request, Standing, outranks
from consent_ledger.words import Basis, Level, Method, Source


def affirmative(before: Standing, item: Said, _: f.AffirmativeReceived) -> Effects:
    """YES: consent while a request waits, START while an opt-out stands, else nothing (R-K2)."""
    every = [before.stops, *(stop.stops for stop in before.scoped.values())]
    if not all(outranks(item.at, item.basis, stops) for stops in every):
        # Maybe said before the STOP, when it meant something else.
        return []
    if before.waits_at(item.at):
        return consent(before, item, f.ConsentGranted(method=Method.SMS))
    if before.opt_out_by(Source.CONTACT) is not None or before.system is not None:
        return opening(item, start(before, item))
    return []


def consent(before: Standing, item: Said, fact: f.ConsentGranted) -> Effects:
    """Consent grants what was asked; while a STOP stands only a re-authorisation does (R-F3)."""
    if fact.method is not Method.SMS:
        named = _lifting_nothing(before, fact) if fact.undated else fact.purposes
        levels = dict.fromkeys(named, fact.level)
        return opening(item, lambda now: _grant(now, item.mark, levels))
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
            now = lift_contact(now, item.at)
        now = _without_older(lift_scoped(now, again, item.at), revoked, item.at)
        return answer(before)(_grant(now, item.mark, levels))

    return opening(item, effect)


def _lifting_nothing(before: Standing, fact: f.ConsentGranted) -> list[str]:
    """Of a yes that may be older than anything else, what was not declined by this number's holder
    (R-F8)."""
    if before.reassigned_until is not None:
        return []
    return [purpose for purpose in fact.purposes if before.declined(purpose) is None]


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


def _without_older(now: Standing, purposes: Collection[str], at: int) -> Standing:
    """What was granted before a re-authorisation stays revoked (R-F3)."""
    kept = {
        purpose: {level: g for level, g in grants.items() if g.mark.at >= at}
        if purpose in purposes
        else grants
        for purpose, grants in now.grants.items()
    }
    return replace(now, grants={purpose: grants for purpose, grants in kept.items() if grants})


def _grant(now: Standing, mark: Mark, levels: dict[str, Level]) -> Standing:
    grants, declines = dict(now.grants), dict(now.declines)
    lifted = dict(now.decline_lifted_at)
    for purpose, level in levels.items():
        grants[purpose] = {**grants.get(purpose, {}), level: Grant(mark)}
        if now.declined(purpose) is not None:
            declines[purpose] = None
            lifted[purpose] = mark.at
    return replace(now, grants=grants, declines=declines, decline_lifted_at=lifted)


def negative(before: Standing, item: Said, _: f.NegativeReceived) -> Effects:
    """NO: declines while a request waits, else nothing (R-K2)."""
    return closing(item, decline(before, item)) if before.waits_at(item.at) else []


def decline(before: Standing, item: Said, named: tuple[str, ...] = ()) -> Effect:
    """Declines what is named; else what the latest request named; never asked, everything (R-F3,
    R-F4)."""
    asked = before.request.purposes if before.request is not None else (ANY,)
    purposes = named or asked

    def effect(now: Standing) -> Standing:
        everything = ANY in purposes
        grants = {p: g for p, g in now.grants.items() if not everything and p not in purposes}
        declines = {} if everything else dict(now.declines)
        declines.update(dict.fromkeys(purposes, item.mark))
        declined = replace(now, grants=grants, declines=declines)
        return declined if named else answer(before)(declined)

    return effect
