"""The forms of a whole report, and which one a request asks for."""

from enum import StrEnum
from typing import Final


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
