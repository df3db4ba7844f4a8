"""What the page of opted-out numbers shows: its filters, its page, and what was said last."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import Depends, Form

from api.problems import Problem
from api.report.filters import Filters
from api.report.prefixes import read_ranges
from consent_ledger.words import Source

PATH: Final = "/admin/opt-outs"
PERIODS: Final = {
    "": "ever",
    "1": "the last 24 hours",
    "7": "the last 7 days",
    "30": "the last 30 days",
    "365": "the last 12 months",
}
"""Days back, by the words of the page."""
DAY_SECONDS: Final = 86_400


def _now() -> int:
    return round(time.time())


class Typed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A number to opt out, as it was filled in."""

    number: str = ""
    requested_by: str = "agent"
    reason: str = ""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, tag="opt-outs"):
    """What the report is narrowed to, as the form has it, and the page of it; days are of UTC."""

    source: str = ""
    period: str = ""
    since: str = ""
    to: str = ""
    number_prefix: str = ""
    now: int = msgspec.field(default_factory=_now)
    """What a period counts back from: on the next page what it was on the first, as a cursor goes
    with the very filters that it came with."""
    cursor: str = ""
    typed: Typed = Typed()
    said: str = ""
    error: str = ""

    def filters(self) -> Filters:
        """The report's own filters; Problem where a field cannot be read."""
        since = self._since()
        source = Source(self.source) if self.source else None
        ranges = read_ranges(self.number_prefix.strip() or None)
        return Filters(source, since, _midnight(self.to, days=1), ranges)

    def _since(self) -> int | None:
        if not self.period:
            return _midnight(self.since)
        if self.since:
            # Whichever won, the page would show other numbers than half of the form says.
            raise _unclear("Choose “Since” or a first day, not both.")
        return (self.now - int(self.period) * DAY_SECONDS) * 1_000_000

    def quiet(self) -> "Asked":
        """The same page without what was said and typed last."""
        return msgspec.structs.replace(self, said="", error="", typed=Typed())


class OptIn(msgspec.Struct, frozen=True, tag="opt-in"):
    """Numbers that wait for a second yes, and the page to go back to."""

    asked: Asked
    number_ids: list[UUID]


class OptOut(msgspec.Struct, frozen=True, tag="opt-out"):
    """A number that waits for a second yes, and the page to go back to."""

    asked: Asked
    typed: Typed


def _midnight(day: str, days: int = 0) -> int | None:
    if not day:
        return None
    try:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise _unclear("A day is written like 2026-03-04.") from None
    return round(start.timestamp()) * 1_000_000


def _unclear(sentence: str) -> Problem:
    return Problem(422, "invalid-body", sentence)


def asked(
    source: Annotated[str, Form(max_length=20)] = "",
    period: Annotated[str, Form(max_length=5)] = "",
    since: Annotated[str, Form(alias="from", max_length=10)] = "",
    to: Annotated[str, Form(max_length=10)] = "",
    number_prefix: Annotated[str, Form(max_length=30)] = "",
) -> Asked:
    """The form's filters; what the form does not offer narrows nothing."""
    known = source if source in list(Source) else ""
    return Asked(known, period if period in PERIODS else "", since, to, number_prefix)


Report = Annotated[Asked, Depends(asked)]
