"""The verdicts of an import's rows: one by one, and all of them as a file."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from api.importing import book
from api.importing.office import Connections
from api.importing.records import Format
from consent_ledger.importing.faults import DETAILS
from consent_ledger.store.units import Verdict

ROWS: Final = 2_000
"""Rows in memory at a time."""
FIELDS: Final = ("row", "ref", "status", "recorded", "column", "code", "detail")
"""Columns of the CSV: a row with several problems has several lines."""
NO_PROBLEM: Final = {"column": None, "code": None, "detail": None}


def shown_row(verdict: Verdict, repeated: bool) -> dict[str, Any]:
    """A row as it is told; of a `repeated` file nothing was recorded this time."""
    numbers = dict.fromkeys(UUID(bytes=number) for number, _, _ in verdict.facts)
    status = "unchanged" if repeated and verdict.status == "accepted" else verdict.status
    return {
        "row": verdict.line,
        "ref": verdict.ref,
        "status": status,
        "recorded": [] if repeated else list(verdict.recorded),
        "number_ids": [str(number_id) for number_id in numbers],
        "problems": [
            {"column": column, "code": code, "detail": DETAILS[code]}
            for column, code in verdict.faults
        ],
    }


async def file_of(
    connection: Connections, found: book.Import, status: str | None, kind: Format
) -> AsyncIterator[bytes]:
    """Every row with a status, as lines of a file."""
    source, after = found.same_as or found.import_id, 0
    if kind is Format.CSV:
        yield _csv([dict(zip(FIELDS, FIELDS, strict=True))])
    while True:
        async with connection() as conn:
            verdicts = await book.verdicts_after(conn, source, after, status, ROWS)
        if not verdicts:
            return
        after = verdicts[-1].line
        rows = [shown_row(each, found.same_as is not None) for each in verdicts]
        if kind is Format.CSV:
            yield _csv([line for row in rows for line in _flat(row)])
        else:
            yield "".join(json.dumps(row) + "\n" for row in rows).encode()


def _flat(row: dict[str, Any]) -> list[dict[str, Any]]:
    flat = {**row, "recorded": " ".join(row["recorded"]), "ref": _cell(row["ref"])}
    return [flat | problem for problem in row["problems"] or [NO_PROBLEM]]


def _cell(text: str | None) -> str | None:
    """A reference that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text.startswith(("=", "+", "-", "@")) else text


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    csv.DictWriter(text, FIELDS, extrasaction="ignore").writerows(rows)
    return text.getvalue().encode()
