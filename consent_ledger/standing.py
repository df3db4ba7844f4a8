"""What is true of a number: the one fold over its facts (rulebook sections 4 and 5).

Facts are folded by the time they happened, an instant at a time, never by order of arrival
(R-O2). Within an instant each fact is read against the standing before it, and what they do is
applied in phases: rows of failures, openings, requests, closings, STOP last.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from itertools import groupby
from typing import Final, get_args
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.words import LEVEL_RANK, Basis, Consent, Level, Method, Preference, Source

MICROSECONDS: Final = 1_000_000
CLOCK_MARGIN: Final = 5 * 60 * MICROSECONDS
"""Clocks of different owners may differ by this much, so an opening must be later by it (R-O2)."""
ANY: Final = "*"
"""Stands for every purpose in a decline that answers no request (R-F3)."""
REQUESTS_KEPT: Final = 8
"""Instants of requests kept for R-F9; more than any sensible limit per window."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where in the ledger something began: the evidence of a decision."""

    at: int
    version: int
    topic: str
    number_id: UUID | None = None


class OptOut(msgspec.Struct, frozen=True, array_like=True):
    """One standing opt-out; `by` and `channel` are for the report (R-V3)."""

    mark: Mark
    by: str | None
    channel: str


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """Consent to a purpose at a level; `suspended` while a STOP that came after it stands."""

    mark: Mark
    suspended: bool = False


class Request(msgspec.Struct, frozen=True, array_like=True):
    """The latest request for consent."""

    mark: Mark
    basis: Basis
    purposes: tuple[str, ...]
    reauthorises: bool
    disclosed: bool
    failed: bool = False


FoldedFact = (
    f.StopReceived
    | f.StartReceived
    | f.AffirmativeReceived
    | f.NegativeReceived
    | f.HelpRequested
    | f.ReplyNotUnderstood
    | f.RevocationSuspected
    | f.ConsentDeclined
    | f.ConsentGranted
    | f.ConsentRequested
    | f.RevocationConfirmed
    | f.RevocationDismissed
    | f.OptedOut
    | f.AdminOptedIn
    | f.DeliveryReported
    | f.CarrierSuppressed
    | f.PurposeBlocked
    | f.PurposeUnblocked
    | f.MarketingPreferenceRecorded
    | f.NumberReassigned
)
"""The facts that the standing rests on; all others leave it as it was."""
FOLDED_TOPICS: Final = tuple(kind.__name__ for kind in get_args(FoldedFact))


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A fact as the fold needs it: what happened, when by whose clock, and by whom."""

    at: int
    basis: Basis
    version: int
    believed: bool
    by: str | None
    channel: str
    disclosed: bool
    fact: FoldedFact

    @property
    def mark(self) -> Mark:
        """This fact as evidence."""
        return Mark(self.at, self.version, type(self.fact).__name__)


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the facts on a number add up to.

    `stops` holds the latest STOP by each clock while the contact's opt-out stands,
    `review_clocks` the clock of each review's words, as both ask for the margin; the instants
    `stop_lifted_at`, `decline_lifted_at` and `reassigned_until` tell which held texts must never
    go (R-F1, R-F4, R-F8).
    """

    stops: dict[Basis, int] = {}
    contact: OptOut | None = None
    system: OptOut | None = None
    agent: OptOut | None = None
    reviews: dict[int, Mark] = {}
    review_clocks: dict[int, Basis] = {}
    grants: dict[str, dict[Level, Grant]] = {}
    declines: dict[str, Mark | None] = {}
    request: Request | None = None
    pending: bool = False
    request_times: tuple[int, ...] = ()
    reauthorisation_used: bool = False
    blocks: dict[str, Mark] = {}
    preferences: dict[str, tuple[Preference, Mark]] = {}
    failures: int = 0
    stop_lifted_at: int | None = None
    decline_lifted_at: dict[str, int] = {}
    reassigned_until: int | None = None

    @property
    def opt_out(self) -> tuple[Source, OptOut] | None:
        """The opt-out shown: of those that stand, the hardest to lift (rulebook section 1)."""
        for source in Source:
            found = self.opt_out_by(source)
            if found is not None:
                return source, found
        return None

    def opt_out_by(self, source: Source) -> OptOut | None:
        """The opt-out that this source has standing."""
        match source:
            case Source.CONTACT:
                return self.contact
            case Source.SYSTEM:
                return self.system
            case Source.AGENT:
                return self.agent

    @property
    def do_not_text(self) -> bool:
        """Any opt-out stands, or a revocation is under review."""
        return self.opt_out is not None or bool(self.reviews)

    def declined(self, purpose: str) -> Mark | None:
        """The decline that stands for a purpose."""
        return self.declines.get(purpose, self.declines.get(ANY))

    def strongest_grant(self, purpose: str) -> tuple[Level, Grant] | None:
        """The strongest grant of a purpose that no STOP suspends."""
        levels = self.grants.get(purpose, {})
        live = [level for level in levels if not levels[level].suspended]
        if not live:
            return None
        best = max(live, key=LEVEL_RANK.__getitem__)
        return best, levels[best]

    def asked_for(self, purpose: str) -> Request | None:
        """The request that waits for a reply and names this purpose."""
        if self.pending and self.request is not None and purpose in self.request.purposes:
            return self.request
        return None

    def consent(self, purpose: str) -> Consent:
        """Where consent to a purpose stands."""
        if self.contact is not None:
            return Consent.REVOKED
        if self.strongest_grant(purpose) is not None:
            return Consent.GRANTED
        if self.declined(purpose) is not None:
            return Consent.DECLINED
        if self.asked_for(purpose) is not None:
            return Consent.REQUESTED
        return Consent.NONE

    def strictest_preference(self) -> tuple[Preference, Mark] | None:
        """Of what several systems of record say, the strictest; of equals the latest."""
        if not self.preferences:
            return None
        order = list(Preference)
        return min(
            self.preferences.values(),
            key=lambda said: (order.index(said[0]), -said[1].at, -said[1].version),
        )

    def bars_held(self, purpose: str, needs_consent: bool, asked_at: int) -> bool:
        """Whether a text held since `asked_at` must never go (R-F1, R-F4, R-F8)."""
        if self.contact is not None or _later(self.stop_lifted_at, asked_at):
            return True
        if self.reassigned_until is not None and asked_at <= self.reassigned_until:
            return True
        if not needs_consent:
            return False
        lifted = self.decline_lifted_at.get(purpose)
        return self.declined(purpose) is not None or _later(lifted, asked_at)


