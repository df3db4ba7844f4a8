"""Which column of an imported list holds what, by the names in its header.

A typing mistake must not drop an opt-out, so a name that is nearly one refuses the header.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from consent_ledger.importing import names
from consent_ledger.importing.codes import Codes, codes_of
from consent_ledger.importing.sayings import is_saying

PHONES_OF_A_ROW: Final = 20
"""Phone columns: as many numbers as a question may name for one contact."""
DIGITS_OF_A_NAME: Final = 2
"""`phone12` has so many, and a number more."""
EMPTY: Final = frozenset({"n/a", "na", "-", "--", "none", "null", "nan"})
"""What people and programs write where there is no number."""
LONGEST_SHOWN: Final = 60
"""Letters of a column's name in a verdict, which each row keeps."""
NO_PHONE: Final = "the header has no column `number`, and none that begins with `phone`"
TITLE_ALONE: Final = (
    "the first line names one column and leaves the others without a name; delete the lines above"
    " the header"
)
MISSPELT: Final = (
    "column {} may say who must not be texted, under another name: if it does, call it"
    " `sms_opt_out` or `opt_out_source` (or `consent`, if that is consent to texts); if not, leave"
    " it out"
)
OTHER_PHONE: Final = (
    "column {} looks like a phone number under another name; call it `phone2` if the opt-out or"
    " consent of its row holds for it too, or leave it out"
)
MISSPELT_TIME: Final = (
    "column {} looks like the time of an opt-out or consent under another name; call it"
    " `occurred_at`, or leave it out"
)


class Column(msgspec.Struct, frozen=True):
    """A phone column: its place in the row, and a name that repeats nothing but letters."""

    place: int
    name: str


class ColumnsError(ValueError):
    """The header does not say where the numbers are, or says something twice."""


class Columns(msgspec.Struct, frozen=True):
    """Which cell of a row is what; None where there is no such column.

    `said` are the cells that say what the row wants, -1 where there is none. `aside` are those that
    are left aside, among them `tags` with several words each, `marks` that are named as an opt-out
    is said, such as `Removed`, `channels`, such as `Send SMS`, and `keywords` (`marked`: there are
    some of these); of those that are `untitled` nobody knows what they hold. `codes` are of
    countries and areas (see `codes`). `titles` are the names of all, and `shown` these with nothing
    but letters.
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
    aside: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    marks: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    keywords: tuple[int, ...] = ()
    untitled: tuple[int, ...] = ()
    marked: bool = False
    codes: Codes = ()
    titles: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @classmethod
    def of(cls, header: Sequence[str]) -> "Columns":
        """The columns that a header names, in any order and case; others are left aside.

        ColumnsError where none holds numbers, one is there twice, or one looks like a misspelt
        opt-out, number or time: a typing mistake must not drop one.
        """
        titles = [names.plain(title) for title in header]
        _check_title(titles)
        phones: list[Column] = []
        places: dict[str, int] = {}
        aside: list[int] = []
        for place, name in enumerate(titles):
            known = _KNOWN.get(name.replace("_", ""))
            if known is not None:
                if known in places:
                    raise ColumnsError("the header has a column twice")
                places[known] = place
                continue
            _check_name(name, place)
            if names.is_phone(name) and not names.says_code(name):
                phones.append(Column(place, _shown(name)))
            elif not names.is_none(name) and (names.says_lists(name) or not names.says_mail(name)):
                aside.append(place)
        if not phones:
            raise ColumnsError(NO_PHONE)
        if len(phones) > PHONES_OF_A_ROW:
            raise ColumnsError(f"the header has more than {PHONES_OF_A_ROW} phone columns")
        _check_others(titles, places)
        if "ref" in places:
            aside.append(places["ref"])
        tags = tuple(place for place in aside if names.says_tags(titles[place]))
        marks = tuple(place for place in aside if is_saying(titles[place]))
        channels = tuple(place for place in aside if names.says_channel(titles[place]))
        keywords = tuple(place for place in aside if names.says_keyword(titles[place]))
        return cls(
            len(header),
            tuple(phones),
            said=tuple(places.get(name, -1) for name in _SAID),
            aside=tuple(aside),
            tags=tags,
            marks=marks,
            channels=channels,
            keywords=keywords,
            untitled=tuple(place for place, name in enumerate(titles) if names.is_none(name)),
            marked=bool(tags or marks or channels or keywords),
            codes=codes_of(titles),
            titles=tuple(titles),
            shown=tuple(map(_shown, titles)),
            **places,
        )

    def is_own_header(self, cells: Sequence[str]) -> bool:
        """Whether a row is this header again: the same names in the same order."""
        return tuple(map(names.plain, cells)) == self.titles

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether a row of which no number was read is a header itself, this one or another.

        It names a phone and a column of ours, or the phone's own cell does and another is a name of
        this header too, or one like an opt-out's. Nothing is looked at where that cell is empty or
        has a number's digits.
        """
        place = self.phones[0].place
        own = cells[place].strip() if place < len(cells) else ""
        if not own or own.casefold() in EMPTY or sum(map(str.isdigit, own)) > DIGITS_OF_A_NAME:
            return False
        titles = tuple(map(names.plain, cells))
        if titles == self.titles:
            return True
        named = [names.is_phone(title) or names.says_phone(title) for title in titles]
        if any(named) and any(title.replace("_", "") in _KNOWN for title in titles):
            return True
        others = titles[:place] + titles[place + 1 :]
        return names.is_bare_phone(titles[place]) and any(
            names.says_opt_out(title) or (title and title in self.titles) for title in others
        )


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
} | {"generalsmsoptout": "sms_opt_out"}
"""By what is left of a title. A lead manager whose lists are taken over (R-V1) calls the field of
an opt-out `General.Sms.OptOut`."""
_SAID: Final = ("sms_opt_out", "opt_out_source", "consent", "level", "purposes")


