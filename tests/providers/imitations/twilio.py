"""Twilio as it calls; its own library signs."""

import json
from hashlib import sha256
from typing import ClassVar
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.api.clinic import DESK, fresh
from tests.providers.imitations.base import Call, Headers, Imitation, Payload, pairs


class Twilio(Imitation):
    """Forms, HMAC-SHA1 over the URL and the fields; TwiML."""

    name = "twilio"
    suppressing, unreachable = "21610", "30003"
    required = ("MessageSid", "From", "To", "Body")
    timed = refers = False
    answers = "application/xml"
    kind = "application/x-www-form-urlencoded"
    method: ClassVar[str] = "HMAC_SHA1"

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        return {
            "ToCountry": "US",
            "SmsMessageSid": message_id,
            "NumMedia": str(media),
            "SmsSid": message_id,
            "SmsStatus": "received",
            "Body": body,
            "To": DESK,
            "MessageSid": message_id,
            "AccountSid": "AC1",
            "From": number,
        }

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        status = "delivered" if code is None else "undelivered"
        found = {"MessageSid": message_id, "MessageStatus": status, "To": number, "From": DESK}
        return found if code is None else found | {"ErrorCode": code}

    def on_the_way(self, number: str) -> Payload:
        return {"MessageSid": fresh(), "MessageStatus": "sent", "To": number, "From": DESK}

    def encode(self, payload: Payload) -> bytes:
        return urlencode(payload).encode()

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        fields = dict(pairs(body))
        oracle = RequestValidator(self.secret)
        return {"x-twilio-signature": oracle.compute_signature(url, fields, self.method)}


class TwilioSharedKey(Twilio):
    """The same by the newer shared key: HMAC-SHA256."""

    method = "HMAC_SHA256"

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
        return super().sign(url, body, at) | {"x-twilio-webhooks-signature-settings": settings}


class TwilioJson(Twilio):
    """The same as JSON: the body's digest is in the URL."""

    kind = "application/json"

    def encode(self, payload: Payload) -> bytes:
        return json.dumps(payload).encode()

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        return {"x-twilio-signature": RequestValidator(self.secret).compute_signature(url, {})}

    def call(self, url: str, payload: Payload, at: float | None = None) -> Call:
        digest = sha256(self.encode(payload)).hexdigest()
        return super().call(f"{url}?bodySHA256={digest}", payload, at)