def _later(instant: int | None, than: int) -> bool:
    return instant is not None and instant > than


class _Phase(IntEnum):
    OPENING = 0
    REQUEST = 1
    CLOSING = 2
    STOP = 3


Effect = Callable[[Standing], Standing]
_Effects = list[tuple[_Phase, "Said", Effect]]


def said(event: f.Event) -> Said | None:
    """An event as the fold reads it, at its effective time; None where it does not count.

    Words confirmed as a revocation count at the time of the words (R-F10), a report from the time
    of its text (R-F7), a reassignment at the end of its day (R-F8).
    """
    fact, context = event.fact, event.context
    if not isinstance(fact, FoldedFact):
        return None
    at, basis = context.at, context.basis
    match fact:
        case f.RevocationConfirmed():
            at, basis = fact.words_at, fact.words_basis
        case f.DeliveryReported() | f.CarrierSuppressed() if fact.about_at is not None:
            at = fact.about_at
        case f.NumberReassigned():
            at = fact.ends_at
    evidence = context.evidence
    return Said(
        at=at,
        basis=basis,
        version=event.originator_version,
        believed=context.claimed_at is None,
        by=context.actor_id,
        channel=str(context.channel),
        disclosed=evidence is not None and evidence.disclosure_digest is not None,
        fact=fact,
    )


def order(item: Said) -> tuple[int, int]:
    """The order of folding: by time; versions only make listings stable."""
    return item.at, item.version


def fold(items: Iterable[Said], start: Standing | None = None) -> Standing:
    """The standing that facts, in order of time, add up to."""
    standing = start if start is not None else Standing()
    for _, instant in groupby(items, key=lambda item: item.at):
        standing = evolve(standing, list(instant))
    return standing


