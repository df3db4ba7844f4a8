"""Where a page of a report ended, as an opaque text.

It holds the order's own key, so that no page is counted off from the first one. A report that is
ordered by number has a number in its cursors: like a number, they travel in bodies.
"""

import base64
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from api.problems import invalid
from api.report.filters import Filters
from consent_ledger.number import E164
from consent_ledger.prefix import Range

LONGEST: Final = 200
"""Characters of a cursor: more than one with the longest number and purpose has."""


class Narrowed(Protocol):
    """What a report is narrowed to, as far as its cursors hold it."""

    @property
    def ranges(self) -> tuple[Range, ...] | None:
        """Those of the number's first digits; with them, the order is by number."""
        ...

    @property
    def digest(self) -> str:
        """The same for the same report."""
        ...


class Place(NamedTuple):
    """The last row of a page: when its opt-out began, or its number where that is the order."""

    key: int | str
    number_id: UUID


_decode: Final = msgspec.json.Decoder(tuple[str, int | str, UUID]).decode


def write_cursor(filters: Narrowed, place: tuple[Any, ...]) -> str:
    """The cursor of the page that follows a place."""
    held = msgspec.json.encode((filters.digest, *place))
    return base64.urlsafe_b64encode(held).decode().rstrip("=")


def read_cursor(filters: Filters, cursor: str | None) -> Place | None:
    """The place that a cursor names; a 422 for one of another report."""
    return None if cursor is None else Place(*unpacked(filters, cursor, _decode))


def unpacked(
    filters: Narrowed, cursor: str, decode: Callable[[bytes], tuple[Any, ...]]
) -> tuple[Any, ...]:
    """What a cursor holds beside its filters; a 422 for one of another report."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        digest, *place = decode(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, msgspec.MsgspecError):
        raise invalid(
            "cursor", "cursor-malformed", "Use the next_cursor of the page before."
        ) from None
    if digest != filters.digest or not _fits(filters, place[0]):
        raise invalid(
            "cursor", "cursor-of-other-filters", "Go on with the filters that the cursor came with."
        )
    return tuple(place)


def _fits(filters: Narrowed, key: int | str) -> bool:
    if filters.ranges is None:
        return isinstance(key, int) and abs(key) < 2**63
    return isinstance(key, str) and E164.fullmatch(key) is not None
