"""Vonage's requests: those of the Messages API with a token, those of the SMS API with a `sig`.

Source: Vonage's documentation of signed webhooks, inbound messages, message status and delivery
receipts. A retry may carry the first attempt's time, and Vonage retries for a day.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from api.providers.base import (
    DELIVERED,
    UNKNOWN,
    Fact,
    Malformed,
    Provider,
    Report,
    Request,
    Text,
)
from api.providers.reading import Fields, form_of, from_json, international
from api.providers.signing import any_same, from_base64, is_fresh, raw

RETRIED_FOR: Final = 25 * 3_600
"""Seconds; an hour more than Vonage goes on retrying a webhook."""

_TOKEN: Final = re.compile(r"([\w-]{1,2000})\.([\w-]{1,8000})\.([\w-]{43})", re.ASCII)
# The method by the length of its digest: the account's choice is not told in the request.
_METHODS: Final = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
# With & or = in a name, other fields could be read out of the text that was signed.
_PLAIN_NAME: Final = re.compile(r"[^&=]+")
_FAILED: Final = frozenset({"failed", "expired", "rejected", "undeliverable"})


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the signature secret signed this request, by the token or the older `sig`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        claims = token_claims(token.strip(), secrets)
        return claims is not None and _fits(claims, request)
    try:
        fields = _members(request)
    except Malformed:
        return False
    fresh = is_fresh(str(fields.get("timestamp", "")), request.now, before=RETRIED_FOR)
    return fresh and is_signed(fields, secrets)


def token_claims(token: str, secrets: Sequence[str]) -> dict[str, Any] | None:
    """What a JSON Web Token says, if one of the secrets signed it by HS256; else None."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    signed = raw(f"{parts[1]}.{parts[2]}")
    given = _unpadded(parts[3])
    header, claims = _object(_unpadded(parts[1])), _object(_unpadded(parts[2]))
    good = any_same(given or b"", (hmac.digest(raw(s), signed, "sha256") for s in secrets))
    return claims if good and header is not None and header.get("alg") == "HS256" else None


def is_signed(fields: Mapping[str, Any], secrets: Sequence[str]) -> bool:
    """Whether `sig` is the HMAC of the other fields, by whichever method the account chose."""
    given = str(fields.get("sig", "")).lower()
    method = _METHODS.get(len(given))
    rest = {name: value for name, value in fields.items() if name != "sig"}
    if method is None or not all(map(_PLAIN_NAME.fullmatch, rest)):
        return False
    shown = ((name, str(value)) for name, value in sorted(rest.items()))
    signed = "".join(f"&{name}={re.sub('[&=]', '_', value)}" for name, value in shown)
    expected = [hmac.new(raw(s), raw(signed), method).hexdigest().encode() for s in secrets]
    return any_same(raw(given), expected)


def _fits(claims: dict[str, Any], request: Request) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp", request.now + 1)
    if not isinstance(issued, int) or not isinstance(expires, int | float):
        return False
    fresh = is_fresh(str(issued), request.now, before=RETRIED_FOR) and expires > request.now
    claimed = raw(str(claims.get("payload_hash", "")).lower())
    return fresh and any_same(claimed, [sha256(request.body).hexdigest().encode()])


def _object(data: bytes | None) -> dict[str, Any] | None:
    try:
        found = from_json(data or b"")
    except Malformed:
        return None
    return found if isinstance(found, dict) else None


def _unpadded(text: str) -> bytes | None:
    return from_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _members(request: Request) -> dict[str, Any]:
    if not request.is_json:
        return dict(form_of(request.body))
    found = from_json(request.body)
    if not isinstance(found, dict):
        raise Malformed("body", "is not an object")
    return found


def read(request: Request) -> Sequence[Fact]:
    """An incoming message, a message status or a delivery receipt."""
    fields = Fields(_members(request))
    if "message_uuid" in fields or "channel" in fields:
        return _status(fields) if "status" in fields else [_message(fields)]
    return _receipt(fields) if "status" in fields else [_sms(fields)]


def _message(fields: Fields) -> Text:
    kind = fields.may("message_type") or "text"
    media = 0 if kind in ("text", "button", "reply", "unsupported") else 1
    caption = fields.optional(kind).may("caption") if media else None
    return Text(
        sender=international(fields.text("from")),
        to=international(fields.text("to")),
        body=fields.words("text") if "text" in fields or not media else caption or "",
        message_id=fields.text("message_uuid"),
        media_count=media,
        at=fields.instant("timestamp"),
    )


def _status(fields: Fields) -> Sequence[Report]:
    status = fields.text("status")
    recipient, message_id = international(fields.text("to")), fields.text("message_uuid")
    at, reference = fields.instant("timestamp"), fields.may("client_ref")
    if status in ("delivered", "read"):
        return [Report(recipient, message_id, DELIVERED, at, reference)]
    if status not in _FAILED:
        return []
    error = fields.optional("error")
    code = (error.may("type") or "").rpartition("#")[2] or error.may("title") or UNKNOWN
    return [Report(recipient, message_id, code, at, reference)]


def _sms(fields: Fields) -> Text:
    return Text(
        sender=international(fields.text("msisdn")),
        to=international(fields.text("to")),
        body="" if fields.may("type") == "binary" else fields.words("text"),
        message_id=fields.text("messageId"),
        at=fields.instant("message-timestamp"),
    )


def _receipt(fields: Fields) -> Sequence[Report]:
    """A delivery receipt: `msisdn` is the phone that the text went to."""
    status = fields.text("status").lower()
    recipient, message_id = international(fields.text("msisdn")), fields.text("messageId")
    at, reference = fields.instant("message-timestamp"), fields.may("client-ref")
    if status == "delivered":
        return [Report(recipient, message_id, DELIVERED, at, reference)]
    if status not in _FAILED:
        return []
    code = fields.may("err-code") or UNKNOWN
    # Zero would be a success; with another status the receipt does not say what failed.
    return [Report(recipient, message_id, code if code.strip("0") else UNKNOWN, at, reference)]


PROVIDER: Final = Provider(codes="vonage", verify=verify, read=read)
