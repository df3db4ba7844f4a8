"""A body in blocks of whole rows, cut while it comes.

A row of CSV may go on over several lines within quotes. A quote that nothing closes would take in
the rest of the list: it is given up after a while, and the line that it stands on is a damaged row.
"""

import re
from collections.abc import Iterator
from typing import Final

BLOCK: Final = 131_072
"""Bytes worked on at a time: some thousand rows, a few hundredths of a second."""
ROW_LIMIT: Final = 65_536
"""Bytes of a row; a longer one is no row of a list of contacts."""
LOOKAHEAD: Final = 4 * ROW_LIMIT
"""Bytes read in search of the end of a row."""

_QUOTED: Final = rf'"[^"]{{0,{ROW_LIMIT}}}+(?:""[^"]{{0,{ROW_LIMIT}}}+)*+"'


def record_pattern(delimiter: str, line_ends: str = r"\r\n") -> bytes:
    """The expression of one row of CSV, its line end included; a quote opens where a cell does.

    `line_ends` may not stand in a cell without quotes.
    """
    bare = f"[^{re.escape(delimiter)}{line_ends}]*+"
    cell = rf'(?:{_QUOTED}{bare}|(?!"){bare})'
    return rf"{cell}(?:{re.escape(delimiter)}{cell})*+\r?\n".encode()


class Cutter:
    """Takes a body in parts and gives whole rows; without a delimiter every line is a row."""

    def __init__(self, delimiter: str | None) -> None:
        self._records: re.Pattern[bytes] | None = None
        if delimiter is not None:
            self._records = re.compile(b"(?:%b)*+" % record_pattern(delimiter, r"\n"))
        self._held = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The blocks that are whole with this part; one that is too long is cut short."""
        for start in range(0, len(data), BLOCK):
            self._hold(data[start : start + BLOCK])
            while len(self._held) >= BLOCK and (block := self._cut(ended=False)):
                yield block

    def finish(self) -> Iterator[bytes]:
        """What is left when the body has ended."""
        if self._held and not self._held.endswith(b"\n"):
            self._held += b"\n"
        while block := self._cut(ended=True):
            yield block

    def _hold(self, data: bytes) -> None:
        if self._skipping:
            end = data.find(b"\n") + 1
            if end == 0:
                return
            data, self._skipping = data[end:], False
        self._held += data

    def _cut(self, ended: bool) -> bytes:
        """The rows that are whole; nothing where more is needed, or nothing is left."""
        end = self._end_of_rows()
        if end == 0:
            if not ended and len(self._held) < LOOKAHEAD:
                return b""
            end = self._held.find(b"\n") + 1
        if end == 0 and self._held:
            self._skipping = True
            block = bytes(self._held[: ROW_LIMIT + 1]) + b"\n"
            self._held.clear()
            return block
        block = bytes(self._held[:end])
        del self._held[:end]
        return block

    def _end_of_rows(self) -> int:
        if self._records is None or b'"' not in self._held:
            return self._held.rfind(b"\n") + 1
        found = self._records.match(self._held)
        return found.end() if found else 0
