"""How a whole report is written, and which way a request asks for."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from api.report.query import Item
from api.report.whole import Slices

COLUMNS: Final = (
    "number",
    "number_id",
    "source",
    "since",
    "by",
    "reason",
    "channel",
    "purposes",
    "opt_in_allowed",
    "event_id",
    "sources",
)
"""Of a table; `sources` are all that stand on the number, as a row has no room for a list."""


class Format(StrEnum):
    """The media types of the whole report."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    @property
    def file_name(self) -> str:
        """The ending of a file's name."""
        return self.name.lower()


JSON: Final = ("application/json", "application/*", "*/*")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, or drops before one."""

Cell = str | bool | None


def asked_format(accept: str | None) -> Format | None:
    """The format that an Accept header prefers; None for pages of JSON, and for all it may not be.

    Of what is equally welcome, the first that is named.
    """
    best, weight = None, 0.0
    for part in (accept or "").split(","):
        kind, _, parameters = part.partition(";")
        name = kind.strip().lower()
        known = name in JSON or name in list(Format)
        if known and (found := _weight(parameters)) > weight:
            best, weight = name, found
    return Format(best) if best in list(Format) else None


def _weight(parameters: str) -> float:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def cells(item: Item) -> list[Cell]:
    """A row of a table, in the order of the columns."""
    sources = " ".join(each["source"] for each in item["opt_outs"])
    purposes = " ".join(item["purposes"] or ())
    row = {**item, "sources": sources, "purposes": purposes}
    return [row[name] for name in COLUMNS]


async def ndjson(slices: Slices) -> AsyncIterator[bytes]:
    """A line of JSON for each row, as the pages have it."""
    encode = msgspec.json.Encoder().encode_lines
    async for items in slices:
        yield encode(items)


async def csv_lines(slices: Slices) -> AsyncIterator[bytes]:
    """RFC 4180 with a header; no text in it is run by a spreadsheet."""
    yield _csv([COLUMNS])
    async for items in slices:
        yield _csv([_harmless(cells(item)) for item in items])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _harmless(row: list[Cell]) -> list[str]:
    # The number begins with a plus: it is digits for certain, and is looked up by as it stands.
    number, *rest = row
    return [str(number or ""), *map(_cell, rest)]


def _cell(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value or ""
    return f"'{text}" if text.startswith(FORMULA) else text
