"""What goes with whoever holds the number: a time zone, and all that ends with them (R-F8)."""

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.phases import Effect, Effects, closing
from consent_ledger.said import Said
from consent_ledger.standing import Standing
from consent_ledger.words import Preference


def reassign(item: Said) -> Effect:
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
            time_zone=None,
            reassigned_until=item.at,
        )

    return effect


def time_zone(_: Standing, item: Said, fact: f.TimeZoneRecorded) -> Effects:
    """The clock that permitted hours go by, the latest that was told."""
    return closing(item, lambda now: replace(now, time_zone=fact.time_zone))
