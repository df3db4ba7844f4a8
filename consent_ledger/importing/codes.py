"""Codes of countries and areas that stand apart from their numbers, in columns of their own.

A number without a plus is read as people at home dial it. Beside a code of another country, or of
an area, it would be read as somebody else's number.
"""

import re
from collections.abc import Sequence
from typing import Final

import phonenumbers as library

from consent_ledger.importing import names

Codes = tuple[tuple[int, bool | None], ...]
"""The places of cells with codes; whether each is a country's, and not perhaps an area's. None
where it is a country that need not be the phone's."""


def codes_of(titles: Sequence[str]) -> Codes:
    """The columns that hold codes, by their plain names."""
    return tuple(
        (place, None if names.is_country(title) else names.says_country(title))
        for place, title in enumerate(titles)
        if names.is_country(title) or names.says_code(title)
    )


def codes_at_home(region: str | None) -> frozenset[str]:
    """How the country of a region, and those that share its calling code, are written as a code."""
    if region is None:
        return frozenset()
    code = library.country_code_for_region(region)
    regions = library.region_codes_for_country_code(code)
    named = [name for name, of in _REGIONS.items() if of in regions]
    return frozenset((f"{code}", f"+{code}", f"00{code}", f"{code}.0", *named))


def is_apart(number: str, cells: Sequence[str], codes: Codes, home: frozenset[str]) -> bool:
    """Whether a number lacks what a code in its row says."""
    if "+" in number or number.lstrip(_AROUND).startswith("00"):
        return False
    for place, of_country in codes:
        # `United States (+1)` is at home where both are.
        parts = _BRACKETS.split(cells[place].casefold())
        told = {code for part in parts if (code := part.strip(_AROUND))}
        if of_country is None:
            # A word that is no country's is no reason to doubt the number.
            told &= _SURE
        if told and not (of_country is not False and told <= home):
            return True
    return False


_AROUND: Final = " '\"=("
"""What stands before a number or around a code in a file for spreadsheets."""
_BRACKETS: Final = re.compile(r"[()\[\]]")
# `georgia` is not here: it is a state too.
_NAMED: Final = """
AD andorra; AE united arab emirates/uae; AF afghanistan; AG antigua and barbuda; AI
anguilla; AL albania; AM armenia; AO angola; AR argentina/arg; AS american samoa; AT
austria/aut; AU australia/aus; AW aruba; AZ azerbaijan; BA bosnia and herzegovina; BB
barbados; BD bangladesh; BE belgium/bel; BF burkina faso; BG bulgaria; BH bahrain; BI
burundi; BJ benin; BM bermuda; BN brunei; BO bolivia; BR brazil/bra; BS bahamas; BT
bhutan; BW botswana; BY belarus; BZ belize; CA canada/can; CF central african republic;
CH switzerland/che; CI côte d'ivoire; CK cook islands; CL chile/chl; CM cameroon; CN
china/chn; CO colombia/col; CR costa rica; CU cuba; CV cape verde; CY cyprus; CZ czech
republic/czechia; DE germany/deu; DJ djibouti; DK denmark/dnk; DM dominica; DO dominican
republic; DZ algeria; EC ecuador; EE estonia; EG egypt; ER eritrea; ES spain/esp; ET
ethiopia; FI finland/fin; FJ fiji; FK falkland islands; FM micronesia; FO faroe islands;
FR france/fra; GA gabon; GB united kingdom/uk/u.k./gbr/great
britain/england/scotland/wales/northern ireland; GD grenada; GG guernsey; GH ghana; GI
gibraltar; GL greenland; GM gambia; GN guinea; GR greece/grc; GT guatemala; GU guam; GY
guyana; HK hong kong; HN honduras; HR croatia; HT haiti; HU hungary; ID indonesia; IE
ireland/irl/republic of ireland; IL israel/isr; IM isle of man; IN india/ind; IQ iraq;
IR iran; IS iceland; IT italy/ita; JE jersey; JM jamaica; JO jordan; JP japan/jpn; KE
kenya; KG kyrgyzstan; KH cambodia; KN saint kitts and nevis; KP north korea; KR south
korea/kor; KW kuwait; KY cayman islands; KZ kazakhstan; LA laos; LB lebanon; LC saint
lucia; LI liechtenstein; LK sri lanka; LR liberia; LS lesotho; LT lithuania; LU
luxembourg; LV latvia; LY libya; MA morocco; MC monaco; MD moldova; ME montenegro; MG
madagascar; MH marshall islands; MK macedonia; ML mali; MM myanmar; MN mongolia; MO
macao; MP northern mariana islands; MR mauritania; MS montserrat; MT malta; MU
mauritius; MV maldives; MW malawi; MX mexico/mex/méxico; MY malaysia; MZ mozambique; NA
namibia; NC new caledonia; NE niger; NG nigeria; NI nicaragua; NL netherlands/nld/the
netherlands/holland; NO norway/nor; NP nepal; NZ new zealand/nzl; OM oman; PA panama; PE
peru; PF french polynesia; PG papua new guinea; PH philippines/phl; PK pakistan; PL
poland/pol; PR puerto rico; PS palestine; PT portugal/prt; PW palau; PY paraguay; QA
qatar; RO romania; RS serbia; RU russia/russian federation; RW rwanda; SA saudi arabia;
SB solomon islands; SC seychelles; SD sudan; SE sweden/swe; SG singapore/sgp; SI
slovenia; SK slovakia; SL sierra leone; SM san marino; SN senegal; SO somalia; SR
suriname; SS south sudan; SV el salvador; SY syria; SZ swaziland; TC turks and caicos
islands; TD chad; TG togo; TH thailand; TJ tajikistan; TL timor-leste; TM turkmenistan;
TN tunisia; TO tonga; TR turkey/türkiye; TT trinidad and tobago; TW taiwan; TZ tanzania;
UA ukraine; UG uganda; US united states/usa/u.s./u.s.a./united states of
america/america; UY uruguay; UZ uzbekistan; VA vatican; VC saint vincent and the
grenadines; VE venezuela; VG british virgin islands; VI u.s. virgin islands; VN
vietnam/viet nam; VU vanuatu; YE yemen; ZA south africa/zaf; ZM zambia; ZW zimbabwe
"""
"""Countries by their English names; those of `phonenumbers` come with a hundred megabytes."""
_REGIONS: Final = {region.casefold(): region for region in library.SUPPORTED_REGIONS} | {
    name: region
    for region, named in (each.split(maxsplit=1) for each in _NAMED.split(";"))
    for name in " ".join(named.split()).split("/")
}
"""The region of each code of two letters and of each name."""
_SURE: Final = _REGIONS.keys() - {"na"}
"""Not Namibia, as people write so where there is nothing."""
