"""What a row of an imported list says (R-V1, R-V6): cells in, numbers and a wish out.

An opt-out in the row wins over a yes beside it; a row that says neither records nothing.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from consent_ledger.importing.codes import codes_at_home, is_apart
from consent_ledger.importing.columns import EMPTY, Columns
from consent_ledger.importing.faults import Fault, FaultError
from consent_ledger.importing.references import reference
from consent_ledger.importing.sayings import KEYWORDS, is_saying, says_opt_out, tags_say_opt_out
from consent_ledger.importing.wishes import Wish
from consent_ledger.moments import EARLIEST, instant_of, moment_of
from consent_ledger.number import E164, UnparseableNumber, canonical
from consent_ledger.standing import CLOCK_MARGIN
from consent_ledger.words import Level, Source

_TRUE: Final = frozenset({"true", "1", "yes", "y", "t", "x", "on"})
_FALSE: Final = frozenset({"", "false", "0", "no", "n", "f", "off"})
_NO: Final = frozenset(
    {"no", "n", "false", "off", "disabled", "nein", "non", "nee", "n\xe3o", "nao", "never"}
)
"""What says under the name of a channel that no texts are wanted: no zero, which is a count too."""
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
_DAMAGED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+|\d{7,}[.,]0+|#+|#[A-Z/0!]+[!?]?")
_AS_TEXT: Final = re.compile('="([^"]*)"')
"""How an export keeps a spreadsheet from taking a number for an amount."""
_SEPARATORS: Final = re.compile(r"[\s;,|]+")
_WISHES_KEPT: Final = 10_000

OPT_OUT_ASIDE: Final = Fault(None, "opt-out-aside")

T = TypeVar("T", Source, Level)


class Row(NamedTuple):
    """A row that was read: the numbers it is about, what it wants, and what is wrong with it."""

    line: int
    ref: str | None
    numbers: tuple[str, ...]
    wish: Wish
    at: int | None
    faults: tuple[Fault, ...]


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
        self._home = codes_at_home(region)
        self._purposes = purposes
        self._consent_purposes = consent_purposes
        self._latest = instant + CLOCK_MARGIN
        self._wishes: dict[tuple[str, ...], Wish] = {}

    def read(self, line: int, cells: Sequence[str], columns: Columns) -> Row:
        """The row; where it cannot be used, with a fault for the row."""
        if len(cells) != columns.width:
            short = len(cells) < columns.width
            return refused(line, "row-too-short" if short else "row-too-long-for-header")
        ref = None if columns.ref is None else reference(cells[columns.ref])
        try:
            wish = self._wish(cells, columns)
            at = None if columns.occurred_at is None else self._time(cells[columns.occurred_at])
            if columns.untitled and wish.opt_out is None:
                _check_untitled(cells, columns)
        except FaultError as error:
            return Row(line, ref, (), Wish(), None, (error.fault,))
        # A row that opts out itself has nothing to lose by what is left aside.
        if wish.opt_out is None and (aside := _said_aside(cells, columns)) is not None:
            return Row(line, ref, (), Wish(), None, (aside,))
        numbers, faults = self._numbers(cells, columns)
        if faults and wish.opt_out is None and _said_in_a_phone(cells, columns):
            return Row(line, ref, (), Wish(), None, (OPT_OUT_ASIDE,))
        return Row(line, ref, numbers, wish, at, faults)

    def _numbers(
        self, cells: Sequence[str], columns: Columns
    ) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
        phones = columns.phones
        text = cells[phones[0].place]
        if len(phones) == 1 and E164.fullmatch(text):
            # Nearly every row of nearly every list.
            try:
                return (canonical(text, self._region),), ()
            except UnparseableNumber:
                return (), (Fault(phones[0].name, "number-unparseable"),)
        numbers: list[str] = []
        faults: list[Fault] = []
        for place, name in ((column.place, column.name) for column in phones):
            text = cells[place].strip()
            if not text or text.casefold() in EMPTY:
                continue
            try:
                if columns.codes and is_apart(text, cells, columns.codes, self._home):
                    raise FaultError(name, "code-apart")
                number = self.number(text, name)
            except FaultError as error:
                faults.append(error.fault)
                continue
            if number not in numbers:
                numbers.append(number)
        if not numbers and not faults:
            faults.append(Fault(None, "number-missing"))
        return tuple(numbers), tuple(faults)

    def number(self, text: str, column: str) -> str:
        """The number in a cell; FaultError where there is none."""
        # What a file for spreadsheets has before a plus, so that it is no formula; ours do too.
        bare = text[1:] if text.startswith("'") else text
        if quoted := _AS_TEXT.fullmatch(bare):
            bare = quoted[1]
        if not E164.fullmatch(bare) and _DAMAGED.fullmatch(bare):
            raise FaultError(column, "number-damaged")
        try:
            return canonical(bare, self._region)
        except UnparseableNumber:
            raise FaultError(column, "number-unparseable") from None

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
            raise FaultError("sms_opt_out", "opt-out-unreadable")
        by = _one_of(Source, source, "opt_out_source", "source-unknown") or Source.CONTACT
        how = _one_of(Level, level, "level", "level-unknown") or Level.EXPRESS
        purposes = tuple(dict.fromkeys(each for each in _SEPARATORS.split(named) if each))
        if not set(purposes) <= self._purposes:
            raise FaultError("purposes", "unknown-purpose")
        if consent not in _CONSENTS:
            raise FaultError("consent", "consent-unknown")
        if source and not opt_out and consent != "revoked":
            # Whoever names who opted out means that somebody did, and does not say so.
            raise FaultError("sms_opt_out", "opt-out-unclear")
        standing = by if opt_out in _TRUE else None
        revoked = consent == "revoked"
        if revoked and standing is None:
            standing = Source.CONTACT
        granted = purposes or self._consent_purposes
        if _CONSENTS[consent] is not True or standing is not None:
            granted = ()
        if granted:
            return Wish(granted=granted, level=how)
        besides = revoked and standing is not Source.CONTACT
        declined = _CONSENTS[consent] is False
        return Wish(standing, declined, revoked=besides, declines=purposes if declined else ())

    def _time(self, text: str) -> int | None:
        bare = text.strip()
        if not bare:
            return None
        try:
            moment = moment_of(bare)
            if moment.tzinfo is None:
                raise FaultError("occurred_at", "time-without-zone")
            at = instant_of(moment)
        except ValueError:
            raise FaultError("occurred_at", "time-unreadable") from None
        if at < EARLIEST:
            raise FaultError("occurred_at", "time-too-early")
        if at > self._latest:
            raise FaultError("occurred_at", "occurred-at-in-future")
        return at


def _one_of(kind: type[T], text: str, column: str, code: str) -> T | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise FaultError(column, code) from None


def _check_untitled(cells: Sequence[str], columns: Columns) -> None:
    for place in columns.untitled:
        text = cells[place].strip()
        # In front a table's own row numbers stand without a name, as pandas writes them.
        in_front = columns.untitled[: place + 1] == tuple(range(place + 1))
        if text and not (in_front and text.replace(".", "", 1).isdecimal()):
            raise FaultError(None, "column-untitled")


def _said_aside(cells: Sequence[str], columns: Columns) -> Fault | None:
    """What a row says of no texts in a column that is not read; None where it says nothing."""
    if columns.aside and (place := says_opt_out(cells, columns.aside)) is not None:
        return Fault(columns.shown[place] or None, OPT_OUT_ASIDE.code)
    if not columns.marked:
        return None
    if _marked(cells, columns):
        return OPT_OUT_ASIDE
    for places, words in ((columns.channels, _NO), (columns.keywords, KEYWORDS)):
        for place in places:
            if cells[place].strip(" .!").casefold() in words:
                return Fault(columns.shown[place] or None, OPT_OUT_ASIDE.code)
    return None


def _said_in_a_phone(cells: Sequence[str], columns: Columns) -> bool:
    """Whether somebody wrote, where the number should be, that the contact wants no texts."""
    return any(is_saying(cells[column.place]) for column in columns.phones)


def _marked(cells: Sequence[str], columns: Columns) -> bool:
    """Whether one of several words, or a TRUE under a name such as `Removed`, opts out."""
    return tags_say_opt_out(cells, columns.tags) or any(
        cells[place].strip().casefold() in _TRUE for place in columns.marks
    )