def evolve(before: Standing, instant: list[Said]) -> Standing:
    """The standing after all that happened at one instant."""
    standing = _count_failures(before, instant)
    effects: _Effects = []
    stopped = any(_is_stop(item.fact) for item in instant)
    for item in instant:
        if _reached_limit(standing, item) or _suppresses_at_once(item.fact):
            effects.append((_Phase.CLOSING, item, _suppress(item)))
        effects.extend(_effects(before, item, stopped))
    # What the facts say settles ties, so that the order of arrival cannot.
    for _, _, effect in sorted(effects, key=lambda each: (each[0], _tie_break(each[1]))):
        standing = effect(standing)
    if standing.failures and any(_ends_failures(item.fact) for item in instant):
        standing = replace(standing, failures=0)
    return standing


def _tie_break(item: Said) -> tuple[str, str, str, str, bool, bytes, int]:
    # The content comes late: it may name a version, which depends on the order of arrival.
    kind, content = type(item.fact).__name__, msgspec.json.encode(item.fact)
    who = (kind, item.basis, item.by or "", item.channel)
    return *who, not item.disclosed, content, item.version


def _is_stop(fact: f.Fact) -> bool:
    return isinstance(fact, f.StopReceived | f.RevocationConfirmed) or (
        isinstance(fact, f.OptedOut) and fact.source is Source.CONTACT
    )


def _is_unreachable(fact: f.Fact) -> bool:
    return isinstance(fact, f.DeliveryReported) and fact.delivery_class == "unreachable"


def _ends_failures(fact: f.Fact) -> bool:
    """Any text from the number, a delivery or any other class ends the row (R-F7)."""
    return (isinstance(fact, f.Words) and _by_text(fact)) or (
        isinstance(fact, f.DeliveryReported) and not _is_unreachable(fact)
    )


def _by_text(fact: f.Words) -> bool:
    return not isinstance(fact, f.ConsentGranted) or fact.method is Method.SMS


def _count_failures(before: Standing, instant: list[Said]) -> Standing:
    count = sum(_is_unreachable(item.fact) for item in instant)
    return replace(before, failures=before.failures + count) if count else before


def _reached_limit(counted: Standing, item: Said) -> bool:
    fact = item.fact
    return (
        isinstance(fact, f.DeliveryReported)
        and _is_unreachable(fact)
        and counted.failures >= fact.unreachable_limit
    )


def _suppresses_at_once(fact: f.Fact) -> bool:
    if isinstance(fact, f.DeliveryReported):
        return fact.delivery_class in ("opted_out", "not_mobile", "deactivated")
    return isinstance(fact, f.CarrierSuppressed)


def _effects(before: Standing, item: Said, stopped: bool) -> _Effects:
    """What one fact does, read against the standing before its instant."""
    fact = item.fact
    match fact:
        case f.StartReceived():
            return _opening(item, _start(before, item))
        case f.AffirmativeReceived():
            return _affirmative(before, item, stopped)
        case f.ConsentGranted():
            return _consent(before, item, fact, stopped)
        case f.ConsentDeclined():
            return _closing(item, _decline(before, item))
        case f.NegativeReceived():
            return _closing(item, _decline(before, item)) if before.pending else []
        case f.ReplyNotUnderstood(ends_request=True):
            return _closing(item, _answer(before))
        case f.RevocationSuspected():
            return _closing(item, _suspect(before, item, fact))
        case f.RevocationDismissed():
            return _opening(item, _without_review(fact.review))
        case f.StopReceived() | f.RevocationConfirmed():
            return [(_Phase.STOP, item, _stop(item))]
        case f.OptedOut():
            return _opted_out(item, fact)
        case f.AdminOptedIn():
            return _opt_in(before, item)
        case f.ConsentRequested():
            return _request(before, item, fact)
        case f.DeliveryReported():
            return _request_failed(item, fact)
        case f.PurposeBlocked():
            return _closing(item, _block(item, fact.purpose))
        case f.PurposeUnblocked():
            return _opening(item, _unblock(fact.purpose))
        case f.MarketingPreferenceRecorded():
            return _preference(item, fact)
        case f.NumberReassigned():
            return _closing(item, _reassign(item))
        case _:
            return []


