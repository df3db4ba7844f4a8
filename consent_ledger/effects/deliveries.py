"""Delivery reports: which of them suppress a number, at once or after some in a row (R-F7)."""

from typing import Final

from consent_ledger import facts as f
from consent_ledger.carrier import SUPPRESSES_AT_ONCE, DeliveryClass
from consent_ledger.effects.opt_outs import suppress
from consent_ledger.effects.phases import Effects, closing
from consent_ledger.effects.requests import request_failed
from consent_ledger.said import Said
from consent_ledger.standing import Standing

# To look a member of an enum up takes longer than to compare it.
_DELIVERED: Final = DeliveryClass.DELIVERED
UNREACHABLE: Final = DeliveryClass.UNREACHABLE


def delivery(before: Standing, item: Said, fact: f.DeliveryReported) -> Effects:
    """A text that did not arrive may suppress the number, and fails the request that it was."""
    if fact.delivery_class == _DELIVERED:
        return []
    effects = closing(item, suppress(item)) if _suppresses(before, fact) else []
    return effects if fact.request is None else effects + closing(item, request_failed(item))


def _suppresses(before: Standing, fact: f.DeliveryReported) -> bool:
    if fact.delivery_class == UNREACHABLE:
        return before.failures >= fact.unreachable_limit
    return fact.delivery_class in SUPPRESSES_AT_ONCE
