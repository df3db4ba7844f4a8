"""The one fold over a number's facts (rulebook sections 4 and 5).

Facts are folded by the time they happened, an instant at a time, never by order of arrival
(R-O2). Within an instant each fact is read against the standing before it, and what they do is
applied in phases: rows of failures, openings, requests, closings, STOP last.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.deliveries import UNREACHABLE
from consent_ledger.effects.phases import Effects
from consent_ledger.effects.rules import effects_of
from consent_ledger.said import Said
from consent_ledger.standing import NOTHING_SAID, Standing
from consent_ledger.words import Method, Source


def fold(items: Iterable[Said], start: Standing | None = None) -> Standing:
    """The standing that facts, in order of time, add up to."""
    standing = start if start is not None else NOTHING_SAID
    for instant in _instants(items):
        standing = evolve(standing, instant)
    return standing


def _instants(items: Iterable[Said]) -> Iterator[list[Said]]:
    """The facts of each instant; nearly always there is one."""
    instant: list[Said] = []
    for item in items:
        if instant and item.at != instant[0].at:
            yield instant
            instant = []
        instant.append(item)
    if instant:
        yield instant


def evolve(before: Standing, instant: list[Said]) -> Standing:
    """The standing after all that happened at one instant."""
    standing = counted = _with_failures(before, instant)
    # It matters to the other facts of the instant alone.
    stopped = len(instant) > 1 and any(_is_stop(item.fact) for item in instant)
    effects: Effects = []
    for item in instant:
        effects += effects_of(counted, item, stopped)
    # What the facts say settles ties, so that the order of arrival cannot.
    if len(effects) > 1:
        effects.sort(key=lambda each: (each[0], _tie_break(each[1])))
    for _, _, effect in effects:
        standing = effect(standing)
    if standing.failures and any(_ends_failures(item.fact) for item in instant):
        standing = replace(standing, failures=0)
    return standing


def _tie_break(item: Said) -> tuple[str, str, str, str, bool, bytes, int]:
    # The content comes late: it may name a version, which depends on the order of arrival.
    kind, content = type(item.fact).__name__, msgspec.json.encode(item.fact)
    who = (kind, item.basis, item.by or "", item.channel)
    return *who, not item.disclosed, content, item.version


# Kinds are looked up here and in `effects`: of a struct `isinstance` costs many times as much, and
# no kind of fact has kinds of its own.
_STOPS: Final = frozenset((f.StopReceived, f.RevocationConfirmed))


def _is_stop(fact: f.Fact) -> bool:
    return type(fact) in _STOPS or (type(fact) is f.OptedOut and fact.source is Source.CONTACT)


def _ends_failures(fact: f.Fact) -> bool:
    """Any text from the number, a delivery or any other class ends the row (R-F7)."""
    if type(fact) is f.DeliveryReported:
        return fact.delivery_class != UNREACHABLE
    if type(fact) is f.ConsentGranted:
        return fact.method is Method.SMS
    return type(fact) in f.KINDS_OF_WORDS


def _with_failures(before: Standing, instant: list[Said]) -> Standing:
    count = 0
    for item in instant:
        if type(item.fact) is f.DeliveryReported and item.fact.delivery_class == UNREACHABLE:
            count += 1
    return replace(before, failures=before.failures + count) if count else before
