"""What a delivery report says about a number (R-F7): pure reading of the providers' codes.

The codes are the providers' own; the class is this project's reading of their meaning. Only a
class that speaks of the phone itself may suppress: a fault of the sender's never does.
"""

from enum import StrEnum
from typing import Final


class DeliveryClass(StrEnum):
    """What a report means for the number it is about."""

    DELIVERED = "delivered"
    OPTED_OUT = "opted_out"
    NOT_MOBILE = "not_mobile"
    DEACTIVATED = "deactivated"
    UNREACHABLE = "unreachable"  # suppresses after N in a row, N being the policy's
    AMBIGUOUS_BLOCK = "ambiguous_block"  # listed for a person, suppresses nothing
    TRANSIENT = "transient"
    SENDER_FAULT = "sender_fault"


SUPPRESSES_AT_ONCE: Final = frozenset(
    {DeliveryClass.OPTED_OUT, DeliveryClass.NOT_MOBILE, DeliveryClass.DEACTIVATED}
)

# Error 0, or none, is how most providers write success; the words are their final states.
_DELIVERED_WORDS: Final = frozenset(
    {"", "delivered", "delivrd", "read", "success", "successful", "text_successful"}
    | {"text_delivered", "message-delivered"}
)

_CODES: Final[dict[DeliveryClass, dict[str, str]]] = {
    DeliveryClass.OPTED_OUT: {
        "twilio": "21610",
        "telnyx": "40300",
        "bandwidth": "4775",
        "plivo": "200",
        "vonage": "9",  # 'illegal number' in older lists; the Opt-Out Assist page says opted out
        "sinch": "257",
        "messagebird": "103",
        "aws-sns": "OptedOutException",
    },
    DeliveryClass.NOT_MOBILE: {
        "twilio": "21211 21614 21635 30006",
        "telnyx": "40001 40012",
        "bandwidth": "4303 4404 4406 4700 4720",
        "vonage": "11",
        "aws-sns": "TEXT_INVALID",
    },
    DeliveryClass.DEACTIVATED: {"twilio": "30005", "bandwidth": "4721", "vonage": "3"},
    DeliveryClass.UNREACHABLE: {
        "twilio": "30003",
        "telnyx": "40005",
        "aws-sns": "TEXT_UNREACHABLE TEXT_CARRIER_UNREACHABLE",
    },
    DeliveryClass.AMBIGUOUS_BLOCK: {
        "twilio": "30004",
        "telnyx": "40004 40008",
        "bandwidth": "4482 4750 4753 4772 4790",
        "vonage": "4 14",
        "aws-sns": "TEXT_BLOCKED",
    },
    DeliveryClass.TRANSIENT: {
        "twilio": "30001 30008 30410",
        "telnyx": "40006 40011 40014",
        "bandwidth": "4701 4702 4730 9902",
        "vonage": "2 7 8 12",
        "aws-sns": "TEXT_TTL_EXPIRED TEXT_UNKNOWN",
    },
    DeliveryClass.SENDER_FAULT: {
        "twilio": "30007 30022 30023 30032 30034",
        "telnyx": "40002 40003 40009 40010 40015 40016 40017 40018 40305 40315 40322 40329",
        "bandwidth": "4470 4740 4770 4773 4774 4780 4781 4785 4795",
        "vonage": "6 52",
        "sinch": "15 60 62 64",
        "aws-sns": "TEXT_SPAM TEXT_CARRIER_BLOCKED TEXT_PROTECT_BLOCKED",
    },
}

_TABLE: Final = {
    (provider, code.casefold()): meaning
    for meaning, providers in _CODES.items()
    for provider, codes in providers.items()
    for code in codes.split()
}

PROVIDERS: Final = frozenset(provider for provider, _ in _TABLE)
"""The names that `classify` has codes for."""


def classify(provider: str, code: str) -> DeliveryClass:
    """The class of a provider's error code, or of its word for success. Never fails.

    Case and space around do not matter. Zero (however many digits), nothing and the words for
    success are `delivered`; what is not in the table is `transient`, which suppresses nothing.
    """
    word = code.strip().casefold()
    if word in _DELIVERED_WORDS or not word.strip("0"):
        return DeliveryClass.DELIVERED
    return _TABLE.get((_name(provider), word), DeliveryClass.TRANSIENT)


def is_known(provider: str, code: str) -> bool:
    """Whether the table or the words of success hold the code: others are counted and logged."""
    delivered = classify(provider, code) is DeliveryClass.DELIVERED
    return delivered or (_name(provider), code.strip().casefold()) in _TABLE


def _name(provider: str) -> str:
    name = provider.strip().casefold().replace("_", "-")
    return "aws-sns" if name in ("aws", "sns") else name
