"""`consent-ledger import`: a list from a file, tried, imported and taken back."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.cli.conftest import Dev, cli

IMPORT_ID: Final = "0b9a2c1e-5d6f-4a3b-8c7d-9e0f1a2b3c4d"
LIST: Final = "number,sms_opt_out,ref\n+14155557001,TRUE,a\n4.15555E+09,TRUE,b\n"


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What stands on standard error, without the id that a slow machine has told there."""
    return re.sub(r"\Aimport \S+ is under way\n", "", done.stderr)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A list with one number that a spreadsheet has damaged."""
    path = tmp_path / "leads.csv"
    path.write_text(LIST)
    return path


def test_a_list_is_tried_imported_and_taken_back(bare: Dev, file: Path) -> None:
    """The dry run tells the same counts; the same file again changes nothing.

    Each ends with 1, as a row was refused: an opt-out that is nowhere on record.
    """
    told = bare.cli("import", str(file), "--dry-run")
    assert (told.returncode, said(told)) == (1, "")
    assert "would opt out  1" in told.stdout
    assert told.stdout.splitlines()[-1] == "dry run: nothing was recorded"
    done = bare.cli("import", str(file), "--output", "json")
    assert (done.returncode, said(done)) == (1, "")
    found = json.loads(done.stdout)
    assert (found["rows"], found["accepted"], found["rejected"]) == (2, 1, 1)
    assert [row["row"] for row in found["rejected_rows"]] == [3]
    again = bare.cli("import", str(file))
    assert f"the same file was import {found['import_id']}" in again.stdout
    assert again.returncode == 1
    assert "row 3, number: " in again.stdout
    assert "4.15555" not in again.stdout
    listed = json.loads(bare.cli("import", "--list", "--output", "json").stdout)
    assert [
        each["import_id"] for each in listed if each["same_as"] is None and not each["dry_run"]
    ] == [found["import_id"]]
    assert found["import_id"] in bare.cli("import", "--list").stdout
    back = bare.cli("import", "--undo", found["import_id"])
    assert (back.returncode, back.stdout.splitlines()[0].endswith(": undone")) == (0, True)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ("number,sms_opt_out\n+14155557011,TRUE\n", 0),
        ("phone,phone2,sms_opt_out\n+14155557012,4.15555E+09,TRUE\n", 1),
        ("number,sms_opt_out\nnobody,TRUE\n", 1),
        ("number\n", 0),
    ],
    ids=["all", "half a row", "none", "empty"],
)
def test_the_exit_status_tells_whether_every_row_counts(
    bare: Dev, tmp_path: Path, rows: str, status: int
) -> None:
    """0 where nothing is left to be seen to, so that a script stops at an opt-out that was lost."""
    path = tmp_path / "list.csv"
    path.write_text(rows)
    done = bare.cli("import", str(path))
    assert (done.returncode, said(done)) == (status, "")
    assert done.stdout.startswith("import ")
    back = bare.cli("import", "--undo", done.stdout.split()[1].rstrip(":"))
    assert back.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a.csv", "--undo", IMPORT_ID),
        ("--follow", IMPORT_ID, "--undo", IMPORT_ID),
        ("--follow", IMPORT_ID, "--dry-run"),
        ("a.xlsx",),
        ("none.csv",),
    ],
    ids=["nothing", "both", "follow and undo", "follow a trial", "spreadsheet", "no file"],
)
def test_bad_use_is_one_line(bare: Dev, arguments: tuple[str, ...]) -> None:
    """Exit status 2, and nothing is sent."""
    done = bare.cli("import", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_of_which_nothing_can_be_read_is_one_line(bare: Dev, tmp_path: Path) -> None:
    """With the service's reason."""
    (tmp_path / "x.csv").write_text("name\nAnn\n")
    done = bare.cli("import", str(tmp_path / "x.csv"))
    assert (done.returncode, "(import-unreadable)" in done.stderr) == (2, True)


@pytest.mark.parametrize("rows", ["", "\n \n", ",\n,\n"], ids=["header", "blank", "no cells"])
def test_a_list_without_rows_is_said_to_have_none(bare: Dev, tmp_path: Path, rows: str) -> None:
    """A file that is more than its header is seen to by somebody: rows of it may be lost."""
    path = tmp_path / "list.csv"
    path.write_text('number,"SMS Opt\nOut"\n' + rows)
    done = bare.cli("import", str(path))
    assert "the list has no rows" in done.stdout
    if "," in rows:
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert "below its header" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_no_service_is_one_line(tmp_path: Path) -> None:
    """Without `dev` there is nobody to send it to."""
    (tmp_path / "x.csv").write_text(LIST)
    done = cli("import", tmp_path / "x.csv", "--data-dir", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
