"""A whole report in CSV or NDJSON: row by row from templates, whatever its length."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Final, Protocol

import msgspec

from api.report.everything import Beside, Row
from consent_ledger.words import Source

COLUMNS: Final = (
    "number",
    "number_id",
    "source",
    "since",
    "by",
    "reason",
    "channel",
    "purposes",
    "opt_in_allowed",
    "event_id",
    "sources",
)
"""Of a table; `sources` are all that stand on the number, as a row has no room for a list."""
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, or drops before one."""
REMEMBERED: Final = 4_096
"""Texts that are kept as they are written: most rows have the words of another one."""
MAY_LIFT: Final = {str(source): source.admin_may_lift for source in Source}


class File(Protocol):
    """A way to write a report."""

    def head(self) -> bytes:
        """What comes before the rows."""
        ...

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Some rows."""
        ...

    def tail(self) -> bytes:
        """What comes after them."""
        ...


class Remembered(dict[str | None, str]):
    """Texts as they are written, each made once as long as there is room."""

    def __init__(self, make: Callable[[str | None], str]) -> None:
        self._make = make

    def __missing__(self, text: str | None) -> str:
        made = self._make(text)
        if len(self) < REMEMBERED:
            self[text] = made
        return made


class _Days(dict[int, str]):
    def __missing__(self, day: int) -> str:
        made = self[day] = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
        return made


class _Seconds(dict[int, str]):
    def __missing__(self, second: int) -> str:
        hour, minute = divmod(second // 60, 60)
        made = self[second] = f"T{hour:02}:{minute:02}:{second % 60:02}"
        return made


_days: Final = _Days()
_seconds: Final = _Seconds()


def moment(at: int) -> str:
    """A time as `api.render.instant` writes it, at a fraction of its cost."""
    seconds, micros = divmod(at, 1_000_000)
    day, second = divmod(seconds, 86_400)
    fraction = f".{micros:06}" if micros else ""
    return f"{_days[day]}{_seconds[second]}{fraction}Z"


def event_of(row: Row | Beside, number_id: str) -> str:
    """The id of the event that an opt-out rests on."""
    return f"{number_id.replace('-', '')}-{row.version}"


class CsvFile:
    """RFC 4180 with a header; no text in it is run by a spreadsheet."""

    def __init__(self) -> None:
        self._cells = Remembered(_cell)

    def head(self) -> bytes:
        """The names of the columns."""
        return ",".join(COLUMNS).encode() + b"\r\n"

    def rows(self, rows: Sequence[Row]) -> bytes:
        """A line for each, or several where a text has them."""
        cells = self._cells
        lines = [
            # The number begins with a plus: it is digits for certain, and looked up as it stands.
            f"{row.number or ''},{row.number_id},{row.source},{moment(row.since)},{cells[row.by]},"
            f"{cells[row.reason]},{cells[row.channel]},{cells[row.purposes]},"
            f"{'true' if MAY_LIFT[row.source] else 'false'},{event_of(row, row.number_id)},"
            f"{row.sources if row.besides else row.source}\r\n"
            for row in rows
        ]
        return "".join(lines).encode()

    def tail(self) -> bytes:
        """Nothing."""
        return b""


def _cell(text: str | None) -> str:
    if not text:
        return ""
    text = f"'{text}" if text.startswith(FORMULA) else text
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


class NdjsonFile:
    """A line of JSON for each row, as the pages have it."""

    def __init__(self) -> None:
        self._texts = Remembered(_json)
        self._lists = Remembered(_json_list)

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """A line for each."""
        return "".join([self._line(row) for row in rows]).encode()

    def tail(self) -> bytes:
        """Nothing."""
        return b""

    def _line(self, row: Row) -> str:
        number_id, shown = row.number_id, self._opt_out(row, row.number_id, row.purposes)
        others = self._others(row.besides, number_id) if row.besides else ""
        number = f'"{row.number}"' if row.number else "null"
        may = "true" if MAY_LIFT[row.source] else "false"
        return (
            f'{{"number":{number},"number_id":"{number_id}",{shown},"opt_in_allowed":{may},'
            f'"opt_outs":[{{{shown}}}{others}]}}\n'
        )

    def _others(self, besides: Iterable[Beside], number_id: str) -> str:
        return "".join(f",{{{self._opt_out(each, number_id, None)}}}" for each in besides)

    def _opt_out(self, each: Row | Beside, number_id: str, purposes: str | None) -> str:
        texts = self._texts
        return (
            f'"source":"{each.source}","since":"{moment(each.since)}","by":{texts[each.by]},'
            f'"reason":{texts[each.reason]},"channel":{texts[each.channel]},'
            f'"purposes":{self._lists[purposes]},"event_id":"{event_of(each, number_id)}"'
        )


def _json(text: str | None) -> str:
    return msgspec.json.encode(text).decode()


def _json_list(text: str | None) -> str:
    return msgspec.json.encode(text.split() if text else None).decode()
