"""The header of a CSV list: which column has the number, and how the rows are written."""

import csv
from typing import Final

import msgspec

ANSWER_COLUMNS: Final = ("may_text", "decision", "reason", "error")
"""Added to each row, in this order."""
NUMBER_NAMES: Final = ("number", "phone")
"""What the column with the number is called; the first that is there."""
DELIMITERS: Final = (",", ";", "\t")
"""What spreadsheets put between cells, by the country they run in."""
HEADER_LIMIT: Final = 65_536
"""Bytes of a header: past this it is no header."""
BOM: Final = b"\xef\xbb\xbf"
OTHER_ENCODINGS: Final = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins, as a spreadsheet saves "Unicode text"."""


class HeaderError(ValueError):
    """The header cannot be used; `field` and `code` are those of the problem."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code


class Columns(msgspec.Struct, frozen=True):
    """How the rows of a list are written: the delimiter, the cells, which has the number."""

    delimiter: str
    count: int
    place: int
    ending: bytes


def read_header(line: bytes) -> tuple[Columns, bytes]:
    """The columns of a list, and its header with those of the answer. HeaderError."""
    if len(line) > HEADER_LIMIT:
        detail = f"The first line has at most {HEADER_LIMIT} bytes."
        raise HeaderError("", "header-too-long", detail)
    if line.startswith(OTHER_ENCODINGS) or b"\0" in line:
        raise HeaderError("", "wrong-encoding", "Send the list in UTF-8.")
    ending = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    bare = line.removesuffix(b"\n").removesuffix(b"\r")
    try:
        text = bare.removeprefix(BOM).decode()
    except UnicodeDecodeError:
        raise HeaderError("", "wrong-encoding", "Send the list in UTF-8.") from None
    delimiter, names = _names(text)
    _refuse_taken(names)
    columns = Columns(delimiter, len(names), _place(names), ending)
    added = "".join(delimiter + name for name in ANSWER_COLUMNS)
    return columns, bare + added.encode() + ending


def _names(text: str) -> tuple[str, list[str]]:
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        names = [cell.strip().lower() for cell in cells]
        if any(name in names for name in NUMBER_NAMES):
            return delimiter, names
    raise HeaderError(
        "number", "number-column-missing", "The first line has to name a column `number`."
    )


def _place(names: list[str]) -> int:
    name = next(each for each in NUMBER_NAMES if each in names)
    if names.count(name) > 1:
        raise HeaderError(
            name, "number-column-repeated", "Only one column can have the number to ask about."
        )
    return names.index(name)


def _refuse_taken(names: list[str]) -> None:
    for name in ANSWER_COLUMNS:
        if name in names:
            # A reader that takes the first of two equal names would read the older answer.
            raise HeaderError(
                name, "answer-column-taken", "The list has a column that the answer would add."
            )
