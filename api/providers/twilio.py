"""Twilio's requests: is it theirs, what does it say, and what to answer in TwiML.

Source: Twilio's documentation of request security, incoming messages and status callbacks. No
rule lives here; numbers and words are handed on as they came.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit
from xml.sax.saxutils import escape

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
CONTENT_TYPE: Final = "application/xml"
"""Of the bytes that `answer` gives."""

Form = Sequence[tuple[str, str]]

_DEFAULT_PORTS: Final = {"https": 443}
_DELIVERED: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset({"failed", "undelivered"})
# XML 1.0 section 2.2 allows no other control characters, and no surrogates.
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


class MalformedRequest(ValueError):
    """A field is missing or unreadable. Names the field, never its content."""

    def __init__(self, field: str, problem: str = "is missing") -> None:
        super().__init__(f"the field {field} {problem}")
        self.field = field


@dataclass(frozen=True, slots=True, repr=False)
class InboundText:
    """One incoming message, as Twilio wrote it; media are counted and never fetched (R-K7)."""

    sender: str
    to: str
    body: str
    message_id: str
    media_count: int
    opt_out_type: str | None  # STOP, START or HELP where Twilio itself acted on the word

    def __repr__(self) -> str:
        return f"InboundText(message_id={self.message_id!r}, media_count={self.media_count})"


@dataclass(frozen=True, slots=True, repr=False)
class DeliveryReport:
    """One status callback. `code` is for `carrier.classify`, if the status is `final`."""

    recipient: str
    message_id: str
    status: str
    code: str
    final: bool

    def __repr__(self) -> str:
        return f"DeliveryReport(message_id={self.message_id!r}, status={self.status!r})"


def verify(
    auth_tokens: Sequence[str], url: str, form: Form | None, body: bytes, signature: str
) -> bool:
    """Whether one of the account's tokens signed this request: base64 of HMAC-SHA1.

    `url` is the one that Twilio called, query included; `form` the fields in any order, or None
    for another kind of body, which must then carry its SHA-256 in the query. Never raises.
    """
    try:
        parts = urlsplit(url)
        urls = (_with_port(parts), _without_port(parts))
    except ValueError:
        return False
    if form is None and not _body_is_signed(parts, body):
        return False
    signed = [_bytes(each + _fields(form or ())) for each in urls]
    given = _bytes(signature)
    # Every signature is computed before any counts: the time taken must not tell which was near.
    same = [hmac.compare_digest(_sign(t, data), given) for t in auth_tokens for data in signed]
    return any(same)


def is_delivery_report(form: Form) -> bool:
    """Whether the request is a status callback and not an incoming message."""
    return any(name == "MessageStatus" and value != "received" for name, value in form)


def read(form: Form) -> InboundText:
    """An incoming message. Raises MalformedRequest naming the field that is missing."""
    fields = dict(form)
    media = fields.get("NumMedia") or "0"
    if not re.fullmatch("[0-9]{1,3}", media):
        raise MalformedRequest("NumMedia", "is not a small number")
    return InboundText(
        sender=_required(fields, "From"),
        to=_required(fields, "To"),
        body=_present(fields, "Body"),
        message_id=_required(fields, "MessageSid"),
        media_count=int(media),
        opt_out_type=fields.get("OptOutType") or None,
    )


def read_report(form: Form) -> DeliveryReport:
    """A status callback. Raises MalformedRequest naming the field that is missing.

    A failure without an ErrorCode has the code 'unknown'. Statuses on the way (queued, sent) and
    'canceled' are not final: they say nothing about the number.
    """
    fields = dict(form)
    status = _required(fields, "MessageStatus").lower()
    code = "delivered" if status in _DELIVERED else fields.get("ErrorCode") or "unknown"
    return DeliveryReport(
        recipient=_required(fields, "To"),
        message_id=_required(fields, "MessageSid"),
        status=status,
        code=code,
        final=status in _DELIVERED | _FAILED,
    )


def answer(text: str | None) -> bytes:
    """TwiML that replies with the text, or with nothing for None."""
    message = f"<Message>{escape(_NOT_XML.sub('', text))}</Message>" if text else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'.encode()


def _required(fields: dict[str, str], name: str) -> str:
    value = _present(fields, name)
    if not value:
        raise MalformedRequest(name, "is empty")
    return value


def _present(fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise MalformedRequest(name)
    return fields[name]


def _with_port(url: SplitResult) -> str:
    if url.port:
        return url.geturl()
    return url._replace(netloc=f"{url.netloc}:{_DEFAULT_PORTS.get(url.scheme, 80)}").geturl()


def _without_port(url: SplitResult) -> str:
    if not url.port:
        return url.geturl()
    return url._replace(netloc=url.netloc.rpartition(":")[0]).geturl()


def _body_is_signed(url: SplitResult, body: bytes) -> bool:
    claimed = parse_qs(url.query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(sha256(body).hexdigest().encode(), _bytes(claimed))


def _fields(form: Form) -> str:
    # A field given twice with one value counts once, as the sender's own library has it.
    return "".join(name + value for name, value in sorted(set(form)))


def _sign(token: str, data: bytes) -> bytes:
    return b64encode(hmac.digest(_bytes(token), data, "sha1"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
