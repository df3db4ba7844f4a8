"""Any sender's own requests, signed by Standard Webhooks: for a provider that is not listed here.

The body is what `POST /v1/inbound-messages` and `POST /v1/carrier-reports` take, in an envelope:
`{"type": "message.received" or "message.reported", "data": {...}}`.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from api.providers.base import Fact, Provider, Report, Request, Text
from api.providers.reading import Fields, json_fields
from api.providers.signing import (
    FIVE_MINUTES,
    SIGNATURES,
    any_same,
    from_base64,
    is_fresh,
    raw,
)

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = range(24, 65)
"""What Standard Webhooks asks of a secret."""


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether one of the signatures is by one of the secrets, not more than five minutes ago."""
    headers = request.headers
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not name or not is_fresh(at, request.now, before=FIVE_MINUTES):
        return False
    signed = raw(f"{name}.{at}.") + request.body
    keys = [key for key in map(key_of, secrets) if key]
    expected = [b"v1," + b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    given = headers.get("webhook-signature", "").split(" ")
    same = [any_same(raw(each), expected) for each in given[:SIGNATURES]]
    return any(same)


def key_of(secret: str) -> bytes | None:
    """The bytes of a secret, which is base64 with or without its prefix and padding."""
    text = secret.removeprefix(PREFIX).rstrip("=")
    return from_base64(text + "=" * (-len(text) % 4))


def check_secret(secret: str) -> str | None:
    """What is wrong with a secret."""
    key = key_of(secret)
    good = key is not None and len(key) in SECRET_BYTES
    return None if good else "is not base64 of 24 to 64 bytes, with or without whsec_ before it"


def read(request: Request) -> Sequence[Fact]:
    """One message that came in, or what became of one; other types tell nothing."""
    event = json_fields(request)
    match event.text("type"):
        case "message.received":
            return [_text(event.inside("data"))]
        case "message.reported":
            return [_report(event.inside("data"))]
        case _:
            return []


def _text(data: Fields) -> Text:
    return Text(
        sender=data.text("from"),
        to=data.text("to"),
        body=data.words("body"),
        message_id=data.text("message_id"),
        media_count=data.count("media_count"),
        at=data.instant("received_at"),
    )


def _report(data: Fields) -> Report:
    message_id = data.text("message_id")
    return Report(
        recipient=data.text("number"),
        message_id=message_id,
        code=data.words("code"),
        at=data.instant("occurred_at"),
        reference=message_id,
        provider=data.may("provider"),
    )


PROVIDER: Final = Provider(codes="other", verify=verify, read=read, check_secret=check_secret)
