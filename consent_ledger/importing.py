"""What a row of an imported list says, and what of it is still to be recorded (R-V1, R-V6).

Pure: cells in, wishes out; no cell is repeated in a verdict. An opt-out on record, or in the row
itself, wins over a yes; a row that says neither records nothing.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

import msgspec

from consent_ledger import commands as c
from consent_ledger.number import E164, UnparseableNumber, canonical
from consent_ledger.snapshot import Snapshot
from consent_ledger.standing import ANY, CLOCK_MARGIN, Standing
from consent_ledger.words import LEVEL_RANK, Level, Method, Source

DETAILS: Final = {
    "number-missing": "The row has no phone number.",
    "number-unparseable": "This is no phone number that can be read.",
    "number-damaged": "A spreadsheet has changed this number; its digits cannot be trusted.",
    "opt-out-unreadable": "sms_opt_out is TRUE, FALSE or empty.",
    "opt-out-unclear": "opt_out_source names who opted out, and sms_opt_out says nothing.",
    "source-unknown": "opt_out_source is contact, agent, system or empty.",
    "consent-unknown": "consent is granted, declined, revoked, none or empty.",
    "level-unknown": "level is implied, express, express_written or empty.",
    "unknown-purpose": "The account has no such purpose.",
    "time-unreadable": "occurred_at is a time with its zone, such as 2026-03-04T10:00:00Z.",
    "time-without-zone": "occurred_at must name its zone, such as Z or +01:00.",
    "time-too-early": "occurred_at lies before 1970.",
    "occurred-at-in-future": "A fact may not lie more than 5 minutes in the future.",
    "row-unreadable": "The row is not JSON, or no object of texts, numbers and booleans.",
    "row-too-long": "The row is longer than 65,536 characters.",
    "row-too-short": "The row has fewer cells than the header.",
    "row-too-long-for-header": "The row has more cells than the header.",
    "quoting-broken": "A quotation mark opens a cell and none closes it.",
    "columns-unclear": "The row names no phone column, one column twice, or a misspelt one.",
    "record-unreadable": "What is on record cannot be read; nothing was changed.",
}
"""What is wrong with a row, by its code; no detail repeats a value."""

PHONES_OF_A_ROW: Final = 20
"""Phone columns: as many numbers as a question may name for one contact."""
REF_LIMIT: Final = 200
"""Characters of a reference, as of any opaque id."""

_TRUE: Final = frozenset({"true", "1", "yes", "y", "t", "x", "on"})
_FALSE: Final = frozenset({"", "false", "0", "no", "n", "f", "off"})
_DAMAGED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+|\d{7,}[.,]0+|#+|#[A-Z/0!]+[!?]?")
_LIKE_A_NUMBER: Final = re.compile(r"\+?[\s().\-/]*(\d[\s().\-/]*){10,15}|\+(\d[\s().\-/]*){7,15}")
_OPT_OUT_LIKE: Final = re.compile(
    "opt(s|ed|ing)?_?(out|in)|stop|subscri|dnc|do_?not|don.?t|consent|suppress|revo[ck]"
    "|permission|blocked|black_?list|no_?(sms|text|contact)"
)
_OF_A_PHONE: Final = re.compile(
    "_(type|label|kind|name|ext|extension|country|country_code|carrier|status|valid|verified"
    "|date|count|owner|notes?)$"
)
"""Columns beside a phone's own, as address books export them."""
_AS_TEXT: Final = re.compile('="([^"]*)"')
"""How an export keeps a spreadsheet from taking a number for an amount."""
_SEPARATORS: Final = re.compile(r"[\s;,|]+")


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


NO_PHONE: Final = "the header has no column `number`, and none that begins with `phone`"
MISSPELT: Final = (
    "a column looks like an opt-out or consent under another name; call it `sms_opt_out`,"
    " `opt_out_source` or `consent`, or leave it out"
)

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


class Wish(msgspec.Struct, frozen=True):
    """What a row wants recorded on its numbers; all empty is nothing."""

    opt_out: Source | None = None
    declined: bool = False
    granted: tuple[str, ...] = ()
    level: Level = Level.EXPRESS

    @property
    def strictness(self) -> int:
        """Of several rows about one number, the strictest is heard first."""
        return 0 if self.opt_out is not None else 1 if self.declined else 2


