"""What counts for single purposes: staff's blocks, and preferences on marketing (R-B1, R-B2)."""

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.phases import CLOSING, OPENING, REQUEST, Effect, Effects
from consent_ledger.said import Said
from consent_ledger.standing import Standing
from consent_ledger.words import Preference


def block(item: Said, purpose: str) -> Effect:
    """Staff bar a purpose; the first block counts until it is lifted."""

    def effect(now: Standing) -> Standing:
        return replace(now, blocks={purpose: item.mark, **now.blocks})

    return effect


def unblock(purpose: str) -> Effect:
    """Staff lift the block of a purpose."""

    def effect(now: Standing) -> Standing:
        return replace(now, blocks={p: mark for p, mark in now.blocks.items() if p != purpose})

    return effect


def preference(_: Standing, item: Said, fact: f.MarketingPreferenceRecorded) -> Effects:
    """The latest word of each system of record counts; the strictest of an instant."""
    phase = {
        Preference.CONSENTED: OPENING,
        Preference.UNREADABLE: REQUEST,
        Preference.NOT_CONSENTED: CLOSING,
    }[fact.value]

    def effect(now: Standing) -> Standing:
        latest = {**now.preferences, fact.system: (fact.value, item.mark)}
        return replace(now, preferences=latest)

    return [(phase, item, effect)]
