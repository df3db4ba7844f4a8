"""A file of rows, from bytes in pieces to cells: CSV and NDJSON, however they were exported.

Bounded: no row is kept that is longer than a row may be, and one that cannot be read costs itself
and no other.
"""

import csv
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from api.importing.headers import LINES_OF_A_ROW, FileError, find_header
from api.importing.lines import LONGEST, Line, numbered
from api.importing.objects import check_objects, objects
from consent_ledger.importing.columns import Columns
from consent_ledger.importing.faults import FaultError
from consent_ledger.importing.rows import Row, RowReader, refused
from consent_ledger.importing.run_on import holds_another_row

PACKED: Final = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF", b"BZh", b"\xfd7zXZ")
"""How archives and spreadsheets' own files begin."""


class Format(StrEnum):
    """What a file is, by its media type."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


def rows(parts: Iterable[bytes], kind: Format, reader: RowReader) -> Iterator[Row]:
    """The rows of a file; FileError where its header cannot be used."""
    lines = numbered(parts)
    return objects(lines, reader) if kind is Format.NDJSON else _table(lines, reader)


def check_beginning(begin: bytes, kind: Format) -> None:
    """FileError where the first bytes of a file are no beginning of such a file."""
    if begin.startswith(PACKED):
        raise FileError("The file is packed; send its rows as text.")
    lines = numbered([begin])
    if kind is Format.CSV:
        # A header that is cut off here is longer than any row may be.
        find_header(lines)
    else:
        check_objects(lines)


def _table(lines: Iterator[Line], reader: RowReader) -> Iterator[Row]:
    columns, delimiter = find_header(lines)
    below = _Below(columns, reader, delimiter)
    empty = f"{delimiter} \t"
    # Lines that a cell with a stray quotation mark had taken are given back.
    given_back: list[Line] = []
    while True:
        line = given_back.pop(0) if given_back else next(lines, None)
        if line is None:
            return
        number, text = line
        if text is None:
            yield refused(number, "row-too-long")
        elif '"' not in text:
            if text.strip(empty):
                yield below.read(number, text.split(delimiter))
        else:
            cells, taken = _quoted(line, given_back, lines, delimiter)
            if cells is None:
                given_back[:0] = taken
                yield refused(number, "quoting-broken")
            elif any(cells):
                # No end of a line is printable, of whatever kind.
                if taken or not text.isprintable():
                    yield below.read_lines(line, taken, cells)
                else:
                    yield below.read(number, cells)


class _Below:
    """Reads what stands below a header, as far as the header holds.

    Two exports may have been put into one file, or a title above the header taken for it: from the
    second header on, the columns mean something else, and nothing of them may count.
    """

    def __init__(self, columns: Columns, reader: RowReader, delimiter: str) -> None:
        self._columns = columns
        self._reader = reader
        self._delimiter = delimiter
        self._ended = False

    def read_lines(self, line: Line, taken: list[Line], cells: list[str]) -> Row:
        """The row that stands on a line and on those taken for it; refused where a quoted cell of
        it has taken in another row."""
        lines = (line.text or "").splitlines()
        for each in taken:
            lines += (each.text or "").splitlines()
        if len(lines) > 1 and not self._ended:
            columns, told = self._columns, self._told
            if holds_another_row(lines, cells, columns, self._delimiter, told):
                return refused(line.number, "row-in-cell")
        return self.read(line.number, cells)

    def read(self, number: int, cells: list[str]) -> Row:
        """The row; refused where it is a header, or stands below another one."""
        if self._ended:
            return refused(number, "header-repeated")
        row = self._reader.read(number, cells, self._columns)
        # Ordinary rows have a number, and cost no more than this question.
        if row.numbers or not self._columns.is_header(cells):
            return row
        self._ended = not self._columns.is_own_header(cells)
        return refused(number, "header-repeated")

    def _told(self, text: str) -> str | None:
        """The number in a cell, or what a spreadsheet has made of one."""
        try:
            return self._reader.number(text, "")
        except FaultError as error:
            return text if error.fault.code == "number-damaged" else None


def _quoted(
    line: Line, given_back: list[Line], lines: Iterator[Line], delimiter: str
) -> tuple[list[str] | None, list[Line]]:
    """The cells of a row that may run over several lines, and the lines taken for it."""
    text = line.text or ""
    taken: list[Line] = []
    while len(text) <= LONGEST and len(taken) < LINES_OF_A_ROW:
        try:
            return next(csv.reader([text], delimiter=delimiter, strict=True)), taken
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                break
        more = given_back.pop(0) if given_back else next(lines, None)
        if more is None:
            break
        taken.append(more)
        if more.text is None:
            break
        text += "\n" + more.text
    return None, taken


def is_more_than_header(begin: bytes, kind: Format) -> bool:
    """Whether anything but blank lines stands below a file's header."""
    lines = numbered([begin])
    if kind is Format.CSV:
        try:
            find_header(lines)
        except FileError:
            return True
    return next(lines, None) is not None


def sized(found: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows in groups of a size."""
    group: list[Row] = []
    for row in found:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
