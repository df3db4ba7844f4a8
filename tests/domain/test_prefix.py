"""The first digits of a number find it, however they are typed (R-V3)."""

from itertools import pairwise

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.prefix import PrefixError, PrefixTooShortError, prefix_ranges

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def finds(typed: str, e164: str) -> bool:
    """Whether a number lies in one of the ranges, compared by bytes as the database does."""
    return any(each.start <= e164 < each.end for each in prefix_ranges(typed))


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("+44770", "+447700900123"),
        ("+44 (0)770", "+447700900123"),
        ("+1-415", "+14155550131"),
        ("+14155550131", "+14155550131"),
        ("415", "+14155550131"),
        ("1415", "+14155550131"),
        ("(415) 555", "+14155550131"),
        ("0770", "+447700900123"),
        ("770", "+447700900123"),
        ("07700 900123", "+447700900123"),
        ("０７７０", "+447700900123"),
        ("٠٧٧٠", "+447700900123"),
        ("8912", "+79123456789"),
        ("0612", "+33612345678"),
        ("0615", "+3615123456"),
        ("061", "+39061234567"),
        ("011", "+5491155551234"),
        ("115", "+5491155551234"),
        ("9115", "+5491155551234"),
        ("+5411", "+5491155551234"),
        ("+54 9 11", "+5491155551234"),
        ("+52155", "+525512345678"),
        ("+55118765", "+5511987654321"),
        ("8029", "+375291234567"),
        ("123", "+80012345678"),
        ("999", "+19995550131"),
        ("00447700", "+447700900123"),
        ("00 44 (0)7700", "+447700900123"),
        ("0033612", "+33612345678"),
        ("0014155550131", "+14155550131"),
        ("0011 61 412", "+61412345678"),
        ("011 33 612", "+33612345678"),
        ("01133612", "+5491133612345"),
        ("33612", "+33612345678"),
        ("447700", "+447700900123"),
        ("447700900123", "+447700900123"),
        ("5411 5", "+5491155551234"),
        ("008812", "+992008812345"),
    ],
)
def test_a_number_is_found_by_its_first_digits(typed: str, e164: str) -> None:
    """With a plus, as a country's own digits, and with the digit dialled before those.

    An access prefix counts as a plus, and a calling code is known again without one: who finds
    nothing takes it that nobody opted out.
    """
    assert finds(typed, e164)


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("+415", "+14155550131"),
        ("415", "+4151234567"),
        ("155", "+525512345678"),
        ("1415", "+524155550131"),
        ("770", "+440770090012"),
        ("+4477", "+447800900123"),
        ("4155550132", "+14155550131"),
        ("999", "+19985550131"),
        ("0044770", "+33770123456"),
        ("0011447", "+14475550131"),
        ("0114477", "+447800900123"),
        ("4477", "+447700900123"),
    ],
)
def test_other_numbers_are_not(typed: str, e164: str) -> None:
    """A calling code is no part of the digits dialled at home, until three come behind it."""
    assert not finds(typed, e164)


@pytest.mark.parametrize(
    "typed", ["", "+", "+4", "+44", "41", "4 1", "(0)7", "-", "+1-4", "0044", "001141"]
)
def test_two_digits_are_too_few(typed: str) -> None:
    """R-V3: a calling code alone is no beginning of a number; separators count for nothing."""
    with pytest.raises(PrefixTooShortError):
        prefix_ranges(typed)


@pytest.mark.parametrize("typed", ["call me", "415x", "4+15", "++415", "415;", "4\x0015", "41⁵a"])
def test_what_is_no_digit_is_refused(typed: str) -> None:
    """And it is not echoed."""
    with pytest.raises(PrefixError) as refused:
        prefix_ranges(typed)
    assert typed not in str(refused.value)


@given(st.text(max_size=20) | st.text("+0123456789 -()", max_size=20))
def test_ranges_are_disjoint_and_in_order(typed: str) -> None:
    """So that each number is found once, and pages go through them one after the other."""
    try:
        ranges = prefix_ranges(typed)
    except PrefixError:
        return
    assert all(each.start < each.end for each in ranges)
    assert all(a.end <= b.start for a, b in pairwise(ranges))


@pytest.mark.parametrize("region", REGIONS)
def test_every_regions_numbers_are_found_as_they_are_written_there(region: str) -> None:
    """From three digits on: E.164, national digits, and the national form with what is dialled."""
    for kind in ("MOBILE", "FIXED_LINE"):
        example = phonenumbers.example_number_for_type(
            region, getattr(phonenumbers.PhoneNumberType, kind)
        )
        if example is None:
            continue
        try:
            e164 = canonical(
                phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            )
        except UnparseableNumber:
            continue
        national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        dialled = "".join(c for c in national if c.isdigit())
        digits = phonenumbers.national_significant_number(phonenumbers.parse(e164))
        # People in Argentina search by area code, without a mobile's 9 before it.
        forms = [e164, digits.removeprefix("9") if region == "AR" else digits]
        # Argentina writes a mobile with a 15 behind the area code, whose length digits cannot tell.
        if region != "AR":
            forms.append(dialled)
        for form in forms:
            for end in range(3 + form.startswith("+"), len(form) + 1):
                assert finds(form[:end], e164), (kind, form[:end])
