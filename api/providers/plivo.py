"""Plivo's requests: forms, signed over the URL, and by the newer scheme over the fields too.

Source: Plivo's documentation of signatures, incoming messages and message status callbacks, and
its library. Messaging sends the older signature, V2, which covers neither body nor query: so its
nonce, which is different in each request, may stand on one body only.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import quoteattr

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
from api.providers.reading import Fields, Form, form_of, international
from api.providers.signing import SIGNATURES, any_same, hmac_base64, raw
from api.providers.twilio import in_response, xml_text

_DELIVERED: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset({"failed", "undelivered", "rejected"})
_HANDLED: Final = {"optout": "STOP", "optin": "START", "help": "HELP"}


def verify(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the auth token signed: the newer signature counts wherever there is one."""
    headers = request.headers
    for scheme, canonical in (("v3", _canonical_v3), ("v2", _canonical_v2)):
        nonce = headers.get(f"x-plivo-signature-{scheme}-nonce", "")
        # The second header is the main account's signature, for a subaccount's request.
        named = (headers.get(f"x-plivo-signature-{name}") for name in (scheme, f"ma-{scheme}"))
        given = [each.strip() for header in named if header for each in header.split(",")]
        if given:
            try:
                signed = canonical(request, nonce)
            except (Malformed, ValueError):
                return False
            expected = [hmac_base64(secret, signed) for secret in secrets]
            same = [any_same(raw(each), expected) for each in given[:SIGNATURES]]
            return bool(nonce) and any(same)
    return False


def _canonical_v3(request: Request, nonce: str) -> bytes:
    url = urlsplit(request.url)
    query = sorted(parse_qsl(url.query, keep_blank_values=True))
    form = sorted(form_of(request.body))
    asked = "&".join(f"{name}={value}" for name, value in query)
    signed = f"{url.scheme}://{url.netloc}{url.path}"
    if asked or form:
        signed += f"?{asked}"
    if asked and form:
        signed += "."
    return raw(signed + "".join(name + value for name, value in form) + f".{nonce}")


def _canonical_v2(request: Request, nonce: str) -> bytes:
    url = urlsplit(request.url)
    return raw(f"{url.scheme}://{url.netloc}{url.path}{nonce}")


def nonce(request: Request) -> str | None:
    """The nonce of the older signature: whoever saw one request must not send another with it."""
    return request.headers.get("x-plivo-signature-v2-nonce")


def read(request: Request) -> Sequence[Fact]:
    """An incoming message or a status callback."""
    form: Form = form_of(request.body)
    fields = Fields(dict(form))
    if "Status" not in fields:
        return [_text(fields)]
    status = fields.text("Status").lower()
    recipient, message_id = international(fields.text("To")), fields.text("MessageUUID")
    if status not in _DELIVERED | _FAILED:
        return []
    code = DELIVERED if status in _DELIVERED else fields.may("ErrorCode") or UNKNOWN
    at = fields.instant("DeliveryReportTime") or fields.instant("SentTime")
    return [Report(recipient, message_id, code, at)]


def _text(fields: Fields) -> Text:
    return Text(
        sender=international(fields.text("From")),
        to=international(fields.text("To")),
        body=fields.words("Text" if "Text" in fields else "Body" if "Body" in fields else "Text"),
        message_id=fields.text("MessageUUID"),
        media_count=fields.count("MediaCount"),
        handled=_HANDLED.get((fields.may("MessageIntent") or "").lower()),
    )


def answer(replies: Sequence[Reply]) -> Answer:
    """A document that replies with the text, or with nothing."""
    messages = "".join(
        f"<Message src={quoteattr(_digits(each.sender))} dst={quoteattr(_digits(each.to))}>"
        f"{xml_text(each.text)}</Message>"
        for each in replies
    )
    return Answer(in_response(messages), "application/xml")


def _digits(number: str) -> str:
    return number.removeprefix("+")


PROVIDER: Final = Provider(codes="plivo", verify=verify, read=read, answer=answer, nonce=nonce)