def _opening(item: Said, effect: Effect) -> _Effects:
    # A time that the ledger did not believe opens nothing (R-O3).
    return [(_Phase.OPENING, item, effect)] if item.believed else []


def _closing(item: Said, effect: Effect) -> _Effects:
    return [(_Phase.CLOSING, item, effect)]


def _outranks(at: int, basis: Basis, stops: dict[Basis, int]) -> bool:
    """Whether an opening is later than every STOP; by the margin on another's clock (R-O2)."""
    return all(
        at > stop if basis is theirs else at >= stop + CLOCK_MARGIN
        for theirs, stop in stops.items()
    )


def _lift_contact(now: Standing, at: int) -> Standing:
    lifted = at if now.contact is not None else now.stop_lifted_at
    return replace(now, contact=None, stops={}, stop_lifted_at=lifted)


def _start(before: Standing, item: Said) -> Effect:
    """START lifts every opt-out; what was granted before the STOP counts again (R-F2)."""
    lifts_contact = _outranks(item.at, item.basis, before.stops)

    def effect(now: Standing) -> Standing:
        now = _review_lifted(replace(now, system=None, agent=None), item)
        if not lifts_contact:
            return now
        return replace(_lift_contact(now, item.at), grants=_resumed(now.grants))

    return effect


def _review_lifted(now: Standing, item: Said) -> Standing:
    """START lifts a review as it would the STOP that its words may turn out to be (R-F10)."""
    lifted = {
        review
        for review, mark in now.reviews.items()
        if _outranks(item.at, item.basis, {now.review_clocks[review]: mark.at})
    }
    return _without_reviews(now, lifted)


def _without_reviews(now: Standing, gone: set[int]) -> Standing:
    return replace(
        now,
        reviews={v: mark for v, mark in now.reviews.items() if v not in gone},
        review_clocks={v: clock for v, clock in now.review_clocks.items() if v not in gone},
    )


def _resumed(grants: dict[str, dict[Level, Grant]]) -> dict[str, dict[Level, Grant]]:
    return _each_grant(grants, lambda grant: replace(grant, suspended=False))


def _suspended(grants: dict[str, dict[Level, Grant]]) -> dict[str, dict[Level, Grant]]:
    return _each_grant(grants, lambda grant: replace(grant, suspended=True))


def _each_grant(
    grants: dict[str, dict[Level, Grant]], change: Callable[[Grant], Grant]
) -> dict[str, dict[Level, Grant]]:
    return {
        purpose: {level: change(grant) for level, grant in levels.items()}
        for purpose, levels in grants.items()
    }


def _affirmative(before: Standing, item: Said, stopped: bool) -> _Effects:
    """YES: consent while a request waits, START while an opt-out stands, else nothing (R-K2)."""
    if not _outranks(item.at, item.basis, before.stops):
        # Maybe said before the STOP, when it meant something else.
        return []
    if before.pending:
        return _consent(before, item, f.ConsentGranted(method=Method.SMS), stopped)
    if before.contact is not None or before.system is not None:
        return _opening(item, _start(before, item))
    return []


def _consent(before: Standing, item: Said, fact: f.ConsentGranted, stopped: bool) -> _Effects:
    """Consent grants what was asked; while a STOP stands only a re-authorisation does (R-F3)."""
    if stopped:
        return []
    if fact.method is not Method.SMS:
        levels = dict.fromkeys(fact.purposes, fact.level)
        return _opening(item, lambda now: _grant(now, item.mark, levels))
    levels = _levels_asked(before.request, fact)
    if before.contact is None:
        return _opening(item, lambda now: _answer(before)(_grant(now, item.mark, levels)))
    if not _reauthorised(before):
        return []
    return _opening(item, lambda now: _answer(before)(_reauthorise(now, item.mark, levels)))


def _levels_asked(request: Request | None, fact: f.ConsentGranted) -> dict[str, Level]:
    if request is None:
        return dict.fromkeys(fact.purposes, fact.level)
    # A request that carried the disclosure is answered in writing: 47 CFR 64.1200(f)(9).
    level = Level.EXPRESS_WRITTEN if request.disclosed else Level.EXPRESS
    return dict.fromkeys(request.purposes, level)


