"""A whole report as a spreadsheet (Office Open XML), written while it is sent.

No row waits in memory or in a file: the sheets are entries of a ZIP archive that is only ever added
to, with their texts in the cells themselves.
"""

import re
from collections.abc import Iterator, Sequence
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile

from api.report.everything import Row
from api.report.writing import COLUMNS, MAY_LIFT, Remembered, event_of, moment

SHEET_ROWS: Final = 1_048_576
"""Rows of a sheet, its header among them: what the format has room for."""
SHEET_BYTES: Final = 1_500_000_000
"""Of a sheet before it is packed: beyond 2 GiB an entry has a form that not every reader knows."""
CELL_UNITS: Final = 32_767
"""UTF-16 units of a cell; a longer text is cut, as a program would refuse the file."""
FASTEST: Final = 1
"""The level of packing: a better one makes a file smaller by a tenth, and takes thrice as long."""

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_SHEET_HEAD: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)
_SHEET_TAIL: Final = "</sheetData></worksheet>"

# Control characters, and what looks like one that is written in escapes.
_TO_ESCAPE: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class _Sink:
    """Takes what the archive writes, until it is sent."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        held, self._held = b"".join(self._held), []
        return held


class SheetFile:
    """A workbook; what a sheet has no room for goes on in a further one."""

    def __init__(self, sheet_rows: int = SHEET_ROWS, sheet_bytes: int = SHEET_BYTES) -> None:
        self._sheet_rows, self._sheet_bytes = sheet_rows, sheet_bytes
        self._sink = _Sink()
        self._zip = ZipFile(self._sink, "w", ZIP_DEFLATED, compresslevel=FASTEST)
        self._texts = Remembered(_text)
        self._sheets = 0
        self._sheet: IO[bytes] | None = None
        self._row = self._bytes = 0

    def head(self) -> bytes:
        """The beginning of the archive."""
        self._zip.writestr("_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
        return self._sink.take()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Some rows; nothing as long as packing holds them back."""
        done = 0
        while done < len(rows):
            if self._sheet is None:
                self._open_sheet()
            some = rows[done : done + self._sheet_rows - self._row]
            self._write("".join(self._lines(some)))
            self._row += len(some)
            done += len(some)
            if self._row >= self._sheet_rows or self._bytes >= self._sheet_bytes:
                self._close_sheet()
        return self._sink.take()

    def tail(self) -> bytes:
        """The end of the archive; without rows, there is a sheet with a header."""
        if self._sheets == 0:
            self._open_sheet()
        self._close_sheet()
        for name, text in _about(self._sheets).items():
            self._zip.writestr(name, text)
        self._zip.close()
        return self._sink.take()

    def _open_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._zip.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
        self._row, self._bytes = 1, 0
        self._write(_SHEET_HEAD + _header())

    def _close_sheet(self) -> None:
        if self._sheet is not None:
            self._write(_SHEET_TAIL)
            self._sheet.close()
            self._sheet = None

    def _write(self, text: str) -> None:
        assert self._sheet is not None
        data = text.encode()
        self._sheet.write(data)
        self._bytes += len(data)

    def _lines(self, rows: Sequence[Row]) -> Iterator[str]:
        # As texts, whatever they begin with: a formula is another kind of cell.
        texts = self._texts
        for n, row in enumerate(rows, start=self._row + 1):
            number = f'<c r="A{n}"{_plain(row.number)}' if row.number else ""
            by = f'<c r="E{n}"{texts[row.by]}' if row.by else ""
            reason = f'<c r="F{n}"{texts[row.reason]}' if row.reason else ""
            yield (
                f'<row r="{n}">{number}<c r="B{n}"{_plain(row.number_id)}'
                f'<c r="C{n}"{_plain(row.source)}<c r="D{n}"{_plain(moment(row.since))}{by}{reason}'
                f'<c r="G{n}"{_plain(row.channel)}<c r="H{n}"{_plain(row.purposes or "")}'
                f'<c r="I{n}" t="b"><v>{int(MAY_LIFT[row.source])}</v></c>'
                f'<c r="J{n}"{_plain(event_of(row, row.number_id))}'
                f'<c r="K{n}"{_plain(row.sources)}</row>'
            )


def _plain(text: str) -> str:
    """The rest of a cell with a text of ours."""
    return f' t="inlineStr"><is><t>{text}</t></is></c>'


def _text(text: str | None) -> str:
    """The rest of a cell with a text of anybody's."""
    units = (text or "").encode("utf-16-le")
    if len(units) > 2 * CELL_UNITS:
        text = units[: 2 * (CELL_UNITS - 1)].decode("utf-16-le", "ignore") + "\u2026"
    return f' t="inlineStr"><is><t xml:space="preserve">{_escaped(text or "")}</t></is></c>'


def _escaped(text: str) -> str:
    shown = _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header() -> str:
    cells = [f'<c r="{chr(ord("A") + i)}1" s="1"{_plain(name)}' for i, name in enumerate(COLUMNS)]
    return f'<row r="1">{"".join(cells)}</row>'


def _about(sheets: int) -> dict[str, str]:
    """The entries that tell a reader what the others are."""
    numbers = range(1, sheets + 1)
    named = [f'<sheet name="Opt-outs {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers]
    links = [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    types = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    types += [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    told = [f'<Override PartName="{name}" ContentType="{_TYPE}.{k}+xml"/>' for name, k in types]
    return {
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
        f"<sheets>{''.join(named)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations([*links, ("styles", "styles.xml")]),
        "xl/styles.xml": _STYLES,
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{''.join(told)}</Types>",
    }


def _relations(links: Sequence[tuple[str, str]]) -> str:
    each = [
        f'<Relationship Id="rId{n}" Type="{_LINKS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(links, start=1)
    ]
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(each)}</Relationships>'
