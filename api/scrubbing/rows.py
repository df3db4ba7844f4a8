"""The rows of a block: what each has for a number, and the row as it is sent back."""

import csv
import io
import json
import re
from typing import Final, NamedTuple, Protocol

import msgspec

from api.scrubbing.blocks import ROW_LIMIT, record_pattern
from api.scrubbing.columns import ANSWER_COLUMNS, Columns
from api.scrubbing.numbers import DAMAGED, UNPARSEABLE
from consent_ledger.importing.codes import codes_at_home, is_apart

BLANK: Final = "blank"
"""Instead of a number: an empty line, which is sent back as it is."""
ERRORS: Final = {
    UNPARSEABLE: "No phone number.",
    DAMAGED: "A spreadsheet has changed this number; its digits cannot be trusted.",
    "number-missing": "The row has no number.",
    "code-apart": "The number has no plus, and a code of another country or of an area beside it.",
    "row-too-short": "The row has fewer cells than the header.",
    "row-too-long-for-header": "The row has more cells than the header; those are left out.",
    "quoting-broken": "A quote is opened and not closed.",
    "row-malformed": "A line ends in the middle of the row.",
    "row-too-long": f"A row has at most {ROW_LIMIT} bytes.",
    "not-json": "The line is no JSON in UTF-8.",
    "not-an-object": "The line is no JSON object.",
    "name-repeated": "The object has a name twice.",
}
"""Verdicts on rows that cannot be asked about; those of an import have the same names."""


class Row(NamedTuple):
    """A number as it is written, or what is wrong; and the row, for the answer to follow."""

    number: bytes | None
    error: str | None
    text: bytes


class Rows(Protocol):
    """Reads blocks of one kind of list."""

    def read(self, block: bytes) -> list[Row]:
        """Every row of a block, in order."""
        ...

    def ending(self, may_text: bool, decision: str | None, reason: str | None) -> bytes:
        """What follows a row that was decided."""
        ...

    def failed(self, error: str) -> bytes:
        """What follows a row that cannot be asked about."""
        ...

    @property
    def line_end(self) -> bytes:
        """What follows an empty line."""
        ...


class CsvRows:
    """Rows of cells. What a row has is sent back as it came, byte by byte, where it can be."""

    def __init__(self, columns: Columns, region: str | None) -> None:
        self._columns = columns
        self._home = codes_at_home(region)
        self._delimiter = columns.delimiter.encode()
        self._record = re.compile(record_pattern(columns.delimiter))
        self.line_end = columns.ending

    def ending(self, may_text: bool, decision: str | None, reason: str | None) -> bytes:
        """The cells of an answer."""
        said = ("", "true" if may_text else "false", decision or "", reason or "", "")
        return self._columns.delimiter.join(said).encode() + self.line_end

    def failed(self, error: str) -> bytes:
        """The cells where there is no answer: no."""
        return self._columns.delimiter.join(("", "false", "", "", error)).encode() + self.line_end

    def read(self, block: bytes) -> list[Row]:
        """Every row; at once where nothing is quoted, which is most lists."""
        rows = self._read(block)
        return [self._with_code(row) for row in rows] if self._columns.codes else rows

    def _with_code(self, row: Row) -> Row:
        """The row, unless a code beside its number says what the number lacks."""
        if row.number is None:
            return row
        cells = next(csv.reader([row.text.decode("latin-1")], delimiter=self._columns.delimiter))
        apart = is_apart(row.number.decode("latin-1"), cells, self._columns.codes, self._home)
        return Row(None, "code-apart", row.text) if apart else row

    def _read(self, block: bytes) -> list[Row]:
        plain = block.replace(b"\r\n", b"\n") if b"\r" in block else block
        if b'"' in plain or b"\r" in plain:
            return self._read_quoted(block)
        delimiter, count, place = self._delimiter, self._columns.count, self._columns.place
        lines = plain.split(b"\n")
        lines.pop()
        rows = []
        for line in lines:
            cells = line.split(delimiter)
            if len(cells) == count and line and len(line) <= ROW_LIMIT:
                rows.append(Row(cells[place].strip(), None, line))
            else:
                rows.append(self._odd(line, cells))
        return rows

    def _odd(self, line: bytes, cells: list[bytes]) -> Row:
        if not line:
            return Row(None, BLANK, b"")
        return self._damaged(cells, self._why_odd(len(line), len(cells)))

    def _why_odd(self, length: int, cells: int) -> str:
        if length > ROW_LIMIT:
            return "row-too-long"
        return "row-too-short" if cells < self._columns.count else "row-too-long-for-header"

    def _read_quoted(self, block: bytes) -> list[Row]:
        rows, at = [], 0
        while at < len(block):
            found = self._record.match(block, at)
            end = found.end() if found else block.index(b"\n", at) + 1
            text = block[at : end - 1].removesuffix(b"\r")
            if found:
                rows.append(self._record_row(text))
            else:
                error = "quoting-broken" if b'"' in text else "row-malformed"
                rows.append(self._damaged(text.split(self._delimiter), error))
            at = end
        return rows

    def _record_row(self, text: bytes) -> Row:
        if not text:
            return Row(None, BLANK, b"")
        naive = text.split(self._delimiter)
        if len(text) > ROW_LIMIT:
            return self._damaged(naive, "row-too-long")
        # Any bytes are a text in Latin-1, and the same bytes again: names in an older encoding
        # are sent back as they came.
        try:
            cells = next(csv.reader([text.decode("latin-1")], delimiter=self._columns.delimiter))
        except csv.Error:
            return self._damaged(naive, "row-malformed")
        if len(cells) != self._columns.count:
            parts = [cell.encode("latin-1") for cell in cells]
            return self._damaged(parts, self._why_odd(len(text), len(cells)))
        return Row(cells[self._columns.place].strip().encode("latin-1"), None, text)

    def _damaged(self, cells: list[bytes], error: str) -> Row:
        """A row with as many cells as the header, so that the answer stands in its columns."""
        count = self._columns.count
        kept = [] if error == "row-too-long" else [cell.decode("latin-1") for cell in cells[:count]]
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._columns.delimiter).writerow(
            kept + [""] * (count - len(kept))
        )
        return Row(None, error, text.getvalue().removesuffix("\r\n").encode("latin-1"))


