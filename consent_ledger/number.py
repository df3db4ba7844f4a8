"""Phone numbers: E.164 or refuse.

The only place that trusts a phone string. Behind it a number is either canonical (rulebook
section 9: one person, one id) or an opaque id; no text that leaves this module, an error's and
a repr's included, carries digits that someone typed.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from phonenumbers import phonenumberutil as library
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumber import PhoneNumber

TABLE_VERSION: Final = 1
"""Of our own rewriting table below: a change to it re-keys numbers, so it is a dated decision."""

E164_MAX_DIGITS: Final = 15
"""ITU-T E.164 section 6.2.1; libphonenumber's German lengths alone would reach 17."""

SHORT_CODE_MAX_DIGITS: Final = 6
"""Common short codes have up to six digits; no E.164 number with a mobile behind it is so short."""

LONGEST_TEXT: Final = 64
"""Characters read: a scheme, 15 digits and every separator people use fit twice over."""

CODE_AND_NUMBER_DIGITS: Final = 11
"""Digits from which on those that begin with the region's own calling code are read with it.

A landline in an area that begins likewise (Emden's 4921, Lund's 46), its trunk prefix lost in a
spreadsheet, has ten at the most; a mobile behind its calling code has eleven at the least.
"""

SHORTEST_BEFORE_DECIMALS: Final = 7
"""Digits before a point from which on zeros behind it are decimals: no group is so long."""

LONGEST_GROUPED_DECIMALS: Final = 3
"""Zeros behind a point, of a number with other separators: four are a subscriber's last group."""

_E164_DIGITS: Final = frozenset(range(SHORT_CODE_MAX_DIGITS + 1, E164_MAX_DIGITS + 1))

# South Africa's plan has nine digits; the other lengths in the metadata are network service
# codes, and accepting them lets every mistyped South African number through.
_NATIONAL_LENGTHS: Final = {27: (9,)}

_MEXICO_MOBILE_1 = re.compile(r"\+521(\d{10})")
_ARGENTINA_WITHOUT_9 = re.compile(r"\+54([123]\d{9})")
_BRAZIL_EIGHT_DIGITS = re.compile(r"\+55([1-9]{2})([6-9]\d{7})")

_REWRITES: Final = {
    # The 1 before Mexican mobiles went away in 2019; old address books and carriers keep it.
    52: (_MEXICO_MOBILE_1, r"+52\1"),
    # The 9 only says that the caller pays: number blocks do not overlap, so both forms are one
    # phone. The form with 9 wins: it is the one that libphonenumber knows for a mobile.
    54: (_ARGENTINA_WITHOUT_9, r"+549\1"),
    # Brazilian mobiles grew a leading 9 between 2012 and 2016; landlines start with 2 to 5.
    55: (_BRAZIL_EIGHT_DIGITS, r"+55\g<1>9\2"),
}

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SCHEME = re.compile(r"(?:whatsapp|sms|mms|rcs|tel):", re.IGNORECASE)
_PHONE_TEXT = re.compile(r"[\s(]*\+?[\d\s().\-/\u2010-\u2015\u2212\u00b7]+")


_MOBILES: Final = frozenset(
    (library.PhoneNumberType.MOBILE, library.PhoneNumberType.FIXED_LINE_OR_MOBILE)
)
# Of the valid ones, those that a person answers: Brazil's mobiles of area 55 would else be taken
# for +55 and a premium rate number.
_OF_PEOPLE: Final = _MOBILES | {
    library.PhoneNumberType.FIXED_LINE,
    library.PhoneNumberType.VOIP,
    library.PhoneNumberType.PERSONAL_NUMBER,
}


