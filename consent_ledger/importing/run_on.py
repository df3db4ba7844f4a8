"""Rows that stand where nobody reads them: in a header that runs on, or in a cell of another row.

A line end that is lost, or a quotation mark that closes too late, makes rows a part of something
else, and an opt-out in them would be gone without a word.
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from consent_ledger.importing.columns import Columns
from consent_ledger.masking import mask

HEADER_RUNS_ON: Final = (
    "the header holds what looks like a phone number, a row or an end of a line of another kind;"
    " end the header's line by a newline before the first row, close its quotation marks, and leave"
    " no number in a name"
)
"""One line, which repeats nothing of the header."""

_LINE_ENDS: Final = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")
"""What other programs end lines by; a newline may stand in a name."""
_DAY: Final = r"(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4}|(?:19|20)\d\d)"
_DAYS: Final = rf"(?<![-/.\d+])(?<!\d ){_DAY}(?:[ /-]+{_DAY})*(?![-/.\d]| \d)"
_NO_NUMBER: Final = re.compile(rf"{_DAYS}|(?<=_)\d+")
"""Days or years, or an id behind an underscore, as exports name the fields that people add."""
_DAMAGED: Final = re.compile(r"\d[.,]?\d*[eE]\+\d\d")
_SAID: Final = frozenset({"true", "false"})


def header_runs_on(titles: Sequence[str], delimiter: str) -> bool:
    """Whether a row stands in a header, or a part of one."""
    return any(_is_of_row(title) or _holds_row(title, len(titles), delimiter) for title in titles)


def _is_of_row(title: str) -> bool:
    if title.strip(' "').casefold() in _SAID or _LINE_ENDS.search(title) or _DAMAGED.search(title):
        return True
    # A stray quotation mark may stand among its digits.
    bare = _NO_NUMBER.sub("", title.replace('"', ""))
    return mask(bare) != bare


def _holds_row(title: str, width: int, delimiter: str) -> bool:
    """Whether a line of a name has as many cells as the header."""
    return width > 1 and any(line.count(delimiter) >= width - 1 for line in title.split("\n")[1:])


def holds_another_row(
    lines: Iterable[str],
    cells: Sequence[str],
    columns: Columns,
    delimiter: str,
    numbers: Callable[[str], str | None],
) -> bool:
    """Whether one of a row's lines reads as another row of the list: as many cells as the header,
    and a number that can be read in a phone's place.

    One line may do so for the row itself; a second one, or one about another number, may not.
    """
    places = [column.place for column in columns.phones]

    def read(found: Sequence[str]) -> set[str]:
        told = (numbers(found[place].strip(' "')) for place in places if place < len(found))
        return {number for number in told if number is not None}

    own, rows = read(cells), 0
    # Quotation marks make cells fewer, never more.
    for line in (each for each in lines if each.count(delimiter) >= columns.width - 1):
        for found in _readings(line, delimiter):
            if len(found) >= columns.width and (told := read(found)):
                if not told <= own:
                    return True
                rows += 1
                break
    return rows > 1


def _readings(line: str, delimiter: str) -> list[list[str]]:
    """The cells of a line as it stands, and as it was before it came into a quoted cell."""
    unquoted = line.replace('""', '"')
    return [line.split(delimiter), next(csv.reader([unquoted], delimiter=delimiter), [])]
