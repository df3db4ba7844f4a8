"""The one fold over a number's facts (rulebook sections 4 and 5).

Facts are folded by the time they happened, an instant at a time, never by order of arrival
(R-O2). Within an instant each fact is read against the standing before it, and what they do is
applied in phases: rows of failures, openings, requests, closings, STOP last.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

import msgspec
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects import Effects, Phase, effects_of, suppress
from consent_ledger.said import Said
from consent_ledger.standing import Standing
from consent_ledger.words import Method, Source


def fold(items: Iterable[Said], start: Standing | None = None) -> Standing:
    """The standing that facts, in order of time, add up to."""
    standing = start if start is not None else Standing()
    for _, instant in groupby(items, key=lambda item: item.at):
        standing = evolve(standing, list(instant))
    return standing


def evolve(before: Standing, instant: list[Said]) -> Standing:
    """The standing after all that happened at one instant."""
    standing = _count_failures(before, instant)
    effects: Effects = []
    stopped = any(_is_stop(item.fact) for item in instant)
    for item in instant:
        if isinstance(item.fact, _OF_CARRIERS) and _suppresses(standing, item.fact):
            effects.append((Phase.CLOSING, item, suppress(item)))
        effects.extend(effects_of(before, item, stopped))
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


_STOPS: Final = (f.StopReceived, f.RevocationConfirmed)


def _is_stop(fact: f.Fact) -> bool:
    return isinstance(fact, _STOPS) or (
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
    count = sum([_is_unreachable(item.fact) for item in instant])
    return replace(before, failures=before.failures + count) if count else before


_OF_CARRIERS: Final = (f.DeliveryReported, f.CarrierSuppressed)


def _suppresses(counted: Standing, fact: f.DeliveryReported | f.CarrierSuppressed) -> bool:
    if isinstance(fact, f.CarrierSuppressed):
        return True
    if fact.delivery_class == "unreachable":
        return counted.failures >= fact.unreachable_limit
    return fact.delivery_class in ("opted_out", "not_mobile", "deactivated")