_ANSWERS: Final = frozenset(ANSWER_COLUMNS)
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_NOTHING: Final = b'{"number":null'
_APART: Final = (b" :", b"\t:", b"\r:")
"""How a name is written apart from its colon; a block where one is, is looked at closely."""


class NdjsonRows:
    """Lines of JSON. An object is sent back as it came, with the answer as its last fields."""

    line_end = b"\n"

    def ending(self, may_text: bool, decision: str | None, reason: str | None) -> bytes:
        """The fields of an answer."""
        return self._fields({"may_text": may_text, "decision": decision, "reason": reason})

    def failed(self, error: str) -> bytes:
        """The fields where there is no answer: no."""
        said = {"code": error, "detail": ERRORS[error]}
        return self._fields({"may_text": False, "decision": None, "reason": None, "error": said})

    def _fields(self, fields: dict[str, object]) -> bytes:
        return b"," + _encode(fields)[1:] + self.line_end

    def read(self, block: bytes) -> list[Row]:
        """Every row."""
        lines = block.split(b"\n")
        lines.pop()
        apart = any(each in block for each in _APART)
        return [self._row(line.strip(), apart) for line in lines]

    def _row(self, line: bytes, apart: bool) -> Row:
        if not line:
            return Row(None, BLANK, b"")
        if len(line) > ROW_LIMIT:
            return Row(None, "row-too-long", _NOTHING)
        try:
            if not line.isascii():
                line.decode()
            found = _decode(line)
            if type(found) is not dict:
                return Row(None, "not-an-object", _NOTHING)
            # Each name ends in a quote and a colon: where there are no more of those than names,
            # none is there twice.
            repeated = (apart or line.count(b'":') != len(found)) and _names_repeat(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return Row(None, "not-json", _NOTHING)
        if repeated:
            # Nobody can know which of the two values counts, so neither is asked about.
            text = line[:-1] if _ANSWERS.isdisjoint(found) else _NOTHING
            return Row(None, "name-repeated", text)
        number = found.get("number")
        if number is None:
            number = found.get("phone")
        if type(number) is str and _ANSWERS.isdisjoint(found):
            return Row(number.strip().encode("utf-8", "replace"), None, line[:-1])
        return self._odd(found, number)

    def _odd(self, found: dict[str, object], number: object) -> Row:
        """An object without a number or with an older answer."""
        kept = {name: value for name, value in found.items() if name not in _ANSWERS}
        text = _encode(kept)[:-1] if kept else _NOTHING
        if number is None:
            return Row(None, "number-missing", text)
        if type(number) is not str:
            return Row(None, UNPARSEABLE, text)
        return Row(number.strip().encode("utf-8", "replace"), None, text)


def _names_repeat(line: bytes) -> bool:
    """Whether the object itself has a name twice; what lies within it is the customer's own."""
    names: list[str] = []

    def keep(pairs: list[tuple[str, object]]) -> None:
        # The outermost object is the last to be whole.
        names[:] = [name for name, _ in pairs]

    json.loads(line, object_pairs_hook=keep, parse_int=str, parse_float=str)
    return len(set(names)) < len(names)
