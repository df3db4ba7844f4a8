"""What every provider's file is made of: a request goes in, what it tells comes out.

A provider's file verifies, reads and answers. It is pure: bytes, headers, secrets, the public URL
and the time go in, and no rule lives in it. Numbers and words are handed on as they came.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec


class Malformed(ValueError):
    """A field is missing or unreadable. Names the field, never its content."""

    def __init__(self, field: str, problem: str = "is missing") -> None:
        super().__init__(f"the field {field} {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request, as the provider sent it to the public URL, at `now` in seconds since 1970.

    Names of headers are in lower case. `certificate` is what the request's own address named, for
    a provider that signs with one.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    now: float
    certificate: bytes | None = None

    @property
    def is_json(self) -> bool:
        """Whether the body says that it is JSON."""
        return "json" in self.headers.get("content-type", "").lower()

    def __repr__(self) -> str:
        return f"Request(bytes={len(self.body)})"


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """A contact's text; media are counted and never fetched (R-K7). `at` in microseconds.

    `handled` is the word that the provider itself acted on and answered: STOP, START or HELP.
    """

    sender: str
    to: str
    body: str
    message_id: str
    media_count: int = 0
    at: int | None = None
    handled: str | None = None

    def __repr__(self) -> str:
        return f"Text(message_id={self.message_id!r}, media_count={self.media_count})"


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What finally became of a text; `code` is for `carrier.classify`.

    `reference` is the sender's own id of the text, where the provider hands it back. `provider` is
    whose code it is, where that is not the provider that tells.
    """

    recipient: str
    message_id: str
    code: str
    at: int | None = None
    reference: str | None = None
    provider: str | None = None

    def __repr__(self) -> str:
        return f"Report(message_id={self.message_id!r})"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The provider asks whether its webhooks are wanted here: yes, by a GET of this address."""

    url: str


Fact = Text | Report | Confirmation


class Reply(NamedTuple):
    """A text to send: `sender` is the number that the contact had texted."""

    kind: str
    to: str
    sender: str
    text: str


class Answer(NamedTuple):
    """The body of the answer to a provider, and its media type."""

    body: bytes
    media_type: str


DELIVERED: Final = "delivered"
"""The code of a success, whatever the provider's own is."""
UNKNOWN: Final = "unknown"
"""The code of a failure that the provider gives no reason for."""


def in_json(replies: Sequence[Reply]) -> Answer:
    """For a provider that sends nothing by itself: whoever relays the request can."""
    shown = [{"kind": each.kind, "to": each.to, "text": each.text} for each in replies]
    return Answer(msgspec.json.encode({"replies": shown}), "application/json")


def not_empty(secret: str) -> str | None:
    """What is wrong with a shared secret: nothing, as any text may be one."""
    return None if secret.strip() else "is empty"


def no_nonce(request: Request) -> str | None:
    """For a provider whose signature covers the whole request."""
    return None


def no_certificate(request: Request, secrets: Sequence[str]) -> str | None:
    """For a provider that signs with a shared secret or a key that is known."""
    return None


def no_challenge(request: Request) -> bool:
    """For a provider that vouches for its first request at once."""
    return False


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: how its requests are verified, read and answered.

    `codes` names it in the table of delivery codes. `check_secret` says what is wrong with a text
    that is to be its secret. `nonce` is a value that may stand on one body only, where the
    signature does not cover the body. `certificate_url` is where the signer's certificate lies, if
    the request names a place that may be asked. `awaits_challenge` is whether a request that does
    not vouch for itself comes again, with user and password, once it was asked for them.
    """

    codes: str
    verify: Callable[[Request, Sequence[str]], bool]
    read: Callable[[Request], Sequence[Fact]]
    answer: Callable[[Sequence[Reply]], Answer] = in_json
    check_secret: Callable[[str], str | None] = not_empty
    nonce: Callable[[Request], str | None] = no_nonce
    certificate_url: Callable[[Request, Sequence[str]], str | None] = no_certificate
    awaits_challenge: Callable[[Request], bool] = no_challenge
