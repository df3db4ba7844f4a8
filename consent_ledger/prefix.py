"""The first digits of a number, as a person types them to find numbers (R-V3).

What is typed becomes ranges of E.164 texts, which an index finds. National digits are looked for in
every country, with and without the prefix that is dialled there within the country.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Final, NamedTuple

from phonenumbers import phonenumberutil as library
from phonenumbers.phonemetadata import PhoneMetadata

SHORTEST: Final = 3
"""Digits at the least (R-V3): fewer would list half an account."""

_CODE_FIRST: Final = re.compile(r"\A(?:\+|00(?:11)?)")
"""What says that a calling code follows: a plus, how most of the world dials one, and how Australia
does (no number of North America begins with +11). At home no number but Tajikistan's newest begins
with 00, and for those it is looked for as well."""

_ABROAD_IN_NORTH_AMERICA: Final = "011"
"""How North America dials it. Buenos Aires, Turin and Leeds have numbers that begin so as well."""

_SEPARATORS: Final = re.compile(r"[\s().\-/\u00b7\u2010-\u2015\u2212]+")
_PREFIX: Final = re.compile(r"\+?[0-9]*")
_LONGEST_CODE: Final = 3


class PrefixError(ValueError):
    """What was typed cannot be looked for. The message never echoes it."""


class PrefixTooShortError(PrefixError):
    """Fewer digits than a search may have."""


class Range(NamedTuple):
    """E.164 texts from `start` up to, and without, `end`, in the order of their bytes."""

    start: str
    end: str


def prefix_ranges(text: str) -> list[Range]:
    """The ranges that hold every number which begins with what was typed: disjoint, in order.

    With a plus, or the 00 that stands for one, the digits begin with a calling code. Without, they
    are a country's own; and as address books leave out the plus as well, they are also looked for
    with the calling code first, once three digits come behind it: who finds nothing takes it that
    nobody has opted out. PrefixError for anything but digits and their separators,
    PrefixTooShortError for fewer than three digits.
    """
    typed = _SEPARATORS.sub("", "".join(map(_plain, unicodedata.normalize("NFKC", text))))
    if not _PREFIX.fullmatch(typed):
        raise PrefixError("not the first digits of a phone number")
    code_first = _CODE_FIRST.sub("", typed)
    if len(code_first) < SHORTEST:
        raise PrefixTooShortError("too few digits")
    found: list[Iterator[str]] = []
    if not typed.startswith("+"):
        found.append(_national(typed))
    found.append(_international(code_first) if code_first != typed else _without_plus(typed))
    return [Range(start, _after(start)) for start in _outermost(chain.from_iterable(found))]


def _plain(character: str) -> str:
    """Digits of every script as those that numbers are kept in, and nothing that is not seen."""
    if unicodedata.category(character) == "Cf":
        return ""
    return str(unicodedata.decimal(character, character))


def _international(digits: str) -> Iterator[str]:
    """The E.164 texts that may begin so, however an older address book writes them."""
    yield "+" + digits
    for length in range(1, _LONGEST_CODE + 1):
        code, rest = digits[:length], digits[length:]
        if rest and code in _trunks():
            yield from ("+" + code + each for each in _inside(code, rest))
            yield from ("+" + code + each for each in _as_before(code, rest))


def _without_plus(digits: str) -> Iterator[str]:
    """The readings with the calling code first, of digits that may as well be a country's own."""
    for bare in {digits, digits.removeprefix(_ABROAD_IN_NORTH_AMERICA)}:
        if _behind_code(bare) >= SHORTEST:
            yield from _international(bare)


def _behind_code(digits: str) -> int:
    """How many digits come behind the calling code; none where no code begins them."""
    for length in range(1, _LONGEST_CODE + 1):
        if digits[:length] in _trunks():
            return max(len(digits) - length, 0)
    return 0


def _national(digits: str) -> Iterator[str]:
    for code in _trunks():
        yield "+" + code + digits
        yield from ("+" + code + each for each in _inside(code, digits))


def _inside(code: str, digits: str) -> Iterator[str]:
    """Other ways to begin the same number within a country.

    Without its trunk prefix, which is dialled and is no part of the number; and with Argentina's 9,
    which is in a mobile's E.164 form and which nobody searches by.
    """
    bare = [digits]
    for trunk in _trunks()[code]:
        if digits.startswith(trunk) and digits != trunk:
            bare.append(digits.removeprefix(trunk))
    yield from bare[1:]
    if code == "54":
        yield from ("9" + each for each in bare)


def _as_before(code: str, digits: str) -> Iterator[str]:
    """The prefixes of numbers that are kept in a newer form (see consent_ledger.number)."""
    if code == "52" and digits[0] == "1" and len(digits) > 1:
        yield digits[1:]
    if code == "55" and len(digits) > 2 and digits[2] >= "6":
        yield digits[:2] + "9" + digits[2:]


@cache
def _trunks() -> dict[str, tuple[str, ...]]:
    """Every calling code, with the prefixes dialled before a national number of it."""
    return {
        str(code): _trunks_of(PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0]))
        for code, regions in library.COUNTRY_CODE_TO_REGION_CODE.items()
    }


def _trunks_of(metadata: PhoneMetadata | None) -> tuple[str, ...]:
    if metadata is None or not metadata.national_prefix:
        return ()
    # Belarus and Lithuania have a second one, which the metadata tell in their pattern alone.
    pattern = metadata.national_prefix_for_parsing or ""
    others = {text for text in ("0", "8", "80") if re.fullmatch(pattern, text)}
    return tuple(sorted({metadata.national_prefix, *others}))


def _after(start: str) -> str:
    """The first text beyond those that begin with `start`; after a 9 comes a colon."""
    return start[:-1] + chr(ord(start[-1]) + 1)


def _outermost(prefixes: Iterator[str]) -> list[str]:
    """In order, without those that lie within another: no number is found twice."""
    kept: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept
