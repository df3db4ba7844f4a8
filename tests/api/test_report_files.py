"""The whole report as a file: CSV, NDJSON or a spreadsheet, from one look, in constant memory."""

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime

import httpx2
import pytest
from starlette.types import Message

from api.report.everything import Row
from api.report.formats import Format, asked_format
from api.report.sheet import SheetFile
from api.report.streaming import Streamed
from tests.api.answer import Json
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open
from tests.api.reporting import (
    CSV,
    NDJSON,
    REPORT,
    XLSX,
    as_cells,
    as_text,
    csv_rows,
    ndjson_rows,
    report,
    rows,
    sheet_rows,
    whole,
    xlsx_rows,
)
from tests.service import LOCAL

KINDS = [CSV, NDJSON, XLSX]
DORA = "+447700900123"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]
AWKWARD = [
    'a "quoted" word',
    "one, two",
    "two\nlines",
    "two\r\nlines",
    " spaces ",
    "ünïcode 🛑",
    "'",
    "_x0041_ \x07 <&>",
]


@pytest.fixture
def told(clinic: Clinic) -> Clinic:
    """An account with opt-outs of every source, awkward reasons, and a person who was erased."""
    clinic.hears(ANN, "STOP", occurred_at=ago(days=1))
    clinic.opts_out(ANN, reason="rude")
    clinic.reports(BEN, "21610")
    clinic.opts_out(DORA, by="=HYPERLINK()", reason="-")
    for place, text in enumerate(FORMULAS + AWKWARD):
        clinic.opts_out(f"+1415666{place:04}", reason=text)
    clinic.opts_out(CARA)
    clinic.post(f"/v1/numbers/{clinic.number_id(CARA)}/erase", by="admin-1")
    return clinic


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"source": "contact"},
        {"source": "agent", "number_prefix": "415"},
        {"number_prefix": "0770"},
        {"to": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_every_file_has_the_rows_of_the_pages(told: Clinic, filters: dict[str, str]) -> None:
    """The same rows in the same order, whatever they hold; the filters apply."""
    found = rows(told, limit=3, **filters)
    assert ndjson_rows(whole(told, NDJSON, **filters)) == found
    assert csv_rows(whole(told, CSV, **filters)) == list(map(as_text, found))
    assert xlsx_rows(whole(told, XLSX, **filters)) == list(map(as_cells, found))


def test_a_csv_file_is_rfc_4180(told: Clinic) -> None:
    """Lines end with CR LF, a quote is doubled, and the header comes first."""
    text = whole(told, CSV).response.text
    assert text.startswith("number,number_id,source,since,by,reason,channel,")
    assert text.endswith("\r\n")
    assert '"a ""quoted"" word"' in text
    assert '"one, two"' in text


def test_no_cell_of_a_csv_file_is_a_formula(told: Clinic) -> None:
    """But for the number, which is digits behind its plus, no cell begins as one."""
    found = csv_rows(whole(told, CSV))
    cells = [cell for row in found for name, cell in row.items() if name != "number"]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {row["number"] for row in found} >= {ANN, BEN, DORA, ""}
    assert "'=1+1" in [row["reason"] for row in found]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_a_name_and_is_kept_by_no_cache(told: Clinic, kind: str) -> None:
    """The name holds the day and nothing of the account."""
    headers = whole(told, kind).response.headers
    ending = {CSV: "csv", NDJSON: "ndjson", XLSX: "xlsx"}[kind]
    today = datetime.now(UTC).date()
    assert headers["content-disposition"] == f'attachment; filename="opt-outs-{today}.{ending}"'
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_no_pages(told: Clinic, kind: str) -> None:
    """A limit would cut it short without a word."""
    cursor = report(told, limit=1)["next_cursor"]
    whole(told, kind, limit=5).problem(422, "whole-report-has-no-pages", "/limit")
    whole(told, kind, cursor=cursor).problem(422, "whole-report-has-no-pages", "/cursor")


@pytest.mark.parametrize("kind", KINDS)
def test_roles_and_errors_are_those_of_the_pages(told: Clinic, kind: str) -> None:
    """R-V3: admin and auditor; a problem is a problem, whatever the caller accepts."""
    assert whole(told, kind, "auditor").status == 200
    for role in ("sender", "agent"):
        whole(told, kind, role).problem(403, "role-not-allowed")
    whole(told, kind, source="nobody").problem(422, "invalid-body", "/source")


@pytest.mark.parametrize("kind", KINDS)
def test_without_rows_a_file_is_a_header_at_most(clinic: Clinic, kind: str) -> None:
    """Not an error."""
    answer = whole(clinic, kind)
    read = {CSV: csv_rows, NDJSON: ndjson_rows, XLSX: xlsx_rows}[kind]
    assert read(answer) == []  # type: ignore[operator]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, None),
        ("", None),
        ("*/*", None),
        ("application/json", None),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None),
        ("application/pdf", None),
        ("text/csv", Format.CSV),
        ("Text/CSV; charset=utf-8", Format.CSV),
        ("application/x-ndjson, text/csv", Format.NDJSON),
        ("application/x-ndjson;q=0.5, text/csv", Format.CSV),
        ("text/csv;q=0.1, */*", None),
        ("text/csv;q=0", None),
        ("text/csv;q=x", None),
        (XLSX + ", */*;q=0.1", Format.XLSX),
    ],
)
def test_the_accept_header_chooses(accept: str | None, kind: Format | None) -> None:
    """What is preferred of what there is; JSON where nothing is."""
    assert asked_format(accept) is kind


