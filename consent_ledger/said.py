"""A fact as the fold reads it: what was said, when by whose clock, and by whom."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, get_args

import msgspec

from consent_ledger import facts as f
from consent_ledger.standing import Mark
from consent_ledger.words import Basis

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
    | f.TimeZoneRecorded
    | f.NumberReassigned
)
"""The facts that the standing rests on; all others leave it as it was."""
_FOLDED: Final = frozenset(get_args(FoldedFact))
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


def said(event: f.Event) -> Said | None:
    """An event as the fold reads it, at its effective time; None where it does not count.

    Words confirmed as a revocation count at the time of the words (R-F10), a report from the time
    of its text (R-F7), a reassignment at the end of its day (R-F8).
    """
    fact: Any = event.fact
    context = event.context
    # Look-ups: asking for one kind after the other would cost more than all the rest here.
    kind = type(fact)
    if kind not in _FOLDED:
        return None
    at, basis = context.at, context.basis
    if kind in _OTHER_TIMES:
        at, basis = _OTHER_TIMES[kind](fact, at, basis)
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


def _of_its_text(
    fact: f.DeliveryReported | f.CarrierSuppressed, at: int, basis: Basis
) -> tuple[int, Basis]:
    return at if fact.about_at is None else fact.about_at, basis


_OTHER_TIMES: Final[dict[type[f.Fact], Callable[[Any, int, Basis], tuple[int, Basis]]]] = {
    f.RevocationConfirmed: lambda fact, at, basis: (fact.words_at, fact.words_basis),
    f.DeliveryReported: _of_its_text,
    f.CarrierSuppressed: _of_its_text,
    f.NumberReassigned: lambda fact, at, basis: (fact.ends_at, basis),
}
"""Facts that count at another time than they were told of, and by whose clock."""


order: Final[Callable[[Said], tuple[int, int]]] = attrgetter("at", "version")
"""The order of folding: by time; versions only make listings stable."""
