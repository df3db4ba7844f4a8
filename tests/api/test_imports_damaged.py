"""A thousand damaged files: each has a verdict for every row or for the file, and none is a 500.

The service's own reader is asked for each of them; a few dozen go through the service too.
"""

import random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.importing.headers import FileError
from api.importing.lines import LONGEST
from api.importing.records import Format, check_beginning, rows
from consent_ledger.importing.faults import DETAILS
from consent_ledger.importing.rows import Row, RowReader
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.test_imports import CSV, NDJSON, imports

FILES: Final = 1_000
PIECES: Final = 1_500
"""In so many a file comes at most: a byte at a time, unless it has rows that are too long."""
READER: Final = RowReader("US", frozenset({"recall"}), (), 1_772_000_000_000_000)
GOOD: Final = f"number,sms_opt_out,ref\n{ANN},TRUE,a\n{BEN},FALSE,b\n".encode()

pieces: Final = st.sampled_from(
    [
        *(
            b'"',
            b'""',
            b",",
            b";",
            b"\t",
            b"\n",
            b"\r",
            b"\r\n",
            b"\x00",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
        ),
        *(
            b"\x80",
            b"\xed\xa0\x80",
            b"=1+1",
            b"@SUM(A1)",
            b"TRUE",
            b"{",
            b"}",
            b"[",
            b"\\",
            b"{}\n",
        ),
        *(b'{"number": "+14155550131", "sms_opt_out": true}\n', b"x" * 70_000, b"[" * 3_000),
        *(b"+14155550131", b"4.15555E+09", "\uff0b1415".encode(), "\u0661\u0662".encode()),
    ]
)
damaged: Final = st.one_of(
    st.binary(max_size=300),
    st.lists(pieces | st.binary(max_size=20), max_size=30).map(b"".join),
    st.lists(pieces, max_size=30).map(lambda found: GOOD + b"".join(found)),
    st.builds(
        lambda at, more: GOOD[:at] + more + GOOD[at:],
        st.integers(0, len(GOOD)),
        pieces | st.binary(max_size=5),
    ),
    st.sampled_from(["utf-16", "utf-32", "utf-7", "cp037"]).map(GOOD.decode().encode),
)


def read(data: bytes, kind: Format, size: int) -> list[Row] | None:
    """The rows of a file that comes in pieces of a size; None where it is refused as a whole."""
    try:
        check_beginning(data[: 1 << 20], kind)
        return list(rows((data[i : i + size] for i in range(0, len(data), size)), kind, READER))
    except FileError:
        return None


@given(damaged, st.sampled_from(Format), st.integers(1, 100))
@settings(max_examples=FILES, deadline=None, derandomize=True, database=None)
def test_every_damaged_file_has_a_verdict(data: bytes, kind: Format, size: int) -> None:
    """Whatever pieces it comes in: rows that count, rows that are refused by a known code, or a
    file that is refused; the lines grow, and nothing is longer than a row may be."""
    found = read(data, kind, max(size, len(data) // PIECES))
    assert found == read(data, kind, len(data) or 1)
    for row in found or ():
        assert row.numbers or row.faults
        assert all(code in DETAILS for _, code in row.faults)
        assert len(row.ref or "") <= LONGEST
    lines = [row.line for row in found or ()]
    assert lines == sorted(set(lines))


def test_a_stray_quotation_mark_costs_its_own_row_alone() -> None:
    """The lines that it would have swallowed are read."""
    lines = b"".join(b"+1415555%04d,TRUE,x\n" % n for n in range(200))
    found = read(GOOD + b'+14155550133,TRUE,"oops\n' + lines, Format.CSV, 64)
    assert found is not None
    assert [code for row in found for _, code in row.faults] == ["quoting-broken"]
    assert len(found) == 203


@pytest.mark.parametrize("seed", range(30))
def test_damaged_files_over_http(clinic: Clinic, seed: int) -> None:
    """An answer that says what became of it; its rows add up."""
    some = random.Random(seed)
    data = bytearray(GOOD * 3)
    for _ in range(some.randrange(1, 6)):
        at = some.randrange(len(data))
        data[at:at] = some.choice([b'"', b"\x00", b"\xff", b"\r", b",,", b"\xef\xbb\xbf", b"{"])
    kind = some.choice([CSV, NDJSON])
    answer = clinic.call("POST", "/v1/imports", "admin", bytes(data), Content_Type=kind)
    if answer.status == 422:
        answer.problem(422, "import-unreadable")
        return
    done = imports(clinic, bytes(data), kind)
    assert done["state"] == "done"
    assert done["rows"] == done["accepted"] + done["unchanged"] + done["rejected"]
