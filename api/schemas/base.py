"""What bodies of requests are made of. A field that is not known is an error: a typing mistake in
`sent_by` must not silently drop a rule."""

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from consent_ledger.moments import instant_of, moment_of
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.policy import is_time_zone

_NUMBER: Final = re.compile(r"(?:\s*[A-Za-z]+:)?([^\w+]*[+\uff0b](?:[^\w+]*\d){7,15})\W*")
"""Digits alone may be anybody's id; with a plus, however people write it, they are a number."""


def _instant(value: object) -> int:
    """Microseconds since 1970 of an RFC 3339 time with its zone."""
    if not isinstance(value, str):
        raise ValueError("must be a time such as 2026-03-04T10:00:00Z")
    try:
        moment = moment_of(value)
    except ValueError:
        raise ValueError("must be a time such as 2026-03-04T10:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must name its time zone, such as Z")
    try:
        return instant_of(moment)
    except ValueError:
        raise ValueError("is no time that can be kept") from None


def _day(value: object) -> str:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise ValueError("must be a day such as 2026-03-04") from None


_TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Instant = Annotated[int, BeforeValidator(_instant, json_schema_input_type=_TimeText)]
Day = Annotated[str, BeforeValidator(_day), Field(json_schema_extra={"format": "date"})]


def is_number(value: str) -> bool:
    """Whether an id is a phone number, however it is written: ids go into events and URLs, which
    hold none (section 9)."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        return False
    try:
        canonical(re.sub(r"[^\d+\uff0b]", "", found[1]))
    except UnparseableNumber:
        # Digits and more, such as an id that its sender made of a number and a count.
        return value[1:].isdecimal()
    return True


def no_number(value: str) -> str:
    if is_number(value):
        raise ValueError("must be an opaque id, not a phone number")
    return value


OpaqueId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(no_number),
]
GivenId = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
"""An id that comes with a contact's words, which are not refused for it: an event has a digest of
one that is no opaque id."""
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
EndpointName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9._~-]+$")]
"""Part of a URL that a provider signs, so nothing in it may need an escape."""
Search = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Number = Annotated[str, StringConstraints(max_length=64)]
PurposeName = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")
]
TEXT_LIMIT: Final = 10_000
"""Characters of an inbound text that are read and kept: six times the longest SMS."""
Text = Annotated[str, StringConstraints(max_length=TEXT_LIMIT)]


def _time_zone(value: str) -> str:
    if not is_time_zone(value):
        raise ValueError("must be a time zone such as America/Chicago")
    return value


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_time_zone)]
"""A time zone of the IANA database."""


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid")


class Told(Body):
    """What everything that is told may say: when it happened, and who tells."""

    occurred_at: Instant | None = None
    """When it happened. Left out, the ledger's clock says."""
    by: OpaqueId | None = None
    """The person who tells it, by an opaque id. Needed for a consent, an opt-out or opt-in, a block
    and a verdict."""
    correlation_id: OpaqueId | None = None
    """Your own thread through several requests; the event keeps it."""


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body with an example for the documentation."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})
