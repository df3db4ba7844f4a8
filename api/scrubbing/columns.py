"""The header of a CSV list: which column has the number, and how the rows are written."""

import csv
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from consent_ledger.importing.codes import Codes, codes_of
from consent_ledger.importing.names import is_phone, plain, says_code, says_opt_out, says_phone
from consent_ledger.importing.run_on import HEADER_RUNS_ON, header_runs_on

ANSWER_COLUMNS: Final = ("may_text", "decision", "reason", "error")
"""Added to each row, in this order."""
DELIMITERS: Final = (",", ";", "\t", "|")
"""What is put between cells; spreadsheets do so by the country they run in."""
DELIMITER_LINE: Final = re.compile(rb'(?:\xef\xbb\xbf)?("?)sep=(.)\1\r?\n')
"""The line before the header by which a spreadsheet is told what stands between cells."""
HEADER_LIMIT: Final = 65_536
"""Bytes of a header: past this it is no header."""
BOM: Final = b"\xef\xbb\xbf"
MISSING: Final = (
    "The first line has to name a column `number`, or one that begins with `phone`; between its"
    " cells stand commas, semicolons, tabs or bars."
)
SEVERAL: Final = "Several columns look like phones. Keep the one to ask about, or call it `number`."


class HeaderError(ValueError):
    """The header cannot be used; `field` and `code` are those of the problem."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code


class Columns(msgspec.Struct, frozen=True):
    """How the rows of a list are written: the delimiter, the cells, which has the number, and which
    have codes that the number may lack."""

    delimiter: str
    count: int
    place: int
    ending: bytes
    codes: Codes = ()


def read_header(begin: bytes) -> tuple[Columns, bytes]:
    """The columns of a list, and its header with those of the answer. HeaderError.

    A line before it that names the delimiter comes back too: the same spreadsheet needs it again.
    """
    told = DELIMITER_LINE.match(begin)
    before = told[0] if told else b""
    line = begin[len(before) :]
    delimiters = [each for each in DELIMITERS if told is None or each.encode() == told[2]]
    if len(line) > HEADER_LIMIT:
        detail = f"The first line has at most {HEADER_LIMIT} bytes."
        raise HeaderError("", "header-too-long", detail)
    if b"\0" in line:
        raise HeaderError("", "wrong-encoding", "Send the list in UTF-8.")
    ending = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    bare = line.removesuffix(b"\n").removesuffix(b"\r")
    try:
        text = bare.removeprefix(BOM).decode()
    except UnicodeDecodeError:
        raise HeaderError("", "wrong-encoding", "Send the list in UTF-8.") from None
    delimiter, titles, place = _found(text, delimiters)
    _refuse_taken(titles)
    columns = Columns(delimiter, len(titles), place, ending, codes_of(list(map(plain, titles))))
    added = "".join(delimiter + name for name in ANSWER_COLUMNS)
    return columns, before + bare + added.encode() + ending


def _found(text: str, delimiters: Sequence[str]) -> tuple[str, list[str], int]:
    """The first delimiter by which a column has the number; the columns' names, and its place."""
    for delimiter in delimiters:
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        place = _place([_plain(cell) for cell in cells])
        if place is not None:
            if header_runs_on(cells, delimiter):
                # The answer would have no rows, and be taken for that of an empty list.
                raise HeaderError("", "header-runs-on", f"{HEADER_RUNS_ON.capitalize()}.")
            return delimiter, [cell.strip().lower() for cell in cells], place
    raise HeaderError("number", "number-column-missing", MISSING)


def _plain(title: str) -> str:
    """A title as names are compared."""
    if any(delimiter in title for delimiter in DELIMITERS):
        # `phone;name` is two columns, and begins with `phone` where commas are looked for.
        return ""
    return plain(title)


def _place(names: list[str]) -> int | None:
    """Where the number stands; HeaderError where it may be in several columns."""
    places = [place for place, name in enumerate(names) if name.replace("_", "") == "number"]
    if len(places) > 1:
        detail = "Only one column can have the number to ask about."
        raise HeaderError("number", "number-column-repeated", detail)
    if not places:
        places = [place for place, name in enumerate(names) if _is_phone(name)]
        # The text may go to a `Mobile` beside a `Phone`, and the answer would be of the other.
        others = [name for name in names if not is_phone(name) and says_phone(name)]
        if places and len(places) + len(others) > 1:
            raise HeaderError("phone", "number-column-repeated", SEVERAL)
    return places[0] if places else None


def _is_phone(name: str) -> bool:
    return is_phone(name) and not (says_code(name) or says_opt_out(name))


def _refuse_taken(titles: list[str]) -> None:
    for name in ANSWER_COLUMNS:
        if name in titles:
            # A reader that takes the first of two equal names would read the older answer.
            raise HeaderError(
                name, "answer-column-taken", "The list has a column that the answer would add."
            )
