"""The report of opted-out numbers as an admin reads it: by pages, or whole."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from tests.api.answer import Answer, Json
from tests.api.clinic import Clinic

REPORT: Final = "/v1/reports/opt-outs"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS: Final = [
    *("number", "number_id", "source", "since", "by", "reason", "channel", "purposes"),
    *("opt_in_allowed", "event_id", "sources"),
]


def report(clinic: Clinic, role: str = "admin", **body: Any) -> Answer:
    """One page; filters are written as in the body, but `since` for `from`."""
    return clinic.post(REPORT, role, **_body(body))


def _body(body: Json) -> Json:
    return {{"since": "from"}.get(name, name): value for name, value in body.items()}


def pages(clinic: Clinic, limit: int, **body: Any) -> Iterator[list[Json]]:
    """Page after page, as each is asked for."""
    cursor = None
    while True:
        page = report(clinic, limit=limit, cursor=cursor, **body)
        yield page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def rows(clinic: Clinic, limit: int = 100, **body: Any) -> list[Json]:
    """Every row, by pages."""
    return [row for page in pages(clinic, limit, **body) for row in page]


def numbers(clinic: Clinic, **body: Any) -> list[str]:
    """The numbers of every row, in order."""
    return [row["number"] for row in rows(clinic, **body)]


def only(clinic: Clinic, **body: Any) -> Json:
    """The one row that there is."""
    (row,) = rows(clinic, **body)
    return row


def summary(clinic: Clinic, role: str = "admin", **body: Any) -> Answer:
    """Numbers by day and source."""
    return clinic.post(f"{REPORT}/summary", role, **_body(body))


def whole(clinic: Clinic, kind: str, role: str = "admin", **body: Any) -> Answer:
    """The report as a file."""
    return clinic.call("POST", REPORT, role, _body(body), Accept=kind)


def ndjson_rows(answer: Answer) -> list[Json]:
    """The rows of a file of lines."""
    assert answer.response.headers["content-type"] == NDJSON
    assert answer.response.text == "" or answer.response.text.endswith("\n")
    return [json.loads(line) for line in answer.response.text.splitlines()]


def csv_rows(answer: Answer) -> list[dict[str, str]]:
    """The rows of a file of comma-separated values."""
    assert answer.response.headers["content-type"].startswith(CSV)
    header, *found = csv.reader(io.StringIO(answer.response.text, newline=""), strict=True)
    assert header == COLUMNS
    return [dict(zip(header, row, strict=True)) for row in found]


def xlsx_rows(answer: Answer) -> list[Json]:
    """The rows of a spreadsheet's sheets."""
    assert answer.response.headers["content-type"] == XLSX
    return sheet_rows(io.BytesIO(answer.response.content))


def sheet_rows(file: Any) -> list[Json]:
    """The rows of a workbook, each sheet with a header of its own."""
    found: list[Json] = []
    for sheet in load_workbook(file):
        header, *cells = sheet.values
        assert list(header) == COLUMNS
        assert all(cell.data_type != "f" for row in sheet.rows for cell in row)
        found += [dict(zip(header, map(_read, row), strict=True)) for row in cells]
    return found


def _read(cell: Any) -> Any:
    """A cell as a spreadsheet shows it: control characters are written in escapes."""
    return unescape(cell) if isinstance(cell, str) else cell


def as_cells(row: Json) -> Json:
    """A row of a page as a row of a sheet."""
    sources = " ".join(each["source"] for each in row["opt_outs"])
    purposes = " ".join(row["purposes"] or ())
    return {name: {**row, "sources": sources, "purposes": purposes}[name] for name in COLUMNS}


def as_text(row: Json) -> dict[str, str]:
    """A row of a page as a line of a CSV file whose texts are harmless."""
    return {
        name: value if name == "number" else _harmless(value)
        for name, cell in as_cells(row).items()
        for value in ["" if cell is None else str(cell).lower() if cell in (True, False) else cell]
    }


def _harmless(text: str) -> str:
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text
