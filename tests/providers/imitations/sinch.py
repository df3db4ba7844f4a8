"""Sinch as it calls, by either of its interfaces."""

import base64
import hmac
from typing import ClassVar

from tests.api.clinic import DESK, fresh
from tests.providers.imitations.base import Headers, Imitation, Payload, iso


class Sinch(Imitation):
    """JSON of the SMS API, HMAC-SHA256 over the body, a nonce and the time."""

    name = "sinch"
    suppressing = "257"
    required: ClassVar[tuple[str, ...]] = ("id", "from", "to", "body")
    stale_after = 49 * 3_600
    plus = False

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        found = {
            "type": "mo_text",
            "id": message_id,
            "from": self.number(number),
            "to": self.number(DESK),
            "body": body,
            "received_at": iso(at),
        }
        pictures = [{"url": "https://example.com/a.jpg"}] * media
        rich = {"type": "mo_media", "body": {"message": body, "media": pictures}}
        return found | rich if media else found

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        return {
            "type": "recipient_delivery_report_sms",
            "batch_id": message_id,
            "recipient": self.number(number),
            "code": int(code or 0),
            "status": "Delivered" if code is None else "Failed",
            "at": iso(None),
            "client_reference": reference,
        }

    def on_the_way(self, number: str) -> Payload:
        return self.report(number, "401", fresh()) | {"status": "Dispatched"}

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        nonce, stamp = fresh(), str(int(at))
        made = hmac.digest(self.secret.encode(), body + f".{nonce}.{stamp}".encode(), "sha256")
        return {
            "x-sinch-webhook-signature": base64.b64encode(made).decode(),
            "x-sinch-webhook-signature-nonce": nonce,
            "x-sinch-webhook-signature-timestamp": stamp,
            "x-sinch-webhook-signature-algorithm": "HmacSHA256",
        }


class SinchConversation(Sinch):
    """JSON of the Conversation API."""

    required = ("message/id", "message/channel_identity/identity", "message/contact_message")

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        said: Payload = {"text_message": {"text": body}}
        if media:
            said["media_message"] = {"url": "https://example.com/a.jpg"}
        message = {
            "id": message_id,
            "direction": "TO_APP",
            "contact_message": said,
            "channel_identity": {"channel": "SMS", "identity": self.number(number)},
            "sender_id": self.number(DESK),
            "accept_time": iso(at),
        }
        return {"app_id": "01", "accepted_time": iso(None), "message": message}

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        report = {
            "message_id": message_id,
            "status": "DELIVERED" if code is None else "FAILED",
            "channel_identity": {"channel": "SMS", "identity": self.number(number)},
            "metadata": reference or "",
        }
        if code is not None:
            report["reason"] = {"code": "OUTBOUND_BLOCKED", "channel_code": code}
        return {"app_id": "01", "event_time": iso(None), "message_delivery_report": report}

    def on_the_way(self, number: str) -> Payload:
        found = self.report(number, None, fresh())
        found["message_delivery_report"]["status"] = "QUEUED_ON_CHANNEL"
        return found
