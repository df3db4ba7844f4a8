"""A file of rows, from bytes in pieces to cells: CSV and NDJSON, however they were exported.

Bounded: no row is kept that is longer than a row may be, and one that cannot be read costs itself
and no other.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from consent_ledger.importing.columns import NO_PHONE, Columns, ColumnsError
from consent_ledger.importing.rows import Row, RowReader, refused

LONGEST: Final = 65_536
"""Characters of a row: five hundred cells of a long sentence each."""
LINES_OF_A_ROW: Final = 50
"""Lines that a quoted cell may run over; past that the quotation mark was a mistake."""
DELIMITERS: Final = (",", ";", "\t", "|")
HEADERS_KEPT: Final = 1_000
"""Kinds of NDJSON objects that are remembered by the names of their fields."""
LONGEST_MARK: Final = 3
"""Bytes by which a file says how its text is written."""
PACKED: Final = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF", b"BZh", b"\xfd7zXZ")
"""How archives and spreadsheets' own files begin."""


class Format(StrEnum):
    """What a file is, by its media type."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


class FileError(Exception):
    """A file of which no row can be read; the message says why and repeats nothing of it."""


class Line(NamedTuple):
    """A line by its number in the file; no text where it is too long."""

    number: int
    text: str | None


def rows(parts: Iterable[bytes], kind: Format, reader: RowReader) -> Iterator[Row]:
    """The rows of a file; FileError where its header cannot be used."""
    lines = numbered(parts)
    return _objects(lines, reader) if kind is Format.NDJSON else _table(lines, reader)


def check_beginning(begin: bytes, kind: Format) -> None:
    """FileError where the first bytes of a file are no beginning of such a file."""
    if begin.startswith(PACKED):
        raise FileError("The file is packed; send its rows as text.")
    if kind is Format.CSV:
        # A header that is cut off here is longer than any row may be.
        _header(iter(numbered([begin])))


def numbered(parts: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a text in pieces, without their ends; blank ones are counted and left out."""
    rest, number, dropping = "", 0, False
    for piece in chain(_decoded(parts), ("\n",)):
        # A return at the end of a piece may belong to a newline in the next.
        text = rest + piece
        held = "\r" if text.endswith("\r") else ""
        text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n")
        *whole, rest = text.split("\n")
        rest += held
        for line in whole:
            number += 1
            if dropping:
                dropping = False
            elif len(line) > LONGEST:
                yield Line(number, None)
            elif line and not line.isspace():
                yield Line(number, line)
        if len(rest) > LONGEST:
            if not dropping:
                yield Line(number + 1, None)
            rest, dropping = "", True


def _decoded(parts: Iterable[bytes]) -> Iterator[str]:
    """The text of a file: UTF-16 where its mark says so, else UTF-8 with what is not kept apart."""
    pieces, begin = iter(parts), b""
    while len(begin) < LONGEST_MARK and (piece := next(pieces, None)) is not None:
        begin += piece
    utf_16 = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    name, faults = ("utf-16", "replace") if utf_16 else ("utf-8", "surrogateescape")
    decoder = codecs.getincrementaldecoder(name)(faults)
    yield decoder.decode(begin.removeprefix(codecs.BOM_UTF8))
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", True)


def _table(lines: Iterator[Line], reader: RowReader) -> Iterator[Row]:
    columns, delimiter = _header(lines)
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
                yield reader.read(number, text.split(delimiter), columns)
        else:
            cells, taken = _quoted(line, given_back, lines, delimiter)
            if cells is None:
                given_back[:0] = taken
                yield refused(line.number, "quoting-broken")
            elif any(cells):
                yield reader.read(line.number, cells, columns)


def _quoted(
    line: Line, given_back: list[Line], lines: Iterator[Line], delimiter: str
) -> tuple[list[str] | None, list[Line]]:
    """The cells of a row that may run over several lines, and the lines taken for it."""
    text = line.text or ""
    taken: list[Line] = []
    while len(text) <= LONGEST and len(taken) < LINES_OF_A_ROW:
        try:
            return next(csv.reader([text], delimiter=delimiter, strict=True)), []
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


def _header(lines: Iterator[Line]) -> tuple[Columns, str]:
    line = next(lines, None)
    if line is None or line.text is None:
        raise FileError("The file has no header.")
    problem = NO_PHONE
    for delimiter in DELIMITERS:
        try:
            titles = next(csv.reader([line.text], delimiter=delimiter, strict=True))
            columns = Columns.of(titles)
        except csv.Error:
            problem = "the header's quotation marks do not close"
        except ColumnsError as error:
            if delimiter in line.text:
                problem = str(error)
        else:
            if not any(_holds_delimiter(titles[column.place]) for column in columns.phones):
                return columns, delimiter
            if problem == NO_PHONE:
                problem = "the name of a phone column holds a comma, a semicolon, a tab or a bar"
    raise FileError(f"The rows cannot be read: {problem}.")


def _holds_delimiter(title: str) -> bool:
    """`phone;sms_opt_out` is one column where commas part them, and begins with `phone`."""
    return any(delimiter in title for delimiter in DELIMITERS)


def _objects(lines: Iterator[Line], reader: RowReader) -> Iterator[Row]:
    known: dict[tuple[str, ...], Columns] = {}
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for line in lines:
        if line.text is None:
            yield refused(line.number, "row-too-long")
            continue
        try:
            found = decode(line.text.encode("utf-8", "surrogateescape"))
            cells = [_text(value) for value in found.values()]
        except (msgspec.MsgspecError, RecursionError, TypeError, UnicodeError):
            yield refused(line.number, "row-unreadable")
            continue
        names = tuple(found)
        columns = known.get(names)
        if columns is None:
            try:
                columns = Columns.of(names)
            except ColumnsError:
                yield refused(line.number, "columns-unclear")
                continue
            if len(known) < HEADERS_KEPT:
                known[names] = columns
        yield reader.read(line.number, cells, columns)


def _text(value: Any) -> str:
    """A JSON value as a cell has it; TypeError for what no cell could hold."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case list() if all(isinstance(each, str) for each in value):
            return " ".join(value)
    raise TypeError


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