_REFUSED: Final[tuple[tuple[Callable[[str], bool], str], ...]] = (
    # The time of an opt-out is named after it, so it is asked for first.
    (names.misspells_time, MISSPELT_TIME),
    (names.says_opt_out, MISSPELT),
    (names.misspells_opt_out, MISSPELT),
)


def _check_title(titles: Sequence[str]) -> None:
    """Above a table there may be its title, which would be taken for a header of one column."""
    named = [name for name in titles if name]
    # A list of numbers may have nothing but them, and commas that a spreadsheet left.
    if len(named) == 1 < len(titles) and not names.is_bare_phone(named[0]):
        raise ColumnsError(TITLE_ALONE)


def _check_name(name: str, place: int) -> None:
    for refused, because in _REFUSED:
        if refused(name):
            raise ColumnsError(because.format(place + 1))


def _check_others(titles: Sequence[str], places: dict[str, int]) -> None:
    """What is refused only for what stands beside it: a number, or an opt-out without a time."""
    untimed = "occurred_at" not in places and not places.keys().isdisjoint(_SAYS)
    for place, name in enumerate(titles):
        if name.replace("_", "") in _KNOWN or names.is_phone(name) or names.says_code(name):
            continue
        if names.says_phone(name):
            raise ColumnsError(OTHER_PHONE.format(place + 1))
        if untimed and names.says_time(name):
            raise ColumnsError(MISSPELT_TIME.format(place + 1))


_SAYS: Final = ("sms_opt_out", "consent")


def _shown(name: str) -> str:
    """A column's name as a verdict tells it: nothing of it could be a phone number."""
    return re.sub(r"[^a-z_]|\d{3,}", "", name)[:LONGEST_SHOWN] + _digits_at_end(name)


def _digits_at_end(name: str) -> str:
    found = re.search(r"(?<!\d)\d{1,2}$", name)
    return found[0] if found else ""
