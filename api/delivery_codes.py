"""Delivery codes, read; those that nobody has classified are counted and logged (R-F7)."""

from typing import Final

import structlog
from prometheus_client import Counter

from consent_ledger.carrier import PROVIDERS, DeliveryClass, classify, is_known
from consent_ledger.masking import mask

UNKNOWN_CODES: Final = Counter(
    "consent_ledger_unknown_delivery_codes_total",
    "Delivery reports with a code that is in no table",
    ["provider"],
)

log = structlog.get_logger("delivery")


def read_code(provider: str, code: str) -> DeliveryClass:
    """The class of a code. One that is unknown suppresses nothing, and somebody should look."""
    if not is_known(provider, code):
        name = provider if provider in PROVIDERS else "other"
        UNKNOWN_CODES.labels(name).inc()
        log.warning("unknown_delivery_code", provider=name, code=mask(code))
    return classify(provider, code)
