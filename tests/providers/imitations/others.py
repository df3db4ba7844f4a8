"""Telnyx, Bandwidth, and any other sender by Standard Webhooks."""

import base64
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook

from tests.api.clinic import DESK, fresh
from tests.providers.imitations.base import Headers, Imitation, Payload, iso


class Telnyx(Imitation):
    """JSON, Ed25519 over the time and the body."""

    name = "telnyx"
    suppressing, unreachable = "40300", "40005"
    required = ("data/event_type", "data/payload/id", "data/payload/from/phone_number")
    stale_after = 300

    def new_secret(self) -> str:
        self.key = ed25519.Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(public).decode()

    def _event(self, kind: str, payload: Payload) -> Payload:
        event = {"event_type": kind, "id": fresh(), "occurred_at": iso(None), "payload": payload}
        return {"data": event | {"record_type": "event"}, "meta": {"attempt": 1}}

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        payload = {
            "id": message_id,
            "direction": "inbound",
            "type": "SMS",
            "from": {"phone_number": number, "carrier": "Verizon", "line_type": "Wireless"},
            "to": [{"phone_number": DESK}],
            "text": body,
            "media": [{"url": "https://example.com/a.jpg"}] * media,
            "received_at": iso(at),
        }
        return self._event("message.received", payload)

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        status = "delivered" if code is None else "delivery_failed"
        errors = [] if code is None else [{"code": code, "title": "No"}]
        payload = {
            "id": message_id,
            "direction": "outbound",
            "to": [{"phone_number": number, "status": status}],
            "errors": errors,
            "completed_at": iso(None),
            "tags": [reference] if reference else [],
        }
        return self._event("message.finalized", payload)

    def on_the_way(self, number: str) -> Payload:
        to = [{"phone_number": number, "status": "sent"}]
        return self._event("message.sent", {"id": fresh(), "to": to})

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        signature = self.key.sign(f"{int(at)}|".encode() + body)
        return {
            "telnyx-timestamp": str(int(at)),
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        }


class Bandwidth(Imitation):
    """Lists in JSON, user and password."""

    name = "bandwidth"
    unsigned = (401, "credentials-missing")
    suppressing = "4775"
    required = ("0/type", "0/message/id", "0/message/from")

    def new_secret(self) -> str:
        return f"ledger:{fresh()}"

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        message = {
            "id": message_id,
            "time": iso(at),
            "to": [DESK],
            "from": number,
            "text": body,
            "applicationId": "app",
            "media": ["https://example.com/a.jpg"] * media,
            "owner": DESK,
            "direction": "in",
            "segmentCount": 1,
        }
        return [{"type": "message-received", "time": iso(at), "to": DESK, "message": message}]

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        kind = "message-delivered" if code is None else "message-failed"
        message = {"id": message_id, "from": DESK, "to": [number], "tag": reference or ""}
        found: Payload = {"type": kind, "time": iso(None), "to": number, "message": message}
        return [found if code is None else found | {"errorCode": int(code)}]

    def on_the_way(self, number: str) -> Payload:
        found = self.report(number, None, fresh())
        return [found[0] | {"type": "message-sending"}]

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        return {"authorization": f"Basic {base64.b64encode(self.secret.encode()).decode()}"}


class Standard(Imitation):
    """Any sender's own requests, by Standard Webhooks."""

    name = "standard"
    suppressing, unreachable = "21610", "30003"
    required = ("type", "data/from", "data/to", "data/body", "data/message_id")
    stale_after = 300

    def new_secret(self) -> str:
        return f"whsec_{base64.b64encode(fresh().encode()).decode()}"

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        data = {"from": number, "to": DESK, "body": body, "message_id": message_id}
        more = {"received_at": iso(at), "media_count": media}
        return {"type": "message.received", "timestamp": iso(None), "data": data | more}

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        data = {"number": number, "provider": "twilio", "code": code or "delivered"}
        named = {"message_id": reference or message_id, "occurred_at": iso(None)}
        return {"type": "message.reported", "timestamp": iso(None), "data": data | named}

    def on_the_way(self, number: str) -> Payload:
        return self.report(number, None, fresh()) | {"type": "message.sent"}

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        name, moment = f"msg_{fresh()}", datetime.fromtimestamp(int(at), UTC)
        made = Webhook(self.secret).sign(name, moment, body.decode())
        return {
            "webhook-id": name,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": made,
        }
