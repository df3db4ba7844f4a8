"""Reading what providers send: JSON objects, forms, times and numbers, each by its name."""

import re
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from api.half_text import mended
from api.providers.base import Malformed, Request
from consent_ledger.moments import instant_of, moment_of

FORM_FIELDS: Final = 200
"""Fields of a form; the longest that a provider sends has some forty."""
FACTS: Final = 1_000
"""Messages in one request: the batches of providers have at most a few hundred."""

Form = Sequence[tuple[str, str]]


class Fields:
    """The members of an object, by name. What is missing is named, and nothing is ever shown."""

    def __init__(self, found: object, place: str = "") -> None:
        if not isinstance(found, dict):
            raise Malformed(place or "body", "is not an object")
        self._found: dict[str, Any] = found
        self._place = place

    def __contains__(self, name: str) -> bool:
        return self._found.get(name) is not None

    def words(self, name: str) -> str:
        """A text that may be empty."""
        value = self._found.get(name)
        if value is None:
            raise Malformed(self._at(name))
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise Malformed(self._at(name), "is not a text")
        return value

    def text(self, name: str) -> str:
        """A text that says something."""
        value = self.words(name)
        if not value.strip():
            raise Malformed(self._at(name), "is empty")
        return value

    def may(self, name: str) -> str | None:
        """A text that need not be there."""
        value = self._found.get(name)
        return self.words(name) if isinstance(value, str | int) and value != "" else None

    def flag(self, name: str) -> bool | None:
        """A yes or no; None where it is missing."""
        value = self._found.get(name)
        return value if isinstance(value, bool) else None

    def inside(self, name: str) -> "Fields":
        """An object in this one."""
        if name not in self:
            raise Malformed(self._at(name))
        return Fields(self._found[name], self._at(name))

    def optional(self, name: str) -> "Fields":
        """An object in this one, an empty one where it is missing."""
        return self.inside(name) if name in self else Fields({}, self._at(name))

    def items(self, name: str) -> list[Any]:
        """A list in this object, an empty one where it is missing."""
        value = self._found.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > FACTS:
            raise Malformed(self._at(name), f"is not a list of at most {FACTS}")
        return value

    def each(self, name: str) -> list["Fields"]:
        """The objects of a list."""
        return [Fields(each, f"{self._at(name)}/{i}") for i, each in enumerate(self.items(name))]

    def count(self, name: str) -> int:
        """A small number; 0 where it is missing or unreadable, as a wrong count is no reason to
        lose what a contact said."""
        value = self.may(name) or ""
        return int(value) if re.fullmatch("[0-9]{1,3}", value) else 0

    def instant(self, name: str) -> int | None:
        """A time in microseconds; None where it is missing or unreadable, as a wrong time is no
        reason to lose what a contact said."""
        return instant(self.may(name) or "")

    def _at(self, name: str) -> str:
        return f"{self._place}/{name}" if self._place else name


def from_json(body: bytes) -> Any:
    """What a body of JSON holds; a text in it may be cut in the middle of a sign."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        whole = mended(body)
    try:
        if whole is not None:
            return msgspec.json.decode(whole)
    except (msgspec.DecodeError, RecursionError):
        pass
    raise Malformed("body", "is not JSON")


def json_fields(request: Request) -> Fields:
    """The object that a body of JSON is."""
    return Fields(from_json(request.body))


def form_of(body: bytes) -> Form:
    """The fields of a form in their order."""
    try:
        text = body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict")
    except ValueError:
        raise Malformed("body", "is not a form") from None


def instant(text: str) -> int | None:
    """The time that a text names, in microseconds since 1970; without a zone it is UTC."""
    try:
        moment = moment_of(text)
        return instant_of(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    except ValueError:
        return None


def international(number: str) -> str:
    """The number of a provider that leaves the plus out, and never writes a national form."""
    scheme, _, digits = number.strip().rpartition(":")
    if digits.isascii() and digits.isdigit() and not digits.startswith("0") and len(digits) > 6:
        return f"{scheme}:+{digits}" if scheme else f"+{digits}"
    return number
