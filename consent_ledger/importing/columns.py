"""Which column of an imported list holds what, by the names in its header.

A typing mistake must not drop an opt-out, so a name that is nearly one refuses the header.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

PHONES_OF_A_ROW: Final = 20
"""Phone columns: as many numbers as a question may name for one contact."""
NO_PHONE: Final = "the header has no column `number`, and none that begins with `phone`"
MISSPELT: Final = (
    "a column looks like an opt-out or consent under another name; call it `sms_opt_out`,"
    " `opt_out_source` or `consent`, or leave it out"
)

_OPT_OUT_LIKE: Final = re.compile(
    "opt(s|ed|ing)?_?(out|in)|stop|subscri|dnc|do_?not|don.?t|consent|suppress|revo[ck]"
    "|permission|blocked|black_?list|no_?(sms|text|contact)"
)
_OF_A_PHONE: Final = re.compile(
    "_(type|label|kind|name|ext|extension|country|country_code|carrier|status|valid|verified"
    "|date|count|owner|notes?)$"
)
"""Columns beside a phone's own, as address books export them."""


class Column(msgspec.Struct, frozen=True):
    """A phone column: its place in the row, and a name that repeats nothing but letters."""

    place: int
    name: str


class ColumnsError(ValueError):
    """The header does not say where the numbers are, or says something twice."""


class Columns(msgspec.Struct, frozen=True):
    """Which cell of a row is what; None where there is no such column.

    `said` are the cells that say what the row wants, -1 where there is none.
    """

    width: int
    phones: tuple[Column, ...]
    sms_opt_out: int | None = None
    opt_out_source: int | None = None
    consent: int | None = None
    level: int | None = None
    purposes: int | None = None
    occurred_at: int | None = None
    ref: int | None = None
    said: tuple[int, ...] = ()

    @classmethod
    def of(cls, header: Sequence[str]) -> "Columns":
        """The columns that a header names, in any order and case; others are left aside.

        ColumnsError where none holds numbers, one is there twice, or one looks like a misspelt
        opt-out: a typing mistake must not drop one.
        """
        phones: list[Column] = []
        places: dict[str, int] = {}
        for place, title in enumerate(header):
            name = _plain_name(title)
            known = _KNOWN.get(name.replace("_", ""))
            if known is not None:
                if known in places:
                    raise ColumnsError("the header has a column twice")
                places[known] = place
            elif _OPT_OUT_LIKE.search(name):
                raise ColumnsError(MISSPELT)
            elif _is_phone(name):
                shown = re.sub(r"[^a-z_]|\d{3,}", "", name) + _digits_at_end(name)
                phones.append(Column(place, shown))
        if not phones:
            raise ColumnsError(NO_PHONE)
        if len(phones) > PHONES_OF_A_ROW:
            raise ColumnsError(f"the header has more than {PHONES_OF_A_ROW} phone columns")
        said = tuple(places.get(name, -1) for name in _SAID)
        return cls(len(header), tuple(phones), said=said, **places)


_KNOWN: Final = {
    name.replace("_", ""): name
    for name in (
        "sms_opt_out",
        "opt_out_source",
        "consent",
        "level",
        "purposes",
        "occurred_at",
        "ref",
    )
}
_SAID: Final = ("sms_opt_out", "opt_out_source", "consent", "level", "purposes")


def _is_phone(name: str) -> bool:
    if name.replace("_", "") == "number":
        return True
    return name.startswith("phone") and not _OF_A_PHONE.search(name)


def _plain_name(title: str) -> str:
    return re.sub(r"[\s\-_.]+", "_", title.strip().casefold())


def _digits_at_end(name: str) -> str:
    found = re.search(r"(?<!\d)\d{1,2}$", name)
    return found[0] if found else ""
