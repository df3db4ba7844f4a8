"""What the numbering plan behind each calling code says, and how a region's own digits begin."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from phonenumbers import phonenumberutil as library
from phonenumbers.phonemetadata import PhoneMetadata

E164_MAX_DIGITS: Final = 15
"""ITU-T E.164 section 6.2.1; libphonenumber's German lengths alone would reach 17."""

SHORT_CODE_MAX_DIGITS: Final = 6
"""Common short codes have up to six digits; no E.164 number with a mobile behind it is so short."""

CODE_AND_NUMBER_DIGITS: Final = 11
"""Digits from which on those that begin with the region's own calling code are read with it.

A landline in an area that begins likewise (Emden's 4921, Lund's 46), its trunk prefix lost in a
spreadsheet, has ten at the most; a mobile behind its calling code has eleven at the least.
"""

_E164_DIGITS: Final = frozenset(range(SHORT_CODE_MAX_DIGITS + 1, E164_MAX_DIGITS + 1))

# South Africa's plan has nine digits; the other lengths in the metadata are network service
# codes, and accepting them lets every mistyped South African number through.
_NATIONAL_LENGTHS: Final = {27: (9,)}

_MEXICO_MOBILE_1 = re.compile(r"\+521(\d{10})")
_ARGENTINA_WITHOUT_9 = re.compile(r"\+54([123]\d{9})")
_BRAZIL_EIGHT_DIGITS = re.compile(r"\+55([1-9]{2})([6-9]\d{7})")

# A change here re-keys numbers, so it is a dated decision.
_REWRITES: Final = {
    # The 1 before Mexican mobiles went away in 2019; old address books and carriers keep it.
    52: (_MEXICO_MOBILE_1, r"+52\1"),
    # The 9 only says that the caller pays: number blocks do not overlap, so both forms are one
    # phone. The form with 9 wins: it is the one that libphonenumber knows for a mobile.
    54: (_ARGENTINA_WITHOUT_9, r"+549\1"),
    # Brazilian mobiles grew a leading 9 between 2012 and 2016; landlines start with 2 to 5.
    55: (_BRAZIL_EIGHT_DIGITS, r"+55\g<1>9\2"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the metadata says of one calling code, in the shape that the fast path asks for."""

    code: str
    lengths: frozenset[int]  # of the whole E.164 text, plus sign included
    trunk: re.Pattern[str] | None
    rewrite: tuple[re.Pattern[str], str] | None

    def may_hold_trunk(self, e164: str) -> bool:
        """Whether what is dialled before numbers at home may stand behind the calling code."""
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


@cache
def plans() -> dict[str, Plan]:
    """Plans by the first three digits, so that finding one is a single look-up."""
    found = {}
    for code, regions in library.COUNTRY_CODE_TO_REGION_CODE.items():
        plan = _plan(code, regions[0])
        missing = 3 - len(plan.code)
        for tail in range(10**missing):
            found[plan.code + (f"{tail:0{missing}d}" if missing else "")] = plan
    return found


def _plan(code: int, region: str) -> Plan:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        raise LookupError(f"no metadata for calling code {code}")
    national = _NATIONAL_LENGTHS.get(code, metadata.general_desc.possible_length)
    whole = {len(str(code)) + length for length in national}
    trunk = metadata.national_prefix_for_parsing
    return Plan(
        code=str(code),
        lengths=frozenset(1 + digits for digits in whole & _E164_DIGITS),
        trunk=re.compile(trunk) if trunk else None,
        rewrite=_REWRITES.get(code),
    )


@dataclass(frozen=True, slots=True)
class Home:
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
def home_of(region: str) -> Home | None:
    """How a region's own digits are told from others; None where it is none."""
    metadata = PhoneMetadata.metadata_for_region(region.upper(), None)
    if metadata is None or metadata.general_desc is None:
        return None
    longest = max(metadata.general_desc.possible_length)
    return Home(str(metadata.country_code), metadata.national_prefix, longest)
