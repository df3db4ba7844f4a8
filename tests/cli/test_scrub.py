"""A list on the command line, file to file."""

import json
import re
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Dev, cli
from tests.cli.test_usage import run

ANN = "+14155550161"
BEN = "+14155550162"
ROWS = f"name;number\r\nAnn;{ANN}\r\nBen;{BEN}\r\nCara;none\r\n"
SCRUBBED = (
    "name;number;may_text;decision;reason;error\r\n"
    f"Ann;{ANN};true;allow;no_consent_needed;\r\n"
    f"Ben;{BEN};false;deny;opted_out_by_contact;\r\n"
    "Cara;none;false;;;number-unparseable\r\n"
)


@pytest.fixture(autouse=True)
def stopped(dev: Dev) -> None:
    """Ben said STOP."""
    said = dev.cli("simulate-inbound", "--from", BEN, "--body", "STOP")
    assert said.returncode == 0, said.stderr


def test_a_file_becomes_a_file_and_a_summary(dev: Dev, tmp_path: Path) -> None:
    """Rows to the file, which only its owner may read; the counts by reason to the screen."""
    source, target = tmp_path / "list.csv", tmp_path / "answers.csv"
    source.write_bytes(ROWS.encode())
    done = dev.cli("scrub", str(source), "--purpose", "recall", "--out", str(target))
    assert (done.returncode, done.stderr) == (0, "")
    assert target.read_bytes() == SCRUBBED.encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert done.stdout.splitlines() == [
        "3 rows, 1 may be texted",
        "           1  number-unparseable",
        "           1  allow: no_consent_needed",
        "           1  deny: opted_out_by_contact",
    ]
    assert set(tmp_path.iterdir()) == {source, target}


def test_standard_input_becomes_standard_output(dev: Dev) -> None:
    """The summary is then beside it, on standard error."""
    options = ("--purpose", "recall", "--output", "json", "--data-dir", dev.folder)
    done = cli("scrub", "-", *options, said=ROWS)
    assert done.returncode == 0
    assert done.stdout.splitlines() == SCRUBBED.splitlines()
    summary = json.loads(done.stderr)
    assert (summary["rows"], summary["may_text"]) == (3, 1)
    assert {"decision": None, "reason": None, "error": "number-unparseable", "rows": 1} in summary[
        "answers"
    ]


def test_objects_are_known_by_the_name_of_the_file(dev: Dev, tmp_path: Path) -> None:
    """Or by --format."""
    line = json.dumps({"number": BEN}) + "\n"
    source = tmp_path / "list.jsonl"
    source.write_text(line)
    for arguments in ((str(source),), ("-", "--format", "ndjson")):
        options = ("--purpose", "recall", "--data-dir", dev.folder)
        done = cli("scrub", *arguments, *options, said=line)
        assert json.loads(done.stdout)["reason"] == "opted_out_by_contact"
        assert done.stderr.startswith("1 rows, 0 may be texted\n")


def test_the_rows_of_a_list_with_bars_are_counted(dev: Dev) -> None:
    """Whatever stands between the cells."""
    rows = ROWS.replace("number", "Phone Number").replace(";", "|")
    options = ("--purpose", "recall", "--data-dir", dev.folder)
    done = cli("scrub", "-", *options, said=rows)
    assert done.stderr.startswith("3 rows, 1 may be texted\n")


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (ROWS, ("--purpose", "no_such"), "unknown-purpose"),
        (ROWS, ("--purpose", "recall", "--time-zone", "Mars"), "time_zone: "),
        (f"name\n{ANN}\n", ("--purpose", "recall"), "number-column-missing"),
        (f"number,reason\n{ANN},\n", ("--purpose", "recall"), "answer-column-taken"),
        (ROWS, ("--purpose", "recall", "--out", "/nonexistent/x"), "cannot write the file"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_leaves_no_file(
    dev: Dev, tmp_path: Path, rows: str, options: tuple[str, ...], said: str
) -> None:
    """Exit status 2, without a number, and what was there stays."""
    kept = tmp_path / "answers.csv"
    kept.write_text("yesterday's")
    out = () if "--out" in options else ("--out", str(kept))
    done = cli("scrub", "-", *options, *out, "--data-dir", dev.folder, said=rows)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"consent-ledger: [^\n]*{said}[^\n]*\n", done.stderr)
    assert "4155" not in done.stderr
    assert kept.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.parametrize(
    "arguments",
    [("/nonexistent", "--purpose", "recall"), ("-",), ("-", "--purpose", "x", "--format", "xml")],
    ids=" ".join,
)
def test_bad_use(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """One line before anybody is asked."""
    status, said = run(capsys, "scrub", *arguments, "--data-dir", "/nowhere")
    assert status == 2
    assert re.fullmatch(r"consent-ledger: [^\n]+\n", said)
    assert "nowhere" not in said
