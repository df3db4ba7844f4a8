"""Bandwidth's requests: lists of events in JSON, let in by user and password.

Source: Bandwidth's documentation of messaging webhooks. Each event may come more than once.
Bandwidth sends a request without credentials first, and with them only after a 401 that asks for
them; to anything else it says no more, and the text is lost.
"""

from collections.abc import Sequence
from typing import Final

from api.providers.base import DELIVERED, UNKNOWN, Fact, Malformed, Provider, Report, Request, Text
from api.providers.reading import FACTS, Fields, from_json
from api.providers.signing import (
    has_basic_credentials,
    has_no_credentials,
    user_and_password,
)


def read(request: Request) -> Sequence[Fact]:
    """Every event of the list, in its order; those on the way tell nothing."""
    events = from_json(request.body)
    if not isinstance(events, list) or len(events) > FACTS:
        raise Malformed("body", f"is not a list of at most {FACTS}")
    found = [_read(Fields(event, str(i))) for i, event in enumerate(events)]
    return [fact for fact in found if fact is not None]


def _read(event: Fields) -> Fact | None:
    match event.text("type"):
        case "message-received":
            return _text(event, event.inside("message"))
        case "message-delivered":
            return _report(event, DELIVERED)
        case "message-failed":
            return _report(event, event.may("errorCode") or UNKNOWN)
        case _:
            return None


def _text(event: Fields, message: Fields) -> Text:
    media = len(message.items("media"))
    return Text(
        sender=message.text("from"),
        to=event.may("to") or message.may("owner") or "",
        body=message.words("text") if "text" in message or not media else "",
        message_id=message.text("id"),
        media_count=media,
        at=message.instant("time") or event.instant("time"),
    )


def _report(event: Fields, code: str) -> Report:
    message = event.inside("message")
    at = event.instant("time")
    return Report(event.text("to"), message.text("id"), code, at, message.may("tag"))


PROVIDER: Final = Provider(
    codes="bandwidth",
    verify=has_basic_credentials,
    read=read,
    check_secret=user_and_password,
    awaits_challenge=has_no_credentials,
)
