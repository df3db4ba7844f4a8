"""Vonage as it calls, by either of its interfaces."""

import hmac
import time
from hashlib import sha256

import jwt

from tests.api.clinic import DESK, fresh
from tests.providers.imitations.base import Call, Headers, Imitation, Payload, iso


class Vonage(Imitation):
    """JSON of the Messages API, a token with the body's digest."""

    name = "vonage"
    suppressing = "9"
    required = ("message_uuid", "from", "to", "text")
    stale_after = 25 * 3_600
    plus = False

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        found = {
            "channel": "sms",
            "message_uuid": message_id,
            "to": self.number(DESK),
            "from": self.number(number),
            "timestamp": iso(at),
        }
        if media:
            image = {"url": "https://example.com/a.jpg", "caption": body}
            return found | {"channel": "mms", "message_type": "image", "image": image}
        return found | {"message_type": "text", "text": body}

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        found = {
            "message_uuid": message_id,
            "to": self.number(number),
            "from": self.number(DESK),
            "timestamp": iso(None),
            "channel": "sms",
            "status": "delivered" if code is None else "rejected",
            "client_ref": reference,
        }
        place = f"https://developer.vonage.com/api-errors/messages#{code}"
        return found if code is None else found | {"error": {"type": place, "title": "Rejected"}}

    def on_the_way(self, number: str) -> Payload:
        return self.report(number, None, fresh()) | {"status": "submitted"}

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        claims = {"iat": int(at), "jti": fresh(), "iss": "Vonage", "api_key": "abcd1234"}
        claims["payload_hash"] = sha256(body).hexdigest()
        return {"authorization": f"Bearer {jwt.encode(claims, self.secret, algorithm='HS256')}"}


class VonageSms(Vonage):
    """JSON of the SMS API with a `sig`, HMAC-SHA512."""

    required = ("messageId", "msisdn", "to", "text")
    pictures = False
    _said = 0

    def _stamp(self, at: float | None = None) -> str:
        """The time in whole seconds: what is said next is said in the next one."""
        self._said += 1
        moment = time.time() + self._said if at is None else at
        return iso(moment).replace("T", " ")[:19]

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        return {
            "msisdn": self.number(number),
            "to": self.number(DESK),
            "messageId": message_id,
            "text": body,
            "type": "text",
            "keyword": body[:5].upper(),
            "api-key": "abcd1234",
            "message-timestamp": self._stamp(at),
            "nonce": fresh(),
        }

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        return {
            "msisdn": self.number(number),
            "to": "AcmeInc",
            "messageId": message_id,
            "status": "delivered" if code is None else "failed",
            "err-code": code or "0",
            "scts": "2001011400",
            "message-timestamp": self._stamp(),
            "client-ref": reference,
        }

    def on_the_way(self, number: str) -> Payload:
        return self.report(number, None, fresh()) | {"status": "buffered"}

    def call(self, url: str, payload: Payload, at: float | None = None) -> Call:
        stamped = {k: v for k, v in payload.items() if v is not None}
        stamped["timestamp"] = str(int(at or time.time()))
        text = "".join(
            f"&{k}={str(v).replace('&', '_').replace('=', '_')}" for k, v in sorted(stamped.items())
        )
        stamped["sig"] = hmac.new(self.secret.encode(), text.encode(), "sha512").hexdigest()
        return Call(url, self.encode(stamped), {"content-type": self.kind})