class UnparseableNumber(ValueError):
    """The text is no phone number that a text could go to. The message never echoes it."""

    def __init__(self) -> None:
        super().__init__("not a phone number in international form or in the region's own")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the metadata says of one calling code, in the shape that the fast path asks for."""

    code: str
    lengths: frozenset[int]  # of the whole E.164 text, plus sign included
    trunk: re.Pattern[str] | None
    rewrite: tuple[re.Pattern[str], str] | None

    def may_hold_trunk(self, e164: str) -> bool:
        if self.trunk is None:
            return False
        start = len(self.code) + 1
        found = self.trunk.match(e164, start)
        return found is not None and found.end() > start

    def settle(self, e164: str) -> str | None:
        """The one form of a number, or None if no number of this calling code is that long."""
        if self.rewrite is not None:
            found = self.rewrite[0].fullmatch(e164)
            e164 = e164 if found is None else found.expand(self.rewrite[1])
        return e164 if len(e164) in self.lengths else None


def canonical(
    text: str, default_region: str | None = None, *, assume_international: bool = False
) -> str:
    """The E.164 text of a phone number, in the one form that its owner's id is made of.

    `default_region` is an ISO 3166 code that national forms are read in; `assume_international`
    reads digits without a plus as calling code first (Plivo, Vonage). A possible but invalid
    number is accepted: a STOP from one must count. Idempotent. Raises UnparseableNumber, also
    for short codes, vanity letters and extensions. Source: rulebook section 9, ITU-T E.164.
    """
    if E164.fullmatch(text):
        plan = _plans().get(text[1:4])
        if plan is not None and not plan.may_hold_trunk(text):
            settled = plan.settle(text)
            if settled is not None:
                return settled
    return _read(text, default_region, assume_international)


def region_of(e164: str) -> str:
    """The ISO 3166 region of a canonical number ('001' where it belongs to none)."""
    number = library.parse(e164, None)
    return library.region_code_for_number(number) or library.region_code_for_country_code(
        number.country_code or 0
    )


def national_digits(e164: str) -> str:
    """The digits after the calling code, as a report's prefix search compares them (R-V3).

    Argentina's mobile 9 is left out: people there search by area code.
    """
    plan = _plans().get(e164[1:4])
    if plan is None:
        raise UnparseableNumber
    start = len(plan.code) + 1
    return e164[start + 1 :] if plan.code == "54" and e164[start] == "9" else e164[start:]


@cache
def _plans() -> dict[str, _Plan]:
    """Plans by the first three digits, so that finding one is a single look-up."""
    plans = {}
    for code, regions in library.COUNTRY_CODE_TO_REGION_CODE.items():
        plan = _plan(code, regions[0])
        missing = 3 - len(plan.code)
        for tail in range(10**missing):
            plans[plan.code + (f"{tail:0{missing}d}" if missing else "")] = plan
    return plans


def _plan(code: int, region: str) -> _Plan:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        raise LookupError(f"no metadata for calling code {code}")
    national = _NATIONAL_LENGTHS.get(code, metadata.general_desc.possible_length)
    whole = {len(str(code)) + length for length in national}
    trunk = metadata.national_prefix_for_parsing
    return _Plan(
        code=str(code),
        lengths=frozenset(1 + digits for digits in whole & _E164_DIGITS),
        trunk=re.compile(trunk) if trunk else None,
        rewrite=_REWRITES.get(code),
    )


@dataclass(frozen=True, slots=True)
class _Home:
    """What a region's own digits are told by: its calling code, and what is dialled before them."""

    code: str
    trunk: str | None
    longest: int  # of its numbers without calling code; what is longer the library reads well

    def begins(self, digits: str) -> bool:
        """Whether digits without a plus are this region's numbers with their calling code.

        Where no trunk prefix is dialled the national form is the bare one, and the library's
        reading stands: Italy's mobiles begin with 39. Where it is the code's first digit (North
        America's 1), so does what the library makes of it.
        """
        return (
            self.trunk is not None
            and digits.startswith(self.code)
            and not digits.startswith(self.trunk)
            and CODE_AND_NUMBER_DIGITS <= len(digits) <= self.longest
        )


@cache
def _home(region: str) -> _Home | None:
    metadata = PhoneMetadata.metadata_for_region(region.upper(), None)
    if metadata is None or metadata.general_desc is None:
        return None
    longest = max(metadata.general_desc.possible_length)
    return _Home(str(metadata.country_code), metadata.national_prefix, longest)


def _read(text: str, region: str | None, assume_international: bool) -> str:
    """The patient path: every reading in turn, the first that gives a possible number."""
    clean = _clean(text)
    for reading, reading_region, of_people in _readings(clean, region, assume_international):
        settled = _by_library(reading, reading_region)
        if settled is not None and (not of_people or _type_of(settled) in _OF_PEOPLE):
            return settled
    raise UnparseableNumber


