"""Every provider as it calls: its payloads, and signatures made by its own library where there is
a light one, else by another library than ours."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.providers.imitations.amazon import AwsSns, AwsSnsSha1, certificate
from tests.providers.imitations.base import Call, Imitation, Payload
from tests.providers.imitations.others import Bandwidth, Standard, Telnyx
from tests.providers.imitations.plivo import Plivo, PlivoV2
from tests.providers.imitations.sinch import Sinch, SinchConversation
from tests.providers.imitations.twilio import Twilio, TwilioJson, TwilioSharedKey
from tests.providers.imitations.vonage import Vonage, VonageSms

__all__ = [
    "IMITATIONS",
    "AwsSns",
    "Bandwidth",
    "Call",
    "Imitation",
    "Plivo",
    "PlivoV2",
    "Sinch",
    "Standard",
    "Telnyx",
    "Twilio",
    "VonageSms",
    "certificate",
    "without",
]


def without(payload: Payload, place: str) -> Payload:
    """The payload without one of its fields."""
    head, _, rest = place.partition("/")
    if isinstance(payload, list):
        at = int(head)
        return [*payload[:at], without(payload[at], rest), *payload[at + 1 :]]
    if rest:
        return payload | {head: without(payload[head], rest)}
    return {name: value for name, value in payload.items() if name != head}


IMITATIONS: Final[Mapping[str, Callable[[], Imitation]]] = {
    "twilio": Twilio,
    "twilio-shared-key": TwilioSharedKey,
    "twilio-json": TwilioJson,
    "telnyx": Telnyx,
    "plivo": Plivo,
    "plivo-v2": PlivoV2,
    "vonage": Vonage,
    "vonage-sms": VonageSms,
    "sinch": Sinch,
    "sinch-conversation": SinchConversation,
    "bandwidth": Bandwidth,
    "aws-sns": AwsSns,
    "aws-sns-sha1": AwsSnsSha1,
    "standard": Standard,
}
