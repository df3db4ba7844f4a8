"""Every provider by the name that stands in its webhook's address."""

from collections.abc import Mapping
from typing import Final

from api.providers import aws_sns, bandwidth, plivo, sinch, standard, telnyx, twilio, vonage
from api.providers.base import Provider

PROVIDERS: Final[Mapping[str, Provider]] = {
    "twilio": twilio.PROVIDER,
    "telnyx": telnyx.PROVIDER,
    "plivo": plivo.PROVIDER,
    "vonage": vonage.PROVIDER,
    "sinch": sinch.PROVIDER,
    "bandwidth": bandwidth.PROVIDER,
    "aws-sns": aws_sns.PROVIDER,
    "standard": standard.PROVIDER,
}
