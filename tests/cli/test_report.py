"""The report of opted-out numbers on the command line (R-V3)."""

import csv
import io
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Dev, cli
from tests.cli.test_usage import run


def rows(dev: Dev, *options: str) -> list[dict[str, Any]]:
    """The report as JSON."""
    done = dev.cli("report", "--limit", "5000", "--output", "json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_report_is_a_table_for_people(dev: Dev) -> None:
    """The latest first, a hundred at the most, or as many as were asked for."""
    done = dev.cli("report")
    head, *lines = done.stdout.splitlines()
    assert head.split()[:3] == ["number", "source", "since"]
    assert 0 < len(lines) <= 100
    assert all(re.match(r"\+\d+ +(contact|system|agent) ", line) for line in lines)
    allowed = {line.split()[-1] for line in lines if line.split()[1] == "agent"}
    assert allowed == {"yes"}
    assert {line.split()[-1] for line in lines} == {"yes", "no"}
    assert len(dev.cli("report", "--limit", "2").stdout.splitlines()) == 3


def test_the_filters_are_those_of_the_service(dev: Dev) -> None:
    """Source, time and the first digits, which may come from standard input."""
    everything = rows(dev)
    sources = {row["source"] for row in everything}
    assert sources == {"contact", "system", "agent"}
    for source in sources:
        found = [row for row in everything if row["source"] == source]
        assert rows(dev, "--source", source) == found
    middle = everything[len(everything) // 2]["since"]
    assert rows(dev, "--from", middle) == [row for row in everything if row["since"] >= middle]
    assert rows(dev, "--to", middle) == [row for row in everything if row["since"] < middle]
    prefix = everything[0]["number"][:6]
    found = [row["number"] for row in rows(dev, "--prefix", prefix)]
    assert found == sorted(r["number"] for r in everything if r["number"].startswith(prefix))
    asked = ("report", "--prefix", "-", "--output", "json", "--data-dir", dev.folder)
    assert [row["number"] for row in json.loads(cli(*asked, said=f"{prefix}\n").stdout)] == found


def test_a_file_holds_every_number(dev: Dev, tmp_path: Path) -> None:
    """To standard output or to a file that only its owner may read."""
    numbers = [row["number"] for row in rows(dev)]
    said = dev.cli("report", "--output", "csv").stdout
    assert [row["number"] for row in csv.DictReader(io.StringIO(said))] == numbers
    lines = dev.cli("report", "--output", "ndjson").stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == numbers
    files = {kind: tmp_path / f"report.{kind}" for kind in ("csv", "ndjson", "xlsx")}
    for kind, path in files.items():
        done = dev.cli("report", "--output", kind, "--file", str(path))
        assert (done.returncode, done.stdout) == (0, "")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files["csv"].read_text().splitlines() == said.splitlines()
    sheet = load_workbook(files["xlsx"]).active
    assert sheet is not None
    assert [row[0] for row in sheet.values][1:] == numbers
    assert set(tmp_path.iterdir()) == set(files.values())


def test_the_summary_counts_by_day_and_source(dev: Dev) -> None:
    """As many numbers as the report has."""
    done = dev.cli("report", "--summary", "--output", "json")
    assert sum(row["numbers"] for row in json.loads(done.stdout)) == len(rows(dev))
    assert dev.cli("report", "--summary", "--output", "csv").stdout.startswith("day,source,numbers")
    assert dev.cli("report", "--summary").stdout.split()[:3] == ["day", "source", "numbers"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--prefix", "41"), "3 digits"),
        (("--prefix", "41", "--output", "csv"), "3 digits"),
        (("--prefix", "ann4155550131"), "first digits"),
        (("--from", "yesterday"), "from: "),
        (("--output", "csv", "--file", "/nonexistent/x.csv"), "cannot write the file"),
    ],
)
def test_what_the_service_refuses_is_one_line(
    dev: Dev, options: tuple[str, ...], said: str
) -> None:
    """Exit status 2, the field by its name, and no part of what was typed."""
    done = dev.cli("report", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"consent-ledger: [^\n]*{said}[^\n]*\n", done.stderr)
    assert "4155" not in done.stderr


def test_a_file_that_could_not_be_read_leaves_nothing(dev: Dev, tmp_path: Path) -> None:
    """Neither a part of it, nor anything in the place of what was there."""
    kept = tmp_path / "report.csv"
    kept.write_text("yesterday's")
    done = dev.cli("report", "--prefix", "41", "--output", "csv", "--file", str(kept))
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.read_text() == "yesterday's"


@pytest.mark.parametrize(
    "options",
    [
        ("--limit", "0"),
        ("--limit", "5", "--output", "csv"),
        ("--limit", "5", "--summary"),
        ("--summary", "--output", "xlsx"),
        ("--output", "xlsx"),
        ("--file", "x.csv"),
        ("--source", "+14155550142"),
    ],
    ids=" ".join,
)
def test_bad_use(capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    """One line before anybody is asked."""
    status, said = run(capsys, "report", *options, "--data-dir", "/nonexistent")
    assert status == 2
    assert re.fullmatch(r"consent-ledger: [^\n]+\n", said)
    assert "nonexistent" not in said
    assert "4155" not in said
