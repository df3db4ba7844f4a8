"""The whole report as a spreadsheet: written row by row to a folder, and read from there."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from api.report.formats import COLUMNS, cells
from api.report.query import Item
from api.report.whole import Slices

SHEET_ROWS: Final = 1_048_576
"""Rows of a sheet, its header among them: what the format has room for."""
CHUNK: Final = 65_536
"""Bytes of the file read at a time."""


@asynccontextmanager
async def spreadsheet(slices: Slices, sheet_rows: int = SHEET_ROWS) -> AsyncIterator[Path]:
    """The report as an XLSX file, until the context ends.

    A thread writes it: packing a large file takes seconds, and checks are to be answered meanwhile.
    """
    with TemporaryDirectory(prefix="consent-ledger-report-") as folder:
        path = Path(folder) / "report.xlsx"
        writer = await asyncio.to_thread(_Writer, path, sheet_rows)
        async for items in slices:
            await asyncio.to_thread(writer.write, items)
        await asyncio.to_thread(writer.close)
        yield path


async def file_chunks(path: Path) -> AsyncIterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk


class _Writer:
    """A workbook that holds one row in memory; what is full goes on in a further sheet."""

    def __init__(self, path: Path, sheet_rows: int) -> None:
        # Imported late: whoever never asks for a spreadsheet pays nothing for it.
        from xlsxwriter import Workbook

        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book: Any = Workbook(str(path), options)
        self._bold = self._book.add_format({"bold": True})
        self._places = self._all_places(sheet_rows)

    def write(self, items: list[Item]) -> None:
        """Adds rows."""
        for item, (sheet, row) in zip(items, self._places, strict=False):
            _write(sheet, row, item)

    def close(self) -> None:
        """Finishes the file; without rows it has a header alone."""
        if not self._book.worksheets():
            self._add_sheet()
        self._book.close()

    def _all_places(self, sheet_rows: int) -> Iterator[tuple[Any, int]]:
        while True:
            sheet = self._add_sheet()
            for row in range(1, sheet_rows):
                yield sheet, row

    def _add_sheet(self) -> Any:
        sheet = self._book.add_worksheet(f"Opt-outs {len(self._book.worksheets()) + 1}")
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            sheet.write_string(0, column, name, self._bold)
        return sheet


def _write(sheet: Any, row: int, item: Item) -> None:
    # As strings, whatever they begin with: a formula is another kind of cell.
    for column, value in enumerate(cells(item)):
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif value is not None:
            sheet.write_string(row, column, value)