def test_what_is_accepted_and_unknown_gets_json(told: Clinic) -> None:
    """Rather than an error."""
    assert whole(told, "application/pdf")["items"] == report(told)["items"]


def _row(place: int, reason: str | None = None) -> Row:
    return Row("x" * 36, f"+{place}", "agent", 0, 1, None, "api", reason, None)


def _read(file: SheetFile, rows: list[Row], at_a_time: int = 2) -> list[Json]:
    """The rows that a workbook has, of those that were given to it."""
    data = file.head()
    for start in range(0, len(rows), at_a_time):
        data += file.rows(rows[start : start + at_a_time])
    return sheet_rows(io.BytesIO(data + file.tail()))


@pytest.mark.parametrize("total", [0, 3, 4, 5, 17])
@pytest.mark.parametrize("at_a_time", [1, 2, 7])
def test_what_a_sheet_has_no_room_for_goes_on_in_the_next(total: int, at_a_time: int) -> None:
    """Each with a header, and no row lost at the edge."""
    found = _read(SheetFile(sheet_rows=5), list(map(_row, range(total))), at_a_time)
    assert [row["number"] for row in found] == [f"+{place}" for place in range(total)]


def test_a_sheet_of_many_words_ends_before_its_rows_are_full() -> None:
    """Beyond two gibibytes an entry of the archive is one that not every program reads."""
    rows = [_row(place, "why " * 50) for place in range(9)]
    found = _read(SheetFile(sheet_bytes=2_000), rows)
    assert [row["number"] for row in found] == [f"+{place}" for place in range(9)]


def test_a_text_that_a_cell_has_no_room_for_is_cut() -> None:
    """32,767 units, of which some characters take two; a program would refuse the whole file."""
    long = ["x" * 40_000, "\U0001f6d1" * 20_000, "y" * 32_767]
    found = _read(SheetFile(), [_row(place, text) for place, text in enumerate(long)])
    said = [row["reason"] for row in found]
    assert said[0] == "x" * 32_766 + "\u2026"
    assert said[1] == "\U0001f6d1" * 16_383 + "\u2026"
    assert said[2] == long[2]


LARGE = 20_000
FILL = """
WITH given AS (
    INSERT INTO numbers (number_id, account_id, e164)
    SELECT gen_random_uuid(), %s, '+1415' || (5000000 + i) FROM generate_series(1, %s) AS i
    RETURNING number_id, account_id
), said AS (
    INSERT INTO words SELECT number_id, 1, account_id, repeat('why ', 300) FROM given
)
INSERT INTO opt_out_report (number_id, source, account_id, since, version, by, channel, shown)
SELECT number_id, 'agent', account_id, 1772618400000000, 1, 'agent-7', 'api', true FROM given"""


@pytest.fixture
def large(open_clinic: Open) -> Clinic:
    """An account whose report is larger than what a connection holds on its way."""
    clinic = open_clinic("opt-out")
    clinic.service.database.execute(FILL.encode(), (clinic.account_id, LARGE))
    return clinic


def _reader(clinic: Clinic) -> Iterator[httpx2.Response]:
    headers = {"Authorization": f"Bearer {clinic.keys['admin']}", "Accept": CSV}
    url = clinic.service.base_url + REPORT
    with (
        httpx2.Client(timeout=30, **LOCAL) as http,
        http.stream("POST", url, json={}, headers=headers) as response,
    ):
        yield response


def test_readers_who_stall_keep_nobody_else_waiting(large: Clinic) -> None:
    """Two files at a time; checks, pages and history go on, and who leaves makes room."""
    with ExitStack() as stalled:
        for _ in range(2):
            reader = _reader(large)
            stalled.callback(reader.close)
            assert next(reader).status_code == 200
        began = time.monotonic()
        large.asks(ANN, "recall").is_allowed("no_consent_needed")
        large.hears(BEN, "STOP").recorded("StopReceived", "ReplyIssued")
        assert len(report(large, limit=7)["items"]) == 7
        assert large.facts(BEN)[0] == "StopReceived"
        assert time.monotonic() - began < 3
        whole(large, CSV).problem(503, "unavailable")
    found = csv_rows(whole(large, CSV))
    assert len({row["number"] for row in found}) == len(found) == LARGE + 1


def test_a_file_is_one_moment(large: Clinic) -> None:
    """What is written while it is read is not in it, and what it has seen stays."""
    reader = _reader(large)
    response = next(reader)
    lines = response.iter_lines()
    header = next(lines)
    large.hears(ANN, "STOP")
    large.service.database.execute(
        b"DELETE FROM opt_out_report WHERE account_id = %s AND source = 'agent'",
        (large.account_id,),
    )
    rest = list(lines)
    assert header.startswith("number,")
    assert len(rest) == LARGE
    assert not [line for line in rest if not re.match(r"\+1415\d{7},", line)]
    reader.close()
    assert [row["number"] for row in csv_rows(whole(large, CSV))] == [ANN]


def test_who_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the file was read from is closed, so that it holds nothing for a reader who left."""
    monkeypatch.setattr("api.report.streaming.STALL_SECONDS", 0.05)
    closed: list[bool] = []

    async def content() -> AsyncIterator[bytes]:
        yield b"number\r\n"

    async def nothing_comes() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    async def answer() -> None:
        opened = AsyncExitStack()
        opened.callback(closed.append, True)
        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
        await Streamed(content(), CSV, "report.csv", opened)(scope, nothing_comes, send)

    with pytest.raises(TimeoutError):
        asyncio.run(answer())
    assert closed == [True]
