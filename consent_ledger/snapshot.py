"""The standing of a number in a form that can take late facts without reading the stream again.

The facts of the latest instants are kept beside the standing before them, so that a fact that is
late by a little is folded in at its place. One that is later than that needs the stream. The
snapshot is a function of the set of facts alone: built at once or fact by fact, in any order, it
is the same, byte for byte.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.fold import evolve, fold
from consent_ledger.said import Said, order, said
from consent_ledger.standing import NOTHING_SAID, Standing
from consent_ledger.words import Basis, Channel, Method, ReplyKind

WINDOW: Final = 8
"""Instants kept unfolded: retries of a webhook overtake a few facts, rarely more."""
REPLIES_KEPT: Final = 10
"""Instants of automatic replies kept, which is also their daily limit (R-K6)."""


class HistoryNeededError(Exception):
    """A fact belongs before the window: the number's whole stream has to be folded."""


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a command needs of a number, of bounded size whatever the length of its stream.

    `known`: a fact on it is not just the contact's own words (R-M8). `clock`: the latest instant
    that the ledger gave out here, microseconds. `held`: how many texts wait. `hinted`: the event of
    the STOP whose CONSENT was already answered with how to opt in (R-K6). `horizon`: the latest
    instant folded into `base`.
    """

    version: int = 0
    clock: int = 0
    known: bool = False
    replies: tuple[int, ...] = ()
    hinted: str | None = None
    held: int = 0
    horizon: int | None = None
    base: Standing = msgspec.field(default_factory=Standing)
    tail: tuple[Said, ...] = ()
    standing: Standing = msgspec.field(default_factory=Standing)

    def absorb(self, event: f.Event) -> "Snapshot":
        """The snapshot after one more event; HistoryNeededError if it falls before the window."""
        if isinstance(event.fact, f.FactRetracted):
            raise HistoryNeededError
        noted = self._note((event,))
        item = said(event)
        if item is None:
            return noted
        if self.horizon is not None and item.at <= self.horizon:
            raise HistoryNeededError
        return noted._fold_in(item)

    def absorb_late(self, history: Iterable[f.Event]) -> "Snapshot":
        """The snapshot after the last event of `history`, folded anew.

        `history` is all of the number's events that count in the fold, in order of version; the
        last one is new.
        """
        every = list(history)
        return self._note(every[-1:])._refold(every)

    def is_late(self, at: int) -> bool:
        """Whether a fact of this instant falls before the window."""
        return self.horizon is not None and at <= self.horizon

    def _note(self, events: Iterable[f.Event]) -> "Snapshot":
        """All but the standing after more events, in order of version."""
        version, clock, known = self.version, self.clock, self.known
        replies, hinted, held = self.replies, self.hinted, self.held
        for event in events:
            fact, context, at = event.fact, event.context, event.recorded_at
            version = event.originator_version
            if context.basis is _LEDGER and context.at > at:
                at = context.at
            if at > clock:
                clock = at
            known = known or makes_known(event)
            if type(fact) is f.ReplyIssued:
                replies = (*replies, event.recorded_at)[-REPLIES_KEPT:]
                if fact.kind is ReplyKind.HOW_TO_OPT_IN:
                    hinted = context.causation_id
            elif type(fact) in _HELD_CHANGES:
                held += _held_change(fact)
        return replace(
            self,
            version=version,
            clock=clock,
            known=known,
            replies=replies,
            hinted=hinted,
            held=held,
        )

    def _refold(self, every: list[f.Event]) -> "Snapshot":
        items = counted(every)
        base, horizon = NOTHING_SAID, _horizon(items)
        if horizon is not None:
            early = [item for item in items if item.at <= horizon]
            base, items = fold(early), items[len(early) :]
        standing = fold(items, base)
        return replace(self, base=base, horizon=horizon, tail=tuple(items), standing=standing)

    def _fold_in(self, item: Said) -> "Snapshot":
        if not self.tail or item.at > self.tail[-1].at:
            standing = evolve(self.standing, [item])
            tail = (*self.tail, item)
        else:
            tail = tuple(sorted((*self.tail, item), key=order))
            standing = fold(tail, self.base)
        return replace(self, tail=tail, standing=standing)._slide()

    def _slide(self) -> "Snapshot":
        horizon = _horizon(self.tail)
        if horizon is None:
            return self
        old = [item for item in self.tail if item.at <= horizon]
        return replace(self, base=fold(old, self.base), tail=self.tail[len(old) :], horizon=horizon)


def _horizon(items: Sequence[Said]) -> int | None:
    """The latest instant before the window; None where all facts are within it."""
    if len(items) <= WINDOW:
        return None
    instants = sorted({item.at for item in items})
    return instants[-WINDOW - 1] if len(instants) > WINDOW else None


_LEDGER: Final = Basis.LEDGER
"""Looked up once: an enum takes longer over it than the rest of a comparison does."""

_HELD_CHANGES: Final[dict[type[f.Fact], int]] = {
    f.MessageDeferred: 1,
    f.MessageNeedsConfirmation: 1,
    f.MessagePermitted: 0,
    f.MessageRefused: 0,
    f.MessageReleased: -1,
    f.MessageCancelled: -1,
    f.MessageExpired: -1,
}
"""How a fact changes the number of texts that wait, where it is the first that asks about one."""


def _held_change(fact: f.Fact) -> int:
    change = _HELD_CHANGES[type(fact)]
    # It waited for confirmation before, so it still waits, or waits no longer.
    return change - 1 if isinstance(fact, f.MessageAsked) and fact.again else change


_LEDGERS_OWN: Final = frozenset((f.ReplyIssued, f.RevocationConfirmed, f.RevocationDismissed))
"""What follows from the contact's words, and says nothing of the account's."""


def makes_known(event: f.Event) -> bool:
    """Whether the account knows a number by this fact: not by the contact's words alone (R-M8)."""
    fact = event.fact
    if type(fact) is f.ConsentGranted:
        return fact.method is not Method.SMS
    if type(fact) in f.KINDS_OF_WORDS:
        return event.context.channel is Channel.IMPORT
    return type(fact) not in _LEDGERS_OWN


def snapshot_of(events: Iterable[f.Event]) -> Snapshot:
    """The snapshot that a number's events, in order of version, add up to."""
    every = list(events)
    return OF_NOTHING._note(every)._refold(every)


OF_NOTHING: Final = Snapshot()


def counted(events: Iterable[f.Event], as_of: int | None = None) -> list[Said]:
    """The facts that count, in order of time: none that was retracted, none after `as_of`."""
    items, retracted = [], set()
    for event in events:
        item = said(event)
        if type(event.fact) is f.FactRetracted:
            retracted.add(event.fact.version)
        elif item is not None and (as_of is None or _had_happened(event, item, as_of)):
            items.append(item)
    if retracted:
        items = [item for item in items if item.version not in retracted]
    items.sort(key=order)
    return items


def _had_happened(event: f.Event, item: Said, as_of: int) -> bool:
    """Whether a fact had happened: at its own time, or when it was recorded if that was earlier.

    A clock that runs a little ahead is believed (R-O3), so what it dates counts from its recording
    on; of a moment between the two the ledger may not say later that it had not happened.
    """
    return item.at <= as_of or event.recorded_at <= as_of
