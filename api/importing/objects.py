"""Lines of JSON: each an object whose fields are a row's cells."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from api.importing.headers import FileError, is_header
from api.importing.lines import Line
from consent_ledger.importing.columns import Columns, ColumnsError
from consent_ledger.importing.rows import Row, RowReader, refused

HEADERS_KEPT: Final = 1_000
"""Kinds of NDJSON objects that are remembered by the names of their fields."""
_PAIRS: Final = json.JSONDecoder(object_pairs_hook=list, parse_int=str, strict=False)
_NAME_ENDS: Final = re.compile(r'"[ \t\r\n]*:')


def check_objects(lines: Iterator[Line]) -> None:
    """FileError where the first line shows that this is a table."""
    first = next(lines, None)
    if first is not None and first.text is not None and is_header(first):
        raise FileError("This is a table with a header: send it as text/csv.")


def _is_doubled(text: str, found: dict[str, Any]) -> bool:
    """Whether an object has a field twice, of which a decoder keeps the last alone: the other may
    have been a STOP.

    Every name ends by a quotation mark and a colon; where there are no more of these than fields,
    none is doubled. A text may hold some too; then the names themselves are looked at.
    """
    fields = len(found)
    if text.count(":") == fields or len(_NAME_ENDS.findall(text)) == fields:
        return False
    return len(_PAIRS.decode(text)) > fields


def objects(lines: Iterator[Line], reader: RowReader) -> Iterator[Row]:
    """The rows of lines that are objects."""
    known: dict[tuple[str, ...], Columns] = {}
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for line in lines:
        if line.text is None:
            yield refused(line.number, "row-too-long")
            continue
        try:
            found = decode(line.text.encode())
            cells = [_text(value) for value in found.values()]
            doubled = _is_doubled(line.text, found)
        except (msgspec.MsgspecError, RecursionError, TypeError, ValueError):
            yield refused(line.number, "row-unreadable")
            continue
        if doubled:
            yield refused(line.number, "columns-unclear")
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
            # On lines of their own, so that each can be told from the words of one text.
            return value[0] if len(value) == 1 else "".join(f"\n{each}" for each in value)
    raise TypeError
