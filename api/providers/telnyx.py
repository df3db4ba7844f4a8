"""Telnyx's requests: JSON, signed with Ed25519 over the time and the body.

Source: Telnyx's documentation of messaging webhooks, and its library. The endpoint's secret is the
public key of the account.
"""

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.providers.base import DELIVERED, UNKNOWN, Fact, Provider, Report, Request, Text
from api.providers.reading import Fields, json_fields
from api.providers.signing import FIVE_MINUTES, from_base64, is_fresh, raw

KEY_BYTES: Final = 32

_FAILED: Final = frozenset({"sending_failed", "delivery_failed", "expired"})


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the account's key signed the body not more than five minutes ago."""
    timestamp = request.headers.get("telnyx-timestamp", "")
    signature = from_base64(request.headers.get("telnyx-signature-ed25519", ""))
    if signature is None or not is_fresh(timestamp, request.now, before=FIVE_MINUTES):
        return False
    signed = raw(timestamp) + b"|" + request.body
    signs = [_is_signed(secret, signature, signed) for secret in secrets]
    return any(signs)


def check_secret(secret: str) -> str | None:
    """What is wrong with a public key."""
    key = from_base64(secret)
    good = key is not None and len(key) == KEY_BYTES
    return None if good else "is not a public key of 32 bytes in base64"


def read(request: Request) -> Sequence[Fact]:
    """A message that came in, or the end of one that went out; other events tell nothing."""
    data = json_fields(request).inside("data")
    event = data.text("event_type")
    if event == "message.received":
        return [_text(data.inside("payload"))]
    if event == "message.finalized":
        payload = data.inside("payload")
        at = payload.instant("completed_at") or data.instant("occurred_at")
        return [each for to in payload.each("to") for each in _report(payload, to, at)]
    return []


def _text(payload: Fields) -> Text:
    to = payload.each("to")
    return Text(
        sender=payload.inside("from").text("phone_number"),
        to=to[0].may("phone_number") or "" if to else "",
        body=payload.words("text") if "text" in payload else _without_words(payload),
        message_id=payload.text("id"),
        media_count=len(payload.items("media")),
        at=payload.instant("received_at"),
        handled=payload.may("autoresponse_type"),
    )


def _without_words(payload: Fields) -> str:
    """A picture may come alone; a message of neither lacks its text."""
    return "" if payload.items("media") else payload.words("text")


def _report(payload: Fields, to: Fields, at: int | None) -> Sequence[Report]:
    status = to.text("status")
    if status in ("delivered", "read"):
        code = DELIVERED
    elif status in _FAILED:
        errors = payload.each("errors")
        code = (errors[0].may("code") if errors else None) or UNKNOWN
    else:
        return []
    tags = [tag for tag in payload.items("tags") if isinstance(tag, str)]
    reference = tags[0] if tags else None
    return [Report(to.text("phone_number"), payload.text("id"), code, at, reference)]


def _is_signed(secret: str, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(from_base64(secret) or b"").verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


PROVIDER: Final = Provider(codes="telnyx", verify=verify, read=read, check_secret=check_secret)