class Fault(NamedTuple):
    """What is wrong with a cell, or with the whole row where the column is None."""

    column: str | None
    code: str


class Row(NamedTuple):
    """A row that was read: the numbers it is about, what it wants, and what is wrong with it."""

    line: int
    ref: str | None
    numbers: tuple[str, ...]
    wish: Wish
    at: int | None
    faults: tuple[Fault, ...]


class _FaultError(Exception):
    def __init__(self, column: str, code: str) -> None:
        super().__init__(code)
        self.fault = Fault(column, code)


def refused(line: int, code: str) -> Row:
    """A row of which nothing can be used."""
    return Row(line, None, (), Wish(), None, (Fault(None, code),))


class RowReader:
    """Reads the rows of one import, by the account's region and purposes."""

    def __init__(
        self,
        region: str | None,
        purposes: frozenset[str],
        consent_purposes: tuple[str, ...],
        instant: int,
    ) -> None:
        self._region = region
        self._purposes = purposes
        self._consent_purposes = consent_purposes
        self._latest = instant + CLOCK_MARGIN
        self._wishes: dict[tuple[str, ...], Wish] = {}

    def read(self, line: int, cells: Sequence[str], columns: Columns) -> Row:
        """The row; where it cannot be used, with a fault for the row."""
        if len(cells) != columns.width:
            short = len(cells) < columns.width
            return refused(line, "row-too-short" if short else "row-too-long-for-header")
        ref = None if columns.ref is None else _reference(cells[columns.ref])
        try:
            wish = self._wish(cells, columns)
            at = None if columns.occurred_at is None else self._time(cells[columns.occurred_at])
        except _FaultError as error:
            return Row(line, ref, (), Wish(), None, (error.fault,))
        text = cells[columns.phones[0].place]
        if len(columns.phones) == 1 and E164.fullmatch(text):
            # Nearly every row of nearly every list.
            try:
                return Row(line, ref, (canonical(text, self._region),), wish, at, ())
            except UnparseableNumber:
                fault = Fault(columns.phones[0].name, "number-unparseable")
                return Row(line, ref, (), wish, at, (fault,))
        numbers, faults = self._numbers(cells, columns.phones)
        return Row(line, ref, numbers, wish, at, faults)

    def _numbers(
        self, cells: Sequence[str], phones: tuple[Column, ...]
    ) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
        numbers: list[str] = []
        faults: list[Fault] = []
        for place, name in ((column.place, column.name) for column in phones):
            text = cells[place].strip()
            if not text:
                continue
            try:
                number = self._number(text, name)
            except _FaultError as error:
                faults.append(error.fault)
                continue
            if number not in numbers:
                numbers.append(number)
        if not numbers and not faults:
            faults.append(Fault(None, "number-missing"))
        return tuple(numbers), tuple(faults)

    def _number(self, text: str, column: str) -> str:
        # What a file for spreadsheets has before a plus, so that it is no formula; ours do too.
        bare = text[1:] if text.startswith("'") else text
        if quoted := _AS_TEXT.fullmatch(bare):
            bare = quoted[1]
        if not E164.fullmatch(bare) and _DAMAGED.fullmatch(bare):
            raise _FaultError(column, "number-damaged")
        try:
            return canonical(bare, self._region)
        except UnparseableNumber:
            raise _FaultError(column, "number-unparseable") from None

    def _wish(self, cells: Sequence[str], columns: Columns) -> Wish:
        said = tuple(map([*cells, ""].__getitem__, columns.said))
        found = self._wishes.get(said)
        if found is None:
            found = self._read_wish(*(text.strip().casefold() for text in said))
            # A list says few different things; a hostile one may not fill the memory.
            if len(self._wishes) < _WISHES_KEPT:
                self._wishes[said] = found
        return found

    def _read_wish(self, opt_out: str, source: str, consent: str, level: str, named: str) -> Wish:
        if opt_out not in _TRUE and opt_out not in _FALSE:
            raise _FaultError("sms_opt_out", "opt-out-unreadable")
        by = _one_of(Source, source, "opt_out_source", "source-unknown") or Source.CONTACT
        how = _one_of(Level, level, "level", "level-unknown") or Level.EXPRESS
        purposes = tuple(dict.fromkeys(each for each in _SEPARATORS.split(named) if each))
        if not set(purposes) <= self._purposes:
            raise _FaultError("purposes", "unknown-purpose")
        if consent not in _CONSENTS:
            raise _FaultError("consent", "consent-unknown")
        if source and not opt_out and consent != "revoked":
            # Whoever names who opted out means that somebody did, and does not say so.
            raise _FaultError("sms_opt_out", "opt-out-unclear")
        standing = by if opt_out in _TRUE else None
        if consent == "revoked" and standing is None:
            standing = Source.CONTACT
        granted = purposes or self._consent_purposes
        if _CONSENTS[consent] is not True or standing is not None:
            granted = ()
        if granted:
            return Wish(granted=granted, level=how)
        return Wish(standing, _CONSENTS[consent] is False)

    def _time(self, text: str) -> int | None:
        bare = text.strip()
        if not bare:
            return None
        try:
            moment = datetime.fromisoformat(bare)
        except ValueError:
            raise _FaultError("occurred_at", "time-unreadable") from None
        if moment.tzinfo is None:
            raise _FaultError("occurred_at", "time-without-zone")
        try:
            delta = moment.astimezone(UTC) - _EPOCH
        except OverflowError:
            raise _FaultError("occurred_at", "time-unreadable") from None
        at = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
        if at < EARLIEST:
            raise _FaultError("occurred_at", "time-too-early")
        if at > self._latest:
            raise _FaultError("occurred_at", "occurred-at-in-future")
        return at


