"""A contact's text as each provider would deliver it, vouched for as the provider does.

Only what a text cannot do without is in it; docs/how-to has the page of each provider.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

SEGMENT: Final = 160
"""Characters of one SMS in the GSM alphabet; Twilio counts how many a text took."""
ACCOUNT_SID: Final = f"AC{'0' * 32}"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


class Text(NamedTuple):
    """What the contact says, and where."""

    sender: str
    to: str
    body: str
    message_id: str


class Call(NamedTuple):
    """A request."""

    body: bytes
    headers: dict[str, str]


class CannotError(Exception):
    """The provider cannot be imitated, or not with this secret; says why in one line."""


def twilio(secret: str, url: str, text: Text) -> Call:
    """A form, HMAC-SHA1 over the URL and the fields in the order of their names."""
    form = {
        "ToCountry": "US",
        "FromCountry": "US",
        "SmsMessageSid": text.message_id,
        "SmsSid": text.message_id,
        "MessageSid": text.message_id,
        "SmsStatus": "received",
        "NumMedia": "0",
        "NumSegments": str(len(text.body) // SEGMENT + 1),
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": text.sender,
        "To": text.to,
        "Body": text.body,
    }
    signed = url + "".join(name + form[name] for name in sorted(form))
    return _form(form, {"X-Twilio-Signature": _hmac(secret, signed.encode(), "sha1")})


def plivo(secret: str, url: str, text: Text) -> Call:
    """A form, HMAC-SHA256 over the URL, the fields and a nonce."""
    form = {
        "From": text.sender.removeprefix("+"),
        "MessageUUID": text.message_id,
        "Text": text.body,
        "To": text.to.removeprefix("+"),
        "Type": "sms",
    }
    nonce, place = token_hex(10), urlsplit(url)
    fields = "".join(name + form[name] for name in sorted(form))
    signed = f"{place.scheme}://{place.netloc}{place.path}?"
    signed = f"{signed}{place.query}.{fields}" if place.query else f"{signed}{fields}"
    headers = {
        "X-Plivo-Signature-V3-Nonce": nonce,
        "X-Plivo-Signature-V3": _hmac(secret, f"{signed}.{nonce}".encode()),
    }
    return _form(form, headers)


def vonage(secret: str, url: str, text: Text) -> Call:
    """JSON of the Messages API, a token that holds the body's digest."""
    body = _json(
        {
            "channel": "sms",
            "message_uuid": text.message_id,
            "to": text.to.removeprefix("+"),
            "from": text.sender.removeprefix("+"),
            "timestamp": _now(),
            "message_type": "text",
            "text": text.body,
        }
    )
    claims = {"iat": int(time.time()), "jti": token_hex(8), "iss": "Vonage"}
    claims["payload_hash"] = sha256(body).hexdigest()
    header = _unpadded(_json({"alg": "HS256", "typ": "JWT"}))
    signed = f"{header}.{_unpadded(_json(claims))}"
    signature = _unpadded(hmac.digest(secret.encode(), signed.encode(), "sha256"))
    return Call(body, {"Content-Type": JSON, "Authorization": f"Bearer {signed}.{signature}"})


def sinch(secret: str, url: str, text: Text) -> Call:
    """JSON of the SMS API, HMAC-SHA256 over the body, a nonce and the time."""
    body = _json(
        {
            "type": "mo_text",
            "id": text.message_id,
            "from": text.sender.removeprefix("+"),
            "to": text.to.removeprefix("+"),
            "body": text.body,
            "received_at": _now(),
        }
    )
    nonce, at = token_hex(8), str(int(time.time()))
    headers = {
        "Content-Type": JSON,
        "X-Sinch-Webhook-Signature-Nonce": nonce,
        "X-Sinch-Webhook-Signature-Timestamp": at,
        "X-Sinch-Webhook-Signature-Algorithm": "HmacSHA256",
        "X-Sinch-Webhook-Signature": _hmac(secret, body + f".{nonce}.{at}".encode()),
    }
    return Call(body, headers)


def bandwidth(secret: str, url: str, text: Text) -> Call:
    """A list in JSON, user and password."""
    message = {
        "id": text.message_id,
        "time": _now(),
        "to": [text.to],
        "from": text.sender,
        "text": text.body,
    }
    event = {"type": "message-received", "time": _now(), "to": text.to, "message": message}
    credentials = base64.b64encode(secret.encode()).decode()
    headers = {"Content-Type": JSON, "Authorization": f"Basic {credentials}"}
    return Call(_json([event]), headers)


def telnyx(secret: str, url: str, text: Text) -> Call:
    """JSON, Ed25519 over the time and the body, by the private half of the endpoint's key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    payload = {
        "id": text.message_id,
        "from": {"phone_number": text.sender},
        "to": [{"phone_number": text.to}],
        "text": text.body,
        "received_at": _now(),
    }
    body = _json({"data": {"event_type": "message.received", "payload": payload}})
    try:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret, validate=True))
    except ValueError:
        raise CannotError(
            "Telnyx signs with a private key: for an endpoint with a key of your own, "
            "give its private half, 32 bytes in base64, as --auth-token"
        ) from None
    at = str(int(time.time()))
    headers = {
        "Content-Type": JSON,
        "Telnyx-Timestamp": at,
        "Telnyx-Signature-Ed25519": base64.b64encode(key.sign(f"{at}|".encode() + body)).decode(),
    }
    return Call(body, headers)


def aws_sns(secret: str, url: str, text: Text) -> Call:
    """Nobody but Amazon can."""
    raise CannotError("Amazon signs with a certificate of its own, so nobody else can imitate it")


def standard(secret: str, url: str, text: Text) -> Call:
    """The envelope of Standard Webhooks, for any other sender."""
    data = {
        "from": text.sender,
        "to": text.to,
        "body": text.body,
        "message_id": text.message_id,
        "received_at": _now(),
    }
    body = _json({"type": "message.received", "timestamp": _now(), "data": data})
    name, at = f"msg_{token_hex(12)}", str(int(time.time()))
    bare = secret.removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise CannotError("a secret of Standard Webhooks is base64, after whsec_") from None
    signature = base64.b64encode(hmac.digest(key, f"{name}.{at}.".encode() + body, "sha256"))
    headers = {
        "Content-Type": JSON,
        "Webhook-Id": name,
        "Webhook-Timestamp": at,
        "Webhook-Signature": f"v1,{signature.decode()}",
    }
    return Call(body, headers)


IMITATIONS: Final[Mapping[str, Callable[[str, str, Text], Call]]] = {
    "twilio": twilio,
    "telnyx": telnyx,
    "plivo": plivo,
    "vonage": vonage,
    "sinch": sinch,
    "bandwidth": bandwidth,
    "aws-sns": aws_sns,
    "standard": standard,
}
"""Every provider by its name; a test holds that none is missing."""


def _form(form: dict[str, str], headers: dict[str, str]) -> Call:
    return Call(urlencode(form).encode(), {"Content-Type": FORM, **headers})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _hmac(secret: str, signed: bytes, method: str = "sha256") -> str:
    return base64.b64encode(hmac.digest(secret.encode(), signed, method)).decode()


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
