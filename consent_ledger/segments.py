"""How many parts of an SMS a text takes: GSM 03.38 where its letters allow, else UCS-2."""

from typing import Final, NamedTuple

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""3GPP TS 23.038 section 6.2.1: one septet each."""
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Section 6.2.1.1: an escape and a second septet, never parted."""

GSM_7: Final = "gsm-7"
UCS_2: Final = "ucs-2"
ROOM: Final = {GSM_7: (160, 153), UCS_2: (70, 67)}
"""Units in a text of one part, and in each of several: a header of six octets takes the rest."""


class Segments(NamedTuple):
    """The encoding of a text and its number of parts."""

    encoding: str
    parts: int


def segments(text: str) -> Segments:
    """The parts that a text takes as providers count them."""
    encoding = GSM_7 if set(text) <= BASIC | EXTENSION else UCS_2
    sizes = [_size(char, encoding) for char in text]
    alone, among = ROOM[encoding]
    if sum(sizes) <= alone:
        return Segments(encoding, 1)
    count, used = 1, 0
    for size in sizes:
        used += size
        if used > among:  # what takes two units begins the next part as a whole
            count, used = count + 1, size
    return Segments(encoding, count)


def _size(char: str, encoding: str) -> int:
    wide = char in EXTENSION if encoding == GSM_7 else ord(char) > 0xFFFF
    return 2 if wide else 1
