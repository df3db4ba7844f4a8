"""Plivo as it calls; its own library signs by the newer scheme."""

import base64
import hmac
from urllib.parse import urlencode, urlsplit

from plivo.utils.signature_v3 import (  # type: ignore[import-untyped]
    construct_post_url,
    get_signature_v3,
)

from tests.api.clinic import DESK, fresh
from tests.providers.imitations.base import Headers, Imitation, Payload, pairs


class Plivo(Imitation):
    """Forms, HMAC-SHA256 over the URL, the fields and a nonce; XML."""

    name = "plivo"
    suppressing = "200"
    required = ("MessageUUID", "From", "To", "Text")
    timed = refers = plus = False
    answers = "application/xml"
    kind = "application/x-www-form-urlencoded"

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        found = {"From": self.number(number), "To": self.number(DESK), "MessageUUID": message_id}
        if media:
            return found | {"Type": "mms", "Body": body, "MediaCount": media}
        return found | {"Type": "sms", "Text": body}

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        found = {"From": self.number(DESK), "To": self.number(number), "MessageUUID": message_id}
        status = "delivered" if code is None else "undelivered"
        return found | {"Status": status, "ErrorCode": code or "000"}

    def on_the_way(self, number: str) -> Payload:
        found = {"From": self.number(DESK), "To": self.number(number), "MessageUUID": fresh()}
        return found | {"Status": "sent"}

    def encode(self, payload: Payload) -> bytes:
        return urlencode(payload).encode()

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        nonce = fresh()
        signed = construct_post_url(url, dict(pairs(body))).decode()
        made = get_signature_v3(self.secret.encode(), signed, nonce).decode()
        return {"x-plivo-signature-v3-nonce": nonce, "x-plivo-signature-v3": made}


class PlivoV2(Plivo):
    """The older signature, which messaging sends."""

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        nonce, place = fresh(), urlsplit(url)._replace(query="").geturl()
        made = hmac.digest(self.secret.encode(), f"{place}{nonce}".encode(), "sha256")
        return {
            "x-plivo-signature-v2-nonce": nonce,
            "x-plivo-signature-v2": base64.b64encode(made).decode(),
        }
