"""The header of a table: where it stands, and what is between its cells."""

import csv
import re
from collections.abc import Iterator
from typing import Final

from api.importing.lines import Line
from consent_ledger.importing.columns import NO_PHONE, Columns, ColumnsError
from consent_ledger.importing.run_on import HEADER_RUNS_ON, header_runs_on

DELIMITERS: Final = (",", ";", "\t", "|")
LINES_OF_A_ROW: Final = 50
"""Lines that a quoted cell may run over; past that the quotation mark was a mistake."""
_NAMED: Final = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)
"""The line by which a spreadsheet tells itself what is between cells."""
_OBJECT: Final = re.compile(r"\s*\{|\s*\[\s*\{")


class FileError(Exception):
    """A file of which no row can be read; the message says why and repeats nothing of it."""


def find_header(lines: Iterator[Line]) -> tuple[Columns, str]:
    """What the columns are, and what is between them; the lines of the header are taken."""
    text, named = _first(lines), None
    if text is not None and (found := _NAMED.fullmatch(text)):
        text, named = _first(lines), found[1]
    if text is None:
        raise FileError("The file has no header.")
    if _OBJECT.match(text):
        raise FileError("These are objects in JSON: send them as application/x-ndjson.")
    # A cell of a header, too, may run over several lines.
    delimiters = DELIMITERS if named is None else (named,)
    for _ in range(LINES_OF_A_ROW):
        if not _is_open(text, delimiters) or (more := _first(lines)) is None:
            break
        text += "\n" + more
    return _read(text, delimiters)


def is_header(line: Line) -> bool:
    """Whether a line is the header of a table that can be read."""
    try:
        find_header(iter([line]))
    except FileError:
        return False
    return True


def _first(lines: Iterator[Line]) -> str | None:
    line = next(lines, None)
    return None if line is None else line.text


def _is_open(text: str, delimiters: tuple[str, ...]) -> bool:
    """Whether a quotation mark opens a cell and none closes it."""
    for delimiter in delimiters:
        try:
            next(csv.reader([text], delimiter=delimiter, strict=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return True
    return False


def _read(text: str, delimiters: tuple[str, ...]) -> tuple[Columns, str]:
    problem = NO_PHONE
    for delimiter in delimiters:
        try:
            titles = next(csv.reader([text], delimiter=delimiter, strict=True))
            columns = _columns(titles, delimiter)
        except csv.Error:
            problem = "the header's quotation marks do not close"
        except ColumnsError as error:
            # What is wrong by one delimiter and nonsense by the others is the more useful reason.
            if delimiter in text and problem == NO_PHONE:
                problem = str(error)
        else:
            if not any(_holds_delimiter(titles[column.place]) for column in columns.phones):
                return columns, delimiter
            if problem == NO_PHONE:
                problem = "the name of a phone column holds a comma, a semicolon, a tab or a bar"
    raise FileError(f"The rows cannot be read: {problem}.")


def _columns(titles: list[str], delimiter: str) -> Columns:
    """The columns of a header; FileError where it has taken in a row, whose opt-out would be lost.

    A list without a header begins with a row too, and is told what it lacks.
    """
    problem = None
    try:
        columns = Columns.of(titles)
    except ColumnsError as error:
        problem = error
    if str(problem) != NO_PHONE and header_runs_on(titles, delimiter):
        raise FileError(f"The rows cannot be read: {HEADER_RUNS_ON}.")
    if problem is not None:
        raise problem
    return columns


def _holds_delimiter(title: str) -> bool:
    """`phone;sms_opt_out` is one column where commas part them, and begins with `phone`."""
    return any(delimiter in title for delimiter in DELIMITERS)
