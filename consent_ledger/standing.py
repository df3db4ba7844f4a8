"""Where a number stands: what its facts add up to, and what can be asked of that."""

from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent_ledger.words import LEVEL_RANK, Basis, Consent, Level, Preference, Source

MICROSECONDS: Final = 1_000_000
CLOCK_MARGIN: Final = 5 * 60 * MICROSECONDS
"""Clocks of different owners may differ by this much, so an opening must be later by it (R-O2)."""
ANY: Final = "*"
"""Stands for every purpose in a decline that answers no request (R-F3)."""
REQUESTS_KEPT: Final = 8
"""Instants of requests kept for R-F9; more than any sensible limit per window."""


_CONTACT, _SYSTEM, _AGENT = Source


def outranks(at: int, basis: Basis, stops: dict[Basis, int]) -> bool:
    """Whether an opening is later than every STOP; by the margin on another's clock (R-O2)."""
    return all(
        at > stop if basis is theirs else at >= stop + CLOCK_MARGIN
        for theirs, stop in stops.items()
    )


class Part(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A part of a standing. What a newer version added to one is not passed over: the standing
    cannot be read then, and the answer is a no."""


class Mark(Part, frozen=True):
    """Where in the ledger something began: the evidence of a decision."""

    at: int
    version: int
    topic: str
    number_id: UUID | None = None


class OptOut(Part, frozen=True):
    """One standing opt-out; `by` and `channel` are for the report (R-V3)."""

    mark: Mark
    by: str | None
    channel: str


class ScopedStop(Part, frozen=True):
    """A STOP that ended one purpose, and the latest such STOP by each clock."""

    opt_out: OptOut
    stops: dict[Basis, int]


class Grant(Part, frozen=True):
    """Consent to a purpose at a level; `suspended` while a STOP that came after it stands."""

    mark: Mark
    suspended: bool = False


class Request(Part, frozen=True):
    """The latest request for consent."""

    mark: Mark
    basis: Basis
    purposes: tuple[str, ...]
    reauthorises: bool
    disclosed: bool
    failed: bool = False
    expires_at: int | None = None


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the facts on a number add up to.

    `contact` is the contact's opt-out from everything, `scoped` those from one purpose each.
    `stops` holds the latest STOP by each clock while the contact's opt-out stands,
    `review_clocks` the clock of each review's words, as both ask for the margin; the instants
    `stop_lifted_at`, `scoped_lifted_at`, `decline_lifted_at` and `reassigned_until` tell which
    held texts must never go (R-F1, R-F4, R-F8).
    """

    stops: dict[Basis, int] = {}
    contact: OptOut | None = None
    scoped: dict[str, ScopedStop] = {}
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
    time_zone: str | None = None
    stop_lifted_at: int | None = None
    scoped_lifted_at: dict[str, int] = {}
    decline_lifted_at: dict[str, int] = {}
    reassigned_until: int | None = None

    @property
    def opt_outs(self) -> list[tuple[Source, OptOut]]:
        """The opt-outs that stand, the hardest to lift first (rulebook section 1)."""
        found = []
        contact = self.contact or self._first_scoped()
        if contact is not None:
            found.append((_CONTACT, contact))
        if self.system is not None:
            found.append((_SYSTEM, self.system))
        if self.agent is not None:
            found.append((_AGENT, self.agent))
        return found

    @property
    def opt_out(self) -> tuple[Source, OptOut] | None:
        """The opt-out shown: of those that stand, the hardest to lift."""
        standing = self.opt_outs
        return standing[0] if standing else None

    def opt_out_by(self, source: Source) -> OptOut | None:
        """The opt-out that this source has standing."""
        match source:
            case Source.CONTACT:
                return self.contact or self._first_scoped()
            case Source.SYSTEM:
                return self.system
            case Source.AGENT:
                return self.agent

    def _first_scoped(self) -> OptOut | None:
        if not self.scoped:
            return None
        return min(
            (stop.opt_out for stop in self.scoped.values()),
            key=lambda opt_out: (opt_out.mark.at, opt_out.mark.version),
        )

    def stopped(self, purpose: str) -> OptOut | None:
        """The contact's opt-out from this purpose, or from everything."""
        if self.contact is not None or purpose not in self.scoped:
            return self.contact
        return self.scoped[purpose].opt_out

    def is_after_stops(self, at: int, basis: Basis, purposes: tuple[str, ...]) -> bool:
        """Whether an instant is later than every STOP that bars one of these purposes (R-O2)."""
        scoped = [self.scoped[purpose].stops for purpose in purposes if purpose in self.scoped]
        return all(outranks(at, basis, stops) for stops in (self.stops, *scoped))

    def opt_out_from(self, purpose: str) -> tuple[Source, OptOut] | None:
        """The opt-out shown for one purpose: those from other purposes do not bar it."""
        if self.contact is None and self.scoped and purpose not in self.scoped:
            return replace(self, scoped={}).opt_out
        return self.opt_out

    @property
    def do_not_text(self) -> bool:
        """Any opt-out stands, or a revocation is under review."""
        stops = self.contact or self.scoped or self.system or self.agent
        return bool(stops or self.reviews)

    def declined(self, purpose: str) -> Mark | None:
        """The decline that stands for a purpose."""
        return self.declines.get(purpose, self.declines.get(ANY))

    def strongest_grant(self, purpose: str) -> tuple[Level, Grant] | None:
        """The strongest grant of a purpose that no STOP suspends."""
        levels = self.grants.get(purpose)
        if not levels:
            return None
        live = [level for level in levels if not levels[level].suspended]
        if not live:
            return None
        best = max(live, key=LEVEL_RANK.__getitem__)
        return best, levels[best]

    def waits_at(self, at: int) -> bool:
        """Whether a request waits for a reply at an instant (R-L3)."""
        expires_at = self.request.expires_at if self.request is not None else None
        return self.pending and (expires_at is None or at < expires_at)

    def asked_for(self, purpose: str) -> Request | None:
        """The request that waits for a reply and names this purpose."""
        if self.pending and self.request is not None and purpose in self.request.purposes:
            return self.request
        return None

    def consent(self, purpose: str) -> Consent:
        """Where consent to a purpose stands."""
        if self.stopped(purpose) is not None:
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
        if self.stopped(purpose) is not None or _later(self.stop_lifted_at, asked_at):
            return True
        if _later(self.scoped_lifted_at.get(purpose), asked_at):
            return True
        if self.reassigned_until is not None and asked_at <= self.reassigned_until:
            return True
        if not needs_consent:
            return False
        lifted = self.decline_lifted_at.get(purpose)
        return self.declined(purpose) is not None or _later(lifted, asked_at)


NOTHING_SAID: Final = Standing()
"""Where a number stands of which there is no fact; every fold begins here."""


def _later(instant: int | None, than: int) -> bool:
    return instant is not None and instant > than