def _reauthorised(before: Standing) -> bool:
    request = before.request
    return (
        request is not None
        and request.reauthorises
        and _outranks(request.mark.at, request.basis, before.stops)
    )


def _reauthorise(now: Standing, mark: Mark, levels: dict[str, Level]) -> Standing:
    """Lifts the contact's opt-out alone; every older grant stays revoked (R-F3)."""
    kept = {
        purpose: of_this_instant
        for purpose, grants in now.grants.items()
        if (of_this_instant := {level: g for level, g in grants.items() if g.mark.at >= mark.at})
    }
    return _grant(replace(_lift_contact(now, mark.at), grants=kept), mark, levels)


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


def _stop(item: Said) -> Effect:
    """STOP: the contact's opt-out stands, grants are suspended, what waits is over (R-F1)."""

    def effect(now: Standing) -> Standing:
        if isinstance(item.fact, f.RevocationConfirmed):
            now = _without_review(item.fact.review)(now)
        stops = {**now.stops, item.basis: item.at}
        now = replace(now, stops=stops, pending=False, grants=_suspended(now.grants))
        if now.contact is not None:
            return now
        return replace(
            now, contact=OptOut(item.mark, item.by, item.channel), reauthorisation_used=False
        )

    return effect


def _opted_out(item: Said, fact: f.OptedOut) -> _Effects:
    match fact.source:
        case Source.CONTACT:
            return [(_Phase.STOP, item, _stop(item))]
        case Source.SYSTEM:
            return _closing(item, _suppress(item))
        case Source.AGENT:
            return _closing(item, _opt_out_by_agent(item))


def _opt_out_by_agent(item: Said) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, agent=now.agent or OptOut(item.mark, item.by, item.channel))

    return effect


def _opt_in(before: Standing, item: Said) -> _Effects:
    """An admin's opt-in changes nothing while the contact or the carrier bars (R-F6)."""
    if before.contact is not None or before.system is not None:
        return []
    return _opening(item, lambda now: replace(now, agent=None))


def _suppress(item: Said) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, system=now.system or OptOut(item.mark, item.by, item.channel))

    return effect


def _request(before: Standing, item: Said, fact: f.ConsentRequested) -> _Effects:
    """A request waits for a reply; void where a STOP stands, unless it re-authorises (R-F9)."""
    if before.contact is not None and not fact.reauthorises:
        return [(_Phase.REQUEST, item, lambda now: _counted(now, item))]

    def effect(now: Standing) -> Standing:
        return replace(
            _counted(now, item),
            request=Request(
                item.mark, item.basis, fact.purposes, fact.reauthorises, item.disclosed
            ),
            pending=True,
            reauthorisation_used=now.reauthorisation_used or fact.reauthorises,
        )

    return [(_Phase.REQUEST, item, effect)]


def _counted(now: Standing, item: Said) -> Standing:
    # A void request was a text too, so the limit counts it.
    return replace(now, request_times=(*now.request_times, item.at)[-REQUESTS_KEPT:])


def _request_failed(item: Said, fact: f.DeliveryReported) -> _Effects:
    """A request whose text never arrived may be repeated (R-F9)."""
    if fact.delivery_class == "delivered" or fact.request is None:
        return []

    def effect(now: Standing) -> Standing:
        request = now.request
        # A report counts at the instant of its text, which for a request is the request's own.
        if request is None or request.mark.at != item.at:
            return now
        return replace(now, request=replace(request, failed=True))

    return [(_Phase.CLOSING, item, effect)]


def _block(item: Said, purpose: str) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, blocks={purpose: item.mark, **now.blocks})

    return effect


def _unblock(purpose: str) -> Effect:
    def effect(now: Standing) -> Standing:
        return replace(now, blocks={p: mark for p, mark in now.blocks.items() if p != purpose})

    return effect


def _preference(item: Said, fact: f.MarketingPreferenceRecorded) -> _Effects:
    phase = {
        Preference.CONSENTED: _Phase.OPENING,
        Preference.UNREADABLE: _Phase.REQUEST,
        Preference.NOT_CONSENTED: _Phase.CLOSING,
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
            reassigned_until=item.at,
        )

    return effect
