"""What every imitation of a provider has to say of itself."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.api.clinic import fresh

Payload = Any
Headers = dict[str, str]


@dataclass
class Call:
    """One request of a provider, signed for its URL."""

    url: str
    body: bytes
    headers: Headers = field(default_factory=dict)


class Imitation:
    """A provider. Its payloads are those that its documentation shows."""

    name: ClassVar[str]
    suppressing: ClassVar[str]
    """A code that suppresses at once."""
    unreachable: ClassVar[str | None] = None
    """A code that counts in a row, where the provider has one."""
    required: ClassVar[tuple[str, ...]]
    """Where the fields of a text lie that it cannot do without."""
    stale_after: ClassVar[int | None] = None
    """Seconds after which a signature no longer counts, where it has a time."""
    timed: ClassVar[bool] = True
    """Whether the provider tells when a text came."""
    refers: ClassVar[bool] = True
    """Whether a report hands the sender's own id back in what is signed."""
    plus: ClassVar[bool] = True
    """Whether numbers are written with a plus."""
    pictures: ClassVar[bool] = True
    """Whether a text may bring media."""
    unsigned: ClassVar[tuple[int, str]] = (403, "signature-mismatch")
    """What a request is answered that nothing vouches for."""
    answers: ClassVar[str] = "application/json"
    kind: ClassVar[str] = "application/json"

    def __init__(self, secret: str | None = None) -> None:
        self.secret = secret or self.new_secret()

    def new_secret(self) -> str:
        """A secret of the kind that the provider gives out."""
        return fresh()

    def number(self, e164: str) -> str:
        """A number as the provider writes it."""
        return e164 if self.plus else e164.removeprefix("+")

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        """A contact's text."""
        raise NotImplementedError

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        """What became of a text; None for its delivery."""
        raise NotImplementedError

    def on_the_way(self, number: str) -> Payload:
        """A report that tells nothing yet."""
        raise NotImplementedError

    def encode(self, payload: Payload) -> bytes:
        """The body of a payload."""
        return json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def sign(self, url: str, body: bytes, at: float) -> Headers:
        """The headers that vouch for a body."""
        raise NotImplementedError

    def call(self, url: str, payload: Payload, at: float | None = None) -> Call:
        """A signed request."""
        body = self.encode(payload)
        headers = {"content-type": self.kind}
        return Call(url, body, headers | self.sign(url, body, at or time.time()))


def iso(at: float | None) -> str:
    """A time as most providers write it; now where none is given."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return moment.isoformat().replace("+00:00", "Z")


def pairs(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form."""
    return parse_qsl(body.decode(), keep_blank_values=True)
