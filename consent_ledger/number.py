"""Phone numbers: E.164 or refuse.

The only place that trusts a phone string. Behind it a number is either canonical (rulebook
section 9: one person, one id) or an opaque id; no text that leaves this module, an error's and
a repr's included, carries digits that someone typed.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from phonenumbers import phonenumberutil as library
from phonenumbers.phonenumber import PhoneNumber

from consent_ledger.numbering import SHORT_CODE_MAX_DIGITS, home_of, plans

LONGEST_TEXT: Final = 64
"""Characters read: a scheme, 15 digits and every separator people use fit twice over."""

SHORTEST_BEFORE_DECIMALS: Final = 7
"""Digits before a point from which on zeros behind it are decimals: no group is so long."""

LONGEST_GROUPED_DECIMALS: Final = 3
"""Zeros behind a point, of a number with other separators: four are a subscriber's last group."""

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
        plan = plans().get(text[1:4])
        if plan is not None and not plan.may_hold_trunk(text):
            settled = plan.settle(text)
            if settled is not None:
                return settled
    return _read(text, default_region, assume_international)


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
    home = home_of(region) if region else None
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
    plan = plans().get(e164[1:4])
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


def spaced(e164: str) -> str:
    """A number as people of its country write it for abroad, `+1 415-555-0100`."""
    parsed = _parsed(e164, None)
    if parsed is None:
        return e164
    return str(library.format_number(parsed, library.PhoneNumberFormat.INTERNATIONAL))
