"""The text of a file in pieces: its letters, and its lines with their numbers."""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

LONGEST: Final = 65_536
"""Characters of a row: five hundred cells of a long sentence each."""
LONGEST_MARK: Final = 3
"""Bytes by which a file says how its text is written."""

OLDER: Final = "consent-ledger-older"
"""What becomes of bytes that are no UTF-8."""


class Line(NamedTuple):
    """A line by its number in the file; no text where it is too long."""

    number: int
    text: str | None


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
    """The text of a file: UTF-16 where it begins so, else UTF-8 and what is not as `_older`."""
    pieces, begin = iter(parts), b""
    while len(begin) < LONGEST_MARK and (piece := next(pieces, None)) is not None:
        begin += piece
    name, faults = _encoding(begin)
    decoder = codecs.getincrementaldecoder(name)(faults)
    yield decoder.decode(begin.removeprefix(codecs.BOM_UTF8))
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", True)


def _encoding(begin: bytes) -> tuple[str, str]:
    """How a text is written, and what becomes of what is not.

    Without a mark, UTF-16 shows by its first letter: half of it is zero, and no list in UTF-8 holds
    one there.
    """
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    first, second = (begin + b"..")[:2]
    if first and not second:
        return "utf-16-le", "replace"
    if second and not first and len(begin) > 1:
        return "utf-16-be", "replace"
    return "utf-8", OLDER


def _older(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 as Windows writes Western Europe's letters: an opt-out's word may
    have some, and so may the name of its column."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_WINDOWS.get(byte, chr(byte)) for byte in found), error.end


_WINDOWS: Final = {
    byte: text for byte in range(0x80, 0xA0) if (text := bytes([byte]).decode("cp1252", "ignore"))
}
"""What differs from Latin-1, which is what a few bytes without a letter are left as."""
codecs.register_error(OLDER, _older)
