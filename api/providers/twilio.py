"""Twilio's requests: is it theirs, what does it say, and what to answer in TwiML.

Source: Twilio's documentation of request security, incoming messages and status callbacks, and for
the signature by a shared key its library. A request is a form or JSON.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit
from xml.sax.saxutils import escape

from api.providers.base import (
    DELIVERED,
    UNKNOWN,
    Answer,
    Fact,
    Malformed,
    Provider,
    Reply,
    Report,
    Request,
    Text,
)
from api.providers.reading import Fields, Form, form_of, json_fields
from api.providers.signing import any_same, hmac_base64, raw

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
SETTINGS_HEADER: Final = "X-Twilio-Webhooks-Signature-Settings"
"""Names the shared key and the method, where the auth token did not sign."""
REFERENCE: Final = "message_id"
"""The field of the callback's query in which a sender may write its own id of the text."""

_METHODS: Final = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_DEFAULT_PORTS: Final = {"https": 443}
_DELIVERED: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset({"failed", "undelivered"})
# XML 1.0 section 2.2 allows no other control characters, and no surrogates.
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the auth token or a shared key signed this request. Never raises."""
    settings = request.headers.get(SETTINGS_HEADER.lower(), "")
    named = re.search(r"(?:^|,)\s*algorithm\s*=\s*([^,\s][^,]*)", settings)
    method = _METHODS.get(named[1].strip().upper() if named else "HMAC_SHA1")
    try:
        form = None if request.is_json else form_of(request.body)
    except Malformed:
        return False
    signature = request.headers.get(SIGNATURE_HEADER.lower(), "")
    if method is None:
        return False
    return is_signed(secrets, request.url, form, request.body, signature, method)


def is_signed(
    secrets: Sequence[str],
    url: str,
    form: Form | None,
    body: bytes,
    signature: str,
    method: str = "sha1",
) -> bool:
    """Whether one of the secrets signed: base64 of an HMAC over the URL and the fields.

    `url` is the one that Twilio called, query included; `form` the fields in any order, or None
    for another kind of body, which must then carry its SHA-256 in the query.
    """
    try:
        parts = urlsplit(url)
        urls = (_with_port(parts), _without_port(parts))
    except ValueError:
        return False
    if form is None and not _body_is_signed(parts, body):
        return False
    signed = [raw(each + _fields(form or ())) for each in urls]
    expected = [hmac_base64(secret, data, method) for secret in secrets for data in signed]
    return any_same(raw(signature), expected)


def read(request: Request) -> Sequence[Fact]:
    """An incoming message or a status callback."""
    fields = json_fields(request) if request.is_json else Fields(dict(form_of(request.body)))
    if fields.may("MessageStatus") in (None, "received"):
        return [read_text(fields)]
    found = read_report(fields, _reference(request.url))
    return [] if found is None else [found]


def read_text(fields: Fields) -> Text:
    """An incoming message."""
    return Text(
        sender=fields.text("From"),
        to=fields.text("To"),
        body=fields.words("Body"),
        message_id=fields.text("MessageSid"),
        media_count=fields.count("NumMedia"),
        handled=fields.may("OptOutType"),
    )


def read_report(fields: Fields, reference: str | None = None) -> Report | None:
    """A status callback; None for statuses on the way (queued, sent) and for 'canceled', as they
    say nothing about the number."""
    status = fields.text("MessageStatus").lower()
    recipient, message_id = fields.text("To"), fields.text("MessageSid")
    if status not in _DELIVERED | _FAILED:
        return None
    code = DELIVERED if status in _DELIVERED else fields.may("ErrorCode") or UNKNOWN
    return Report(recipient, message_id, code, reference=reference)


def answer(replies: Sequence[Reply]) -> Answer:
    """TwiML that replies with the text, or with nothing."""
    messages = "".join(f"<Message>{xml_text(each.text)}</Message>" for each in replies)
    return Answer(in_response(messages), "application/xml")


def in_response(content: str) -> bytes:
    """A document that tells the provider what to send."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{content}</Response>'.encode()


def xml_text(text: str) -> str:
    """A text as XML can carry it."""
    return escape(_NOT_XML.sub("", text))


def _reference(url: str) -> str | None:
    return parse_qs(urlsplit(url).query).get(REFERENCE, [None])[0]


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
    return hmac.compare_digest(sha256(body).hexdigest().encode(), raw(claimed))


def _fields(form: Form) -> str:
    # A field given twice with one value counts once, as the sender's own library has it.
    return "".join(name + value for name, value in sorted(set(form)))


PROVIDER: Final = Provider(codes="twilio", verify=verify, read=read, answer=answer)