T = TypeVar("T", Source, Level)

_WISHES_KEPT: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = 86_400 * 1_000_000
"""The second day of 1970: a spreadsheet's empty time is the first, in some zone or other."""
_CONSENTS: Final[dict[str, bool | None]] = {
    "": None,
    "none": None,
    "unknown": None,
    "granted": True,
    "yes": True,
    "true": True,
    "1": True,
    "declined": False,
    "revoked": None,
}
"""True grants, False declines. `no` is not here: nobody knows whether it was asked."""


def _one_of(kind: type[T], text: str, column: str, code: str) -> T | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise _FaultError(column, code) from None


def _reference(text: str) -> str | None:
    """The row's own reference; none where it may be a phone number, or holds what is no text."""
    bare = text.strip()[:REF_LIMIT]
    if not bare or not bare.isprintable() or _LIKE_A_NUMBER.fullmatch(bare):
        return None
    return bare


def commands(wish: Wish, told: c.Told) -> list[c.Command]:
    """What a wish comes to, the strictest first."""
    found: list[c.Command] = []
    if wish.opt_out is not None:
        found.append(c.OptOut(told, wish.opt_out))
    if wish.declined:
        found.append(c.DeclineConsent(told))
    if wish.granted:
        found.append(c.GiveConsent(told, wish.granted, wish.level, Method.IMPORT))
    return found


def is_said(snapshot: Snapshot, command: c.Command, timed: bool) -> bool:
    """Whether the record says as much already, or something that a list may not lift.

    `timed`: the row names its own time; what is repeated at a later one is said anew.
    """
    standing, at = snapshot.standing, command.told.at or 0
    match command:
        case c.OptOut(source=source):
            found = standing.opt_out_by(source)
            if found is None or (source is Source.CONTACT and standing.contact is None):
                return False
            return not (timed and source is Source.CONTACT and _after_all(at, standing))
        case c.DeclineConsent():
            asked = standing.request.purposes if standing.request is not None else (ANY,)
            marks = [standing.declines.get(purpose) for purpose in asked]
            return all(mark is not None and (not timed or at <= mark.at) for mark in marks)
        case c.GiveConsent(purposes=purposes, level=level):
            if standing.do_not_text:
                return True
            return all(_is_granted(standing, p, level, at if timed else None) for p in purposes)
    return False


def _after_all(at: int, standing: Standing) -> bool:
    return all(at > stop for stop in standing.stops.values())


def _is_granted(standing: Standing, purpose: str, level: Level, at: int | None) -> bool:
    """A yes without a time of its own lifts no decline either."""
    declined = standing.declined(purpose)
    if declined is not None:
        return at is None or at <= declined.at
    found = standing.strongest_grant(purpose)
    if found is None or LEVEL_RANK[found[0]] < LEVEL_RANK[level]:
        return False
    return at is None or at <= found[1].mark.at
