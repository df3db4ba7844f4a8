"""The account's policy on the command line: shown, adopted, tried."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Dev, cli

LATER = "2099-01-31T00:00:00Z"


def test_a_policy_is_adopted_and_shown_by_what_differs_from_its_preset(bare: Dev) -> None:
    """With single changes, with dots between fields of fields, and with a time."""
    options = ("--set", "unreachable_limit=2", "--set", "purposes.survey.needs_consent=true")
    done = bare.cli("policy", "set", "--preset", "recalls", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"adopted: version \d+\n", done.stdout)
    done = bare.cli("policy", "set", "--preset", "opt-out", "--effective-from", LATER)
    assert done.returncode == 0, done.stderr
    first, *others = bare.cli("policy", "show").stdout.splitlines()
    assert re.fullmatch(r"version \d+: recalls, in force since \S+Z", first)
    assert "  unreachable_limit=2" in others
    assert "  purposes.survey.needs_consent=true" in others
    assert any(re.fullmatch(rf"version \d+: opt-out, holds from {LATER}", each) for each in others)
    assert others[-1] == "presets: consent-first, opt-out, recalls, authorization"
    found = json.loads(bare.cli("policy", "show", "--output", "json").stdout)
    assert found["in_force"]["policy"]["unreachable_limit"] == 2
    assert found["upcoming"][-1]["effective_from"] == LATER
    assert "opt-out" in found["presets"]


def test_changes_come_from_a_file_and_single_ones_over_it(bare: Dev, tmp_path: Path) -> None:
    """What is on the command line counts."""
    path = tmp_path / "changes.yaml"
    path.write_text("requests_allowed: 3\nunreachable_limit: 5\n")
    options = ("--file", str(path), "--set", "unreachable_limit=4", "--output", "json")
    done = bare.cli("policy", "set", "--preset", "recalls", *options)
    assert json.loads(done.stdout)["recorded"] == ["PolicyAdopted"], done.stderr
    lines = bare.cli("policy", "show").stdout.splitlines()
    assert {"  requests_allowed=3", "  unreachable_limit=4"} <= set(lines)


def test_every_fault_is_told_and_nothing_adopted(bare: Dev, tmp_path: Path) -> None:
    """By the field; from a file by the line too; exit status 2."""
    before = bare.cli("policy", "show").stdout
    path = tmp_path / "changes.yaml"
    path.write_text("requests_allowed: 99\npurposes:\n  recall:\n    level: zebra\ncolour: 1\n")
    for command in ("set", "simulate"):
        done = bare.cli("policy", command, "--preset", "recalls", "--file", str(path))
        assert done.returncode == 2
        told = done.stderr.replace(f"{tmp_path}/", "").splitlines()
        assert [re.sub(": [a-zI].*", "", each, count=1) for each in told] == [
            "changes.yaml:1",
            "changes.yaml:4",
            "changes.yaml:5",
        ]
        options = ("--set", "requests_allowed=99", "--set", "colour=zebra")
        done = bare.cli("policy", command, "--preset", "recalls", *options)
        assert done.returncode == 2
        assert re.fullmatch(
            r"consent-ledger: colour: [^;]+; requests_allowed: [^;]+\n", done.stderr
        )
        assert "zebra" not in done.stderr
    assert bare.cli("policy", "show").stdout == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("set",),
        ("set", "--preset", "none"),
        ("set", "--preset", "recalls", "--set", "unreachable_limit"),
        ("set", "--preset", "recalls", "--set", "=1"),
        ("set", "--preset", "recalls", "--set", "a=1", "--set", "a.b=1"),
        ("simulate", "--preset", "recalls", "--file", "no-such-file.yaml"),
    ],
    ids=" ".join,
)
def test_bad_use_is_one_line(arguments: tuple[str, ...]) -> None:
    """Exit status 2, whether or not a service runs."""
    done = cli("policy", *arguments)
    assert done.returncode == 2
    assert re.fullmatch(r"consent-ledger: [^\n]+\n", done.stderr)


def test_a_policy_is_tried_before_it_is_adopted(dev: Dev) -> None:
    """How many numbers and decisions of the demo would change; nothing is recorded."""
    before = dev.cli("policy", "show").stdout
    done = dev.cli("policy", "simulate", "--preset", "authorization")
    assert done.returncode == 0, done.stderr
    found = re.search(r"^numbers: (\d+) of (\d+) change$", done.stdout, re.MULTILINE)
    assert found
    assert 0 < int(found[1]) <= int(found[2])
    assert re.search(r"^past decisions since \S+: \d+ of \d+ change$", done.stdout, re.MULTILINE)
    assert re.search(r"^  recall: allow \w+ -> deny consent_required: \d+$", done.stdout, re.M)
    as_json = dev.cli("policy", "simulate", "--preset", "authorization", "--output", "json")
    assert json.loads(as_json.stdout)["numbers"]["changed"] == int(found[1])
    assert dev.cli("policy", "show").stdout == before