def _clean(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise UnparseableNumber
    bare = _SCHEME.sub("", _shown(text).strip(), count=1)
    if not _PHONE_TEXT.fullmatch(bare) or _is_decimal(bare):
        raise UnparseableNumber
    return bare.strip()


def _shown(text: str) -> str:
    """The text without what nobody sees, its characters in their plain form."""
    if text.isascii():
        return text
    return "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )


def _is_decimal(text: str) -> bool:
    """Whether a spreadsheet made a decimal number of it ('4155550100.0').

    Its zeros would be read as digits, and a longer number as another person's. Digits that people
    group by points have more points than one, or a short group before it.
    """
    whole, point, decimals = text.strip().partition(".")
    if not point or not decimals or any(unicodedata.decimal(c, 1) for c in decimals):
        return False
    if sum(map(str.isdecimal, whole)) < SHORTEST_BEFORE_DECIMALS:
        return False
    return len(decimals) <= LONGEST_GROUPED_DECIMALS or whole.removeprefix("+").isdecimal()


_Reading = tuple[str, str | None, bool]
"""A text, the region to read it in, and whether only a number that people have will do."""


def _readings(text: str, region: str | None, international: bool) -> Iterator[_Reading]:
    digits = _digits(text)
    plus = "+" in text
    if len(digits) <= SHORT_CODE_MAX_DIGITS:
        if not plus and not international and _is_short_mobile(digits, region):
            yield digits, region, False
        return
    if not plus:
        if international:
            yield "+" + digits, None, False
        yield from _with_code(text, digits, region)
    yield text, region, False
    if "(0)" in text:
        yield text.replace("(0)", ""), region, False


def _digits(text: str) -> str:
    if text.isascii() and text.isdecimal():
        return text
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def _with_code(text: str, digits: str, region: str | None) -> Iterator[_Reading]:
    """Readings that come before the national one: the digits hold a calling code.

    The library takes a national number that is only possible before it looks for one, and of
    Germany's and Indonesia's long landlines nearly everything is even valid.
    """
    home = _home(region) if region else None
    if not digits.startswith("00"):
        if home is not None and home.begins(digits):
            yield "+" + digits, None, True
        return
    # Where calls abroad begin otherwise, 00 is still how people write a plus. What the library
    # knows as the region's own way abroad (Korea's 002) goes before, but for the own numbers.
    international = "+" + digits[2:]
    if home is not None and digits.startswith(home.code, 2):
        yield international, None, True
    yield text, region, True
    yield international, None, False


def _type_of(e164: str) -> int:
    number = _parsed(e164, None)
    return library.PhoneNumberType.UNKNOWN if number is None else library.number_type(number)


def _is_short_mobile(digits: str, region: str | None) -> bool:
    """Niue's and the Cook Islands' mobiles have as few digits as other countries' short codes."""
    number = _parsed(digits, region)
    return number is not None and library.number_type(number) in _MOBILES


def _by_library(text: str, region: str | None) -> str | None:
    number = _parsed(text, region)
    if number is None:
        return None
    e164 = library.format_number(number, library.PhoneNumberFormat.E164)
    plan = _plans().get(e164[1:4])
    settled = None if plan is None else plan.settle(e164)
    if plan is None or settled is None or settled == text or not plan.may_hold_trunk(settled):
        return settled
    # The library takes one trunk prefix away; of '+4300...' that would leave a second reading.
    return _by_library(settled, None)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return library.parse(text, region.upper() if region else None)
    except library.NumberParseException:
        return None


MASK: Final = "[number]"

_SEPARATORS = r"[\s().\-/\u00b7\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\u2212\ufeff]{0,4}"
# Instants and opaque ids are what a log is searched by, and no phone number is written so.
_LEFT_ALONE = (
    r"(?P<kept>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?!\d)"
    r"|(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f]))"
)
_NUMBER_LIKE = re.compile(
    rf"{_LEFT_ALONE}|[+\uff0b]{_SEPARATORS}\d(?:{_SEPARATORS}\d){{3,}}|\d(?:{_SEPARATORS}\d){{6,}}"
)


def mask(text: str) -> str:
    """The text with every run that could be a phone number replaced, for logs (section 9).

    A run is seven digits or more with separators between, or four or more after a plus. ISO 8601
    instants and UUIDs stay readable.
    """
    return _NUMBER_LIKE.sub(lambda m: m["kept"] or MASK, text)


def spaced(e164: str) -> str:
    """A number as people of its country write it for abroad, `+1 415-555-0100`."""
    parsed = _parsed(e164, None)
    if parsed is None:
        return e164
    return str(library.format_number(parsed, library.PhoneNumberFormat.INTERNATIONAL))
