"""Sinch's requests: those of the SMS API and of the Conversation API, both JSON.

Source: Sinch's documentation of webhooks, and its library. They are signed over the body, a nonce
and the time; the SMS API may send credentials instead. What the Numbers API signs tells of no
message. A retry may carry the first attempt's time, and Sinch retries for two days.
"""

import hmac
from collections.abc import Sequence
from typing import Final

from api.providers.base import DELIVERED, UNKNOWN, Fact, Provider, Report, Request, Text
from api.providers.reading import Fields, international, json_fields
from api.providers.signing import any_same, has_basic_credentials, hmac_base64, is_fresh, raw

SIGNATURE_HEADER: Final = "x-sinch-webhook-signature"
NUMBERS_HEADER: Final = "x-sinch-signature"
RETRIED_FOR: Final = 49 * 3_600
"""Seconds; an hour more than all of Sinch's retries take, each twice as late as the one before."""

_DELIVERED: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset(
    {"failed", "aborted", "rejected", "expired", "deleted", "cancelled", "unknown"}
)


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the secret signed this request, or is its `user:password`."""
    headers = request.headers
    if SIGNATURE_HEADER in headers:
        nonce = headers.get(f"{SIGNATURE_HEADER}-nonce", "")
        at = headers.get(f"{SIGNATURE_HEADER}-timestamp", "")
        signed = request.body + raw(f".{nonce}.{at}")
        expected = [hmac_base64(secret, signed) for secret in secrets]
        fresh = is_fresh(at, request.now, before=RETRIED_FOR)
        return any_same(raw(headers[SIGNATURE_HEADER]), expected) and fresh and bool(nonce)
    if NUMBERS_HEADER in headers:
        numbers = [hmac.new(raw(s), request.body, "sha1").hexdigest().encode() for s in secrets]
        return any_same(raw(headers[NUMBERS_HEADER]), numbers)
    return has_basic_credentials(request, secrets)


def read(request: Request) -> Sequence[Fact]:
    """Messages and the ends of messages; anything else tells nothing."""
    if SIGNATURE_HEADER not in request.headers and NUMBERS_HEADER in request.headers:
        return []
    event = json_fields(request)
    if "message_delivery_report" in event:
        return _conversation_report(event)
    if "message" in event:
        return [_conversation_text(event.inside("message"))]
    kind = event.may("type") or ""
    if kind.startswith("mo_"):
        return [_text(event, kind)]
    if kind.startswith("recipient_delivery_report_"):
        return _report(event, event, event.text("recipient"))
    if kind.startswith("delivery_report_"):
        return [
            report
            for status in event.each("statuses")
            for recipient in status.items("recipients")
            for report in _report(event, status, str(recipient))
        ]
    return []


def _text(event: Fields, kind: str) -> Text:
    media = event.inside("body") if kind == "mo_media" else None
    if media is not None:
        body = media.may("message") or media.may("subject") or ""
    else:
        # Bytes of a binary message are no words; that it came is recorded all the same.
        body = "" if kind == "mo_binary" else event.words("body")
    return Text(
        sender=international(event.text("from")),
        to=international(event.text("to")),
        body=body,
        message_id=event.text("id"),
        media_count=len(media.items("media")) if media is not None else 0,
        at=event.instant("received_at"),
    )


def _report(event: Fields, state: Fields, recipient: str) -> Sequence[Report]:
    code = _code(state.text("status"), state.may("code"))
    if code is None:
        return []
    batch, reference = event.text("batch_id"), event.may("client_reference")
    return [Report(international(recipient), batch, code, event.instant("at"), reference)]


def _conversation_text(message: Fields) -> Text:
    said = message.inside("contact_message")
    media = 1 if "media_message" in said else 0
    words = said.optional("text_message").may("text")
    choice = said.optional("choice_response_message").may("postback_data")
    return Text(
        sender=international(message.inside("channel_identity").text("identity")),
        to=international(message.may("sender_id") or ""),
        body=words or choice or "",
        message_id=message.text("id"),
        media_count=media,
        at=message.instant("accept_time"),
    )


def _conversation_report(event: Fields) -> Sequence[Report]:
    report = event.inside("message_delivery_report")
    reason = report.optional("reason")
    code = _code(report.text("status"), reason.may("channel_code") or reason.may("code"))
    if code is None:
        return []
    recipient = international(report.inside("channel_identity").text("identity"))
    reference = report.may("metadata") or event.may("correlation_id")
    at = event.instant("event_time")
    return [Report(recipient, report.text("message_id"), code, at, reference)]


def _code(status: str, code: str | None) -> str | None:
    """The code to classify; None for a message that is still on its way."""
    if status.lower() in _DELIVERED:
        return DELIVERED
    if status.lower() not in _FAILED:
        return None
    return code if code is not None and code.strip("0") else UNKNOWN


PROVIDER: Final = Provider(codes="sinch", verify=verify, read=read)
