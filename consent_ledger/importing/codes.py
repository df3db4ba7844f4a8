"""Codes of countries and areas that stand apart from their numbers, in columns of their own.

A number without a plus is read as people at home dial it. Beside a code of another country, or of
an area, it would be read as somebody else's number.
"""

from collections.abc import Sequence
from typing import Final

import phonenumbers as library

from consent_ledger.importing import names

Codes = tuple[tuple[int, bool], ...]
"""The places of cells with codes; whether each is a country's, and not perhaps an area's."""


def codes_of(titles: Sequence[str]) -> Codes:
    """The columns that hold codes, by their plain names."""
    return tuple(
        (place, names.says_country(title))
        for place, title in enumerate(titles)
        if names.says_code(title)
    )


def codes_at_home(region: str | None) -> frozenset[str]:
    """How the country of a region, and those that share its calling code, are written as a code."""
    if region is None:
        return frozenset()
    code = library.country_code_for_region(region)
    regions = map(str.casefold, library.region_codes_for_country_code(code))
    return frozenset((f"{code}", f"+{code}", f"00{code}", f"{code}.0", *regions))


def is_apart(number: str, cells: Sequence[str], codes: Codes, home: frozenset[str]) -> bool:
    """Whether a number lacks what a code in its row says."""
    if "+" in number or number.lstrip(_AROUND).startswith("00"):
        return False
    for place, of_country in codes:
        code = cells[place].strip(_AROUND).casefold()
        if code and not (of_country and code in home):
            return True
    return False


_AROUND: Final = " '\"=("
"""What stands before a number or around a code in a file for spreadsheets."""
