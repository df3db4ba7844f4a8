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


def _read(text: str, region: str | None, assume_international: bool) -> str:
    """The patient path: every reading in turn, the first that gives a possible number."""
    clean = _clean(text)
    for reading, reading_region in _readings(clean, region, assume_international):
        settled = _by_library(reading, reading_region)
        if settled is not None:
            return settled
    raise UnparseableNumber


def _clean(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise UnparseableNumber
    shown = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )
    bare = _SCHEME.sub("", shown.strip(), count=1)
    if not _PHONE_TEXT.fullmatch(bare):
        raise UnparseableNumber
    return bare.strip()


def _readings(
    text: str, region: str | None, international: bool
) -> Iterator[tuple[str, str | None]]:
    digits = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    plus = "+" in text
    if len(digits) <= SHORT_CODE_MAX_DIGITS:
        if not plus and not international and _is_short_mobile(digits, region):
            yield digits, region
        return
    if international and not plus:
        yield "+" + digits, None
    yield text, region
    if "(0)" in text:
        yield text.replace("(0)", ""), region
    if not plus and digits.startswith("00"):
        yield "+" + digits[2:], None


def _is_short_mobile(digits: str, region: str | None) -> bool:
    """Niue's and the Cook Islands' mobiles have as few digits as other countries' short codes."""
    number = _parsed(digits, region)
    mobile = (library.PhoneNumberType.MOBILE, library.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return number is not None and library.number_type(number) in mobile


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
