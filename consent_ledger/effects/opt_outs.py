"""STOP and START, and the opt-outs of agents and carriers: what begins a bar, and what lifts it.

Rulebook R-F1, R-F2, R-F5 and R-F6, and a STOP that ends some purposes only (section 8).
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.phases import Effect, Effects, closing, opening, stopping
from consent_ledger.effects.reviews import review_lifted, without_review
from consent_ledger.said import Said
from consent_ledger.standing import Grant, OptOut, ScopedStop, Standing, outranks
from consent_ledger.words import Level, Source


def stop_received(_: Standing, item: Said, fact: f.StopReceived) -> Effects:
    """STOP, from everything or from the purposes that it names."""
    purposes = fact.purposes
    return stopping(item, _stop_purposes(item, purposes) if purposes else stop_everything(item))


def stop_everything(item: Said) -> Effect:
    """STOP: the contact's opt-out stands, grants are suspended, what waits is over (R-F1)."""

    def effect(now: Standing) -> Standing:
        if type(item.fact) is f.RevocationConfirmed:
            now = without_review(item.fact.review)(now)
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


def start(before: Standing, item: Said) -> Effect:
    """START lifts every opt-out; what was granted before the STOP counts again (R-F2)."""
    lifts_contact = outranks(item.at, item.basis, before.stops)
    lifted = [
        purpose
        for purpose, stop in before.scoped.items()
        if outranks(item.at, item.basis, stop.stops)
    ]

    def effect(now: Standing) -> Standing:
        now = review_lifted(replace(now, system=None, agent=None), item)
        now = lift_scoped(now, lifted, item.at)
        if lifts_contact:
            now = lift_contact(now, item.at)
        return replace(now, grants=_resumed(now))

    return effect


def lift_contact(now: Standing, at: int) -> Standing:
    """Without the contact's opt-out from everything."""
    lifted = at if now.contact is not None else now.stop_lifted_at
    return replace(now, contact=None, stops={}, stop_lifted_at=lifted)


def lift_scoped(now: Standing, purposes: Iterable[str], at: int) -> Standing:
    """Without the contact's opt-outs from these purposes."""
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


def opted_out(_: Standing, item: Said, fact: f.OptedOut) -> Effects:
    """An opt-out told otherwise than by text, by its source (R-F6)."""
    match fact.source:
        case Source.CONTACT:
            return stopping(item, stop_everything(item))
        case Source.SYSTEM:
            return closing(item, suppress(item))
        case Source.AGENT:
            return closing(item, _opt_out_by_agent(item))


def _opt_out_by_agent(item: Said) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, agent=now.agent or OptOut(item.mark, item.by, item.channel))

    return effect


def suppress(item: Said) -> Effect:
    """The carrier's opt-out stands, since the first that says so."""

    def effect(now: Standing) -> Standing:
        return replace(now, system=now.system or OptOut(item.mark, item.by, item.channel))

    return effect


def opt_in(before: Standing, item: Said, _: f.AdminOptedIn) -> Effects:
    """An admin's opt-in changes nothing while the contact or the carrier bars (R-F6)."""
    if before.opt_out_by(Source.CONTACT) is not None or before.system is not None:
        return []
    return opening(item, lambda now: replace(now, agent=None))
