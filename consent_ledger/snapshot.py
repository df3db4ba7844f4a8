"""The standing of a number in a form that can take late facts without reading the stream again.

The facts of the latest instants are kept beside the standing before them, so that a fact that is
late by a little is folded in at its place. One that is later than that needs the stream. The
snapshot is a function of the set of facts alone: built at once or fact by fact, in any order, it
is the same, byte for byte.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.fold import evolve, fold
from consent_ledger.said import Said, order, said
from consent_ledger.standing import Standing
from consent_ledger.words import Channel, Method, ReplyKind

WINDOW: Final = 8
"""Instants kept unfolded: retries of a webhook overtake a few facts, rarely more."""
REPLIES_KEPT: Final = 10
"""Instants of automatic replies kept, which is also their daily limit (R-K6)."""


class HistoryNeededError(Exception):
    """A fact belongs before the window: the number's whole stream has to be folded."""


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
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
        noted = self._note(event)
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
        return self._note(every[-1])._refold(every)

    def is_late(self, at: int) -> bool:
        """Whether a fact of this instant falls before the window."""
        return self.horizon is not None and at <= self.horizon

    def _note(self, event: f.Event) -> "Snapshot":
        replies, hinted, fact = self.replies, self.hinted, event.fact
        if isinstance(fact, f.ReplyIssued):
            replies = (*replies, event.recorded_at)[-REPLIES_KEPT:]
            if fact.kind is ReplyKind.HOW_TO_OPT_IN:
                hinted = event.context.causation_id
        return replace(
            self,
            version=event.originator_version,
            clock=max(self.clock, event.recorded_at, _ledger_instant(event)),
            known=self.known or makes_known(event),
            replies=replies,
            hinted=hinted,
            held=self.held + _held_change(fact),
        )

    def _refold(self, every: list[f.Event]) -> "Snapshot":
        items = counted(every)
        start = replace(self, base=Standing(), horizon=None)
        return replace(start, tail=tuple(items), standing=fold(items))._slide()

    def _fold_in(self, item: Said) -> "Snapshot":
        if not self.tail or item.at > self.tail[-1].at:
            standing = evolve(self.standing, [item])
            tail = (*self.tail, item)
        else:
            tail = tuple(sorted((*self.tail, item), key=order))
            standing = fold(tail, self.base)
        return replace(self, tail=tail, standing=standing)._slide()

    def _slide(self) -> "Snapshot":
        instants = sorted({item.at for item in self.tail})
        if len(instants) <= WINDOW:
            return self
        horizon = instants[-WINDOW - 1]
        old = [item for item in self.tail if item.at <= horizon]
        return replace(self, base=fold(old, self.base), tail=self.tail[len(old) :], horizon=horizon)


def _ledger_instant(event: f.Event) -> int:
    return event.context.at if event.context.basis == "ledger" else 0


def _held_change(fact: f.Fact) -> int:
    match fact:
        case f.MessageDeferred():
            return 0 if fact.again else 1
        case f.MessageNeedsConfirmation():
            return 0 if fact.again else 1
        case f.MessagePermitted() | f.MessageRefused():
            return -1 if fact.again else 0
        case f.MessageReleased() | f.MessageCancelled() | f.MessageExpired():
            return -1
        case _:
            return 0


def makes_known(event: f.Event) -> bool:
    """Whether the account knows a number by this fact: not by the contact's words alone (R-M8)."""
    fact = event.fact
    if isinstance(fact, f.ConsentGranted):
        return fact.method is not Method.SMS
    if isinstance(fact, f.ReplyIssued | f.RevocationConfirmed | f.RevocationDismissed):
        return False
    return not (isinstance(fact, f.Words) and event.context.channel is not Channel.IMPORT)


def snapshot_of(events: Iterable[f.Event]) -> Snapshot:
    """The snapshot that a number's events, in order of version, add up to."""
    every = list(events)
    snapshot = Snapshot()
    try:
        for event in every:
            snapshot = snapshot.absorb(event)
    except HistoryNeededError:
        return _from_history(every)
    return snapshot


def _from_history(every: list[f.Event]) -> Snapshot:
    noted = Snapshot()
    for event in every:
        noted = noted._note(event)
    return noted._refold(every)


def counted(events: Iterable[f.Event], as_of: int | None = None) -> list[Said]:
    """The facts that count, in order of time: none that was retracted, none after `as_of`."""
    every = list(events)
    retracted = {e.fact.version for e in every if isinstance(e.fact, f.FactRetracted)}
    items = [said(e) for e in every if e.originator_version not in retracted]
    return sorted(
        (item for item in items if item and (as_of is None or item.at <= as_of)), key=order
    )
