"""Amazon's requests: End User Messaging SMS by way of an SNS topic, signed with Amazon's key.

Source: Amazon's documentation of SNS signatures, of two-way SMS and of SMS events. The endpoint's
secret is the ARN of its topic: a message of any other topic is refused, as Amazon signs for all.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from api.providers.base import (
    DELIVERED,
    Confirmation,
    Fact,
    Malformed,
    Provider,
    Report,
    Request,
    Text,
)
from api.providers.reading import Fields, from_json, instant, json_fields
from api.providers.signing import FIVE_MINUTES, any_same, from_base64, raw

HOST: Final = re.compile(r"sns\.[a-z0-9-]{1,32}\.amazonaws\.com(\.cn)?")
"""Where Amazon keeps its certificates and takes confirmations; no other host is ever asked."""
TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}")
RETRIED_FOR: Final = 2 * 3_600
"""Seconds; SNS retries a delivery for an hour at most, and keeps the time of the first attempt."""

_NOTIFICATION: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION: Final = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
)
_SIGNED: Final = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_METHODS: Final = {"1": SHA1, "2": SHA256}
_SUCCESSES: Final = frozenset({"TEXT_DELIVERED", "TEXT_SUCCESSFUL"})


def check_secret(secret: str) -> str | None:
    """What is wrong with the ARN of a topic."""
    return None if TOPIC.fullmatch(secret) else "is not the ARN of an SNS topic"


def certificate_url(request: Request, secrets: Sequence[str]) -> str | None:
    """Where the certificate lies that is said to have signed: at Amazon, for our topic, or None."""
    try:
        envelope = json_fields(request)
        ours = any_same(raw(envelope.text("TopicArn")), map(raw, secrets))
        url = envelope.text("SigningCertURL")
    except Malformed:
        return None
    return url if ours and is_amazons(url) and urlsplit(url).path.endswith(".pem") else None


def is_amazons(url: str) -> bool:
    """Whether an address is one of SNS's own, without anything that could lead elsewhere."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and not parts.fragment
    return plain and parts.scheme == "https" and HOST.fullmatch(parts.netloc) is not None


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether Amazon's certificate signed this message of our topic, in the last two hours."""
    if request.certificate is None or certificate_url(request, secrets) is None:
        return False
    try:
        envelope = json_fields(request)
        signed = _canonical(envelope)
        signature = from_base64(envelope.text("Signature"))
        method = _METHODS[envelope.text("SignatureVersion")]
        at = instant(envelope.text("Timestamp"))
    except (Malformed, KeyError):
        return False
    if at is None or not request.now - RETRIED_FOR <= at / 1e6 <= request.now + FIVE_MINUTES:
        return False
    key = _key(request.certificate, request.now)
    try:
        if key is not None and signature is not None:
            key.verify(signature, signed, PKCS1v15(), method())
            return True
    except InvalidSignature:
        pass
    return False


def _canonical(envelope: Fields) -> bytes:
    names = _SIGNED[envelope.text("Type")]
    lines = (f"{name}\n{envelope.words(name)}\n" for name in names if _is_signed(envelope, name))
    return raw("".join(lines))


def _is_signed(envelope: Fields, name: str) -> bool:
    return name != "Subject" or name in envelope


def _key(certificate: bytes, now: float) -> RSAPublicKey | None:
    try:
        found = load_pem_x509_certificate(certificate)
    except ValueError:
        return None
    moment = datetime.fromtimestamp(now, UTC)
    valid = found.not_valid_before_utc <= moment <= found.not_valid_after_utc
    key = found.public_key()
    return key if valid and isinstance(key, RSAPublicKey) else None


def read(request: Request) -> Sequence[Fact]:
    """A text, what became of one, or the question whether the topic may deliver here."""
    envelope = json_fields(request)
    match envelope.text("Type"):
        case "SubscriptionConfirmation":
            url = envelope.text("SubscribeURL")
            if not is_amazons(url):
                raise Malformed("SubscribeURL", "is no address of SNS")
            return [Confirmation(url)]
        case "Notification":
            message = Fields(from_json(raw(envelope.words("Message"))), "Message")
            return _facts(message, envelope.instant("Timestamp"))
        case _:
            return []


def _facts(message: Fields, at: int | None) -> Sequence[Fact]:
    if "eventType" in message:
        return _report(message)
    return [
        Text(
            sender=message.text("originationNumber"),
            to=message.text("destinationNumber"),
            body=message.words("messageBody"),
            message_id=message.text("inboundMessageId"),
            at=at,
        )
    ]


def _report(message: Fields) -> Sequence[Report]:
    kind = message.text("eventType")
    if not kind.startswith("TEXT_") or message.flag("isFinal") is False:
        return []
    milliseconds = message.may("eventTimestamp") or ""
    return [
        Report(
            recipient=message.text("destinationPhoneNumber"),
            message_id=message.text("messageId"),
            code=DELIVERED if kind in _SUCCESSES else kind,
            at=int(milliseconds) * 1_000 if milliseconds.isdigit() else None,
            reference=message.optional("context").may("message_id"),
        )
    ]


PROVIDER: Final = Provider(
    codes="aws-sns",
    verify=verify,
    read=read,
    check_secret=check_secret,
    certificate_url=certificate_url,
)
