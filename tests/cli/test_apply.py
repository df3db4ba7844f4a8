"""An account's set-up in a file: applied whole, shown back, and every fault by its line."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.cli.apply import line_of
from api.cli.set_up_file import DEEPEST, SetUpFileError, read_text, written
from api.settings import BODY_LIMIT
from tests.cli.conftest import ROOT, Dev, cli

SET_UP: Final = """\
# The clinic's set-up.
policy:
  preset: consent-first
  changes:
    requests_allowed: 1
locations:
  - id: main-street
    name: Main Street Clinic
sending_numbers:
  - number: +14155550190
    location: main-street
    purposes: [conversation]
users:
  - id: jo
    permission: deny
    groups: [front-desk]
groups:
  - id: front-desk
    permission: allow
replies:
  - kind: help
    language: no
    text: "{name}: ring oss."
keywords:
  - kind: stop
    language: es
    add: [basta]
"""
EMPTY: Final = (
    "locations: []\nsending_numbers: []\nusers: []\ngroups: []\nreplies: []\nkeywords: []\n"
)
BAD: Final = """\
policy:
  preset: consent-first
  changes:
    requests_allowed: 99
    colour: zebra
locations:
  - id: main-street
  - id: north
    name: North
  - name: North again
    id: north
sending_numbers:
  - number: zebra
    location: main-street
    purposes: [conversation]
  - number: +14155550191
    location: nowhere
    purposes:
      - zebra
users:
  - {id: jo, permission: zebra}
zebra: 1
"""


def emptied(dev: Dev) -> Dev:
    """The account without a set-up but its policy."""
    assert cli("apply", "-", "--data-dir", dev.folder, said=EMPTY).returncode == 0
    policy = "policy: {preset: consent-first}"
    assert cli("apply", "-", "--data-dir", dev.folder, said=policy).returncode == 0
    return dev


def shown(dev: Dev) -> str:
    """The set-up as the command shows it."""
    found = dev.cli("apply", "--show")
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture
def account(bare: Dev) -> Dev:
    """An account without a set-up."""
    return emptied(bare)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the set-up."""
    path = tmp_path / "account.yaml"
    path.write_text(SET_UP)
    return path


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was printed, without the id that a sending number has."""
    return [re.sub(r"[0-9a-f]{8}(-[0-9a-f]+){4}", "ID", each) for each in done.stdout.splitlines()]


def test_a_file_is_applied_and_the_difference_is_shown(account: Dev, path: Path) -> None:
    """A dry run shows the same and records nothing; a second time there is nothing to change."""
    before = shown(account)
    told = account.cli("apply", str(path), "--dry-run")
    assert (told.returncode, shown(account)) == (0, before)
    done = account.cli("apply", str(path))
    assert done.returncode == 0, done.stderr
    assert lines(told)[:-1] == lines(done)[:-1]
    assert lines(told)[-1] == "dry run: nothing was recorded"
    policy, *others, last = lines(done)
    assert re.fullmatch(r"~ policy version \d+: requests_allowed the preset's -> 1", policy)
    assert others == [
        '+ location main-street: "Main Street Clinic"',
        "+ sending number ID: location main-street, purposes [conversation]",
        "+ group front-desk: allow",
        "+ user jo: deny, groups [front-desk]",
        "+ keywords stop/es: add [basta], remove none",
        '+ reply help/no: text "{name}: ring oss."',
    ]
    assert re.fullmatch(r"applied: the account is at version \d+", last)
    assert account.cli("apply", str(path)).stdout == "nothing to change\n"
    path.write_text(SET_UP.replace("deny", "allow").replace("[front-desk]", "[]"))
    assert lines(account.cli("apply", str(path)))[:-1] == [
        "~ user jo: deny -> allow, groups [front-desk] -> none"
    ]
    path.write_text("users: []")
    assert lines(account.cli("apply", str(path)))[:-1] == ["- user jo"]


def test_what_is_shown_applies_back_as_nothing_to_change(account: Dev, path: Path) -> None:
    """Any YAML reader reads it, so do we, and so it is as JSON."""
    account.cli("apply", str(path))
    text = shown(account)
    found = yaml.safe_load(text)
    assert found["sending_numbers"][0]["number"] == "+14155550190"
    assert found["replies"][0]["language"] == "no"
    as_json = account.cli("apply", "--show", "--output", "json").stdout
    assert json.loads(as_json) == found
    for said in (text, as_json, json.dumps(found, indent="\t")):
        done = cli("apply", "-", "--data-dir", account.folder, said=said)
        assert done.stdout == "nothing to change\n", done.stderr


def test_the_example_of_the_page_applies(account: Dev) -> None:
    """What is to be copied from the documentation is a set-up."""
    page = (ROOT / "docs" / "how-to" / "set-up-in-version-control.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    done = cli("apply", "-", "--data-dir", account.folder, said=example)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 10


def test_json_output_is_the_answer_of_the_service(account: Dev, path: Path) -> None:
    """For programs: every change with what it was and what it is."""
    done = account.cli("apply", str(path), "--output", "json")
    answer = json.loads(done.stdout)
    assert [each["section"] for each in answer["changes"]][:2] == ["policy", "locations"]
    assert answer["dry_run"] is False


def test_every_fault_is_told_by_line_and_field_and_nothing_is_applied(
    account: Dev, tmp_path: Path
) -> None:
    """Exit status 2, in the order of the file, and no value is repeated."""
    before = shown(account)
    (tmp_path / "account.yaml").write_text(BAD)
    done = account.cli("apply", str(tmp_path / "account.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    told = done.stderr.replace(f"{tmp_path}/", "").splitlines()
    assert [re.sub("( [A-Z].*)", "", each) for each in told] == [
        "account.yaml:4: policy.changes.requests_allowed:",
        "account.yaml:5: policy.changes.colour:",
        "account.yaml:7: locations[0].name:",
        "account.yaml:11: locations[2].id:",
        "account.yaml:13: sending_numbers[0].number:",
        "account.yaml:17: sending_numbers[1].location:",
        "account.yaml:18: sending_numbers[1].purposes:",
        "account.yaml:21: users[0].permission:",
        "account.yaml:22: zebra:",
    ]
    assert "zebra" not in done.stderr.replace("22: zebra:", "")
    assert "555" not in done.stderr
    assert shown(account) == before
    done = account.cli("apply", str(tmp_path / "account.yaml"), "--output", "json")
    assert done.returncode == 2
    errors = json.loads(done.stdout)["errors"]
    assert [each["line"] for each in errors] == [4, 5, 7, 11, 13, 17, 18, 21, 22]


@pytest.mark.parametrize(
    "arguments", [(), ("x.yaml", "--show"), ("no-such-file.yaml",), ("/",)], ids=" ".join
)
def test_bad_use_is_one_line(arguments: tuple[str, ...]) -> None:
    """Exit status 2, whether or not a service runs."""
    done = cli("apply", *arguments)
    assert done.returncode == 2
    assert re.fullmatch(r"consent-ledger: [^\n]+\n", done.stderr)


def test_a_file_with_faults_of_its_own_needs_no_service(tmp_path: Path) -> None:
    """They are told by their lines; standard input is called so."""
    twice = "users: []\nlocations: []\nusers: []\ngroups: [{id: a, id: b}]\n"
    done = cli("apply", "-", said=twice)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "stdin:3: the same name stands here twice",
        "stdin:4: the same name stands here twice",
    ]
    (tmp_path / "huge.yaml").write_text("# " + "x" * BODY_LIMIT)
    done = cli("apply", tmp_path / "huge.yaml")
    assert (done.returncode, "huge.yaml:1: " in done.stderr) == (2, True)
    (tmp_path / "latin.yaml").write_bytes(b"users: []\nlocations: [\xff]\n")
    done = cli("apply", tmp_path / "latin.yaml")
    assert "latin.yaml:2: is not UTF-8" in done.stderr


def bomb(levels: int) -> str:
    """An alias of ten aliases of ten aliases."""
    text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, levels):
        text += f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]\n"
    return text


FAULTY: Final = {
    "a: 1\n b: 2": 2,
    "a: [1, 2\nb: 3": 2,
    "a: 1\nb: 2\na: 3": 3,
    "x:\n  - a: 1\n    a: 2": 3,
    "a: 1\n2: b": 2,
    "a: 1\n[x]: b": 2,
    "a: &x [*x]": 1,
    "a: *nobody": 1,
    "a: 1\nb: !!python/object/apply:os.system [x]": 2,
    "a: 1\nb: !!binary aGk=": 2,
    "a: 1\nb: !!int zebra": 2,
    "a: 1\n---\nb: 2": 2,
    "a: 1\nb: \x07": 2,
    'a: "\\ud800"': 1,
    "- a": 1,
    "": 1,
    "# nothing": 1,
    "7": 1,
    f"a: {'[' * (DEEPEST + 1)}": 1,
    "[" * 50_000: 1,
    '{"a": ' * 50_000: 1,
    f"a: {'[' * (DEEPEST + 1)}{']' * (DEEPEST + 1)}": 1,
    '{"a": 1,\n"a": 2}': 2,
}


@pytest.mark.parametrize(("text", "line"), FAULTY.items(), ids=[text[:20] for text in FAULTY])
def test_a_text_that_is_no_set_up_is_told_by_its_line(text: str, line: int) -> None:
    """Whatever it is, it is an error of the file's and of no other kind."""
    with pytest.raises(SetUpFileError) as refused:
        read_text(text)
    assert refused.value.faults[0].line == line
    assert "zebra" not in refused.value.faults[0].message


def test_aliases_may_be_used_and_not_multiplied() -> None:
    """A few are a convenience; a million from seven lines are refused."""
    assert read_text("a: &x [1]\nb: *x").value == {"a": [1], "b": [1]}
    assert len(read_text(bomb(3)).value["l2"]) == 10
    with pytest.raises(SetUpFileError):
        read_text(bomb(9))


def test_scalars_are_those_of_json() -> None:
    """A number, a date and Norwegian are texts, as those who write them mean them."""
    text = "a: +14155550190\nb: no\nc: 2027-01-31T00:00:00Z\nd: 0123\ne: true\nf:\ng: -1.5\nh: 12"
    assert read_text(text).value == {
        "a": "+14155550190",
        "b": "no",
        "c": "2027-01-31T00:00:00Z",
        "d": "0123",
        "e": True,
        "f": None,
        "g": -1.5,
        "h": 12,
    }
    assert read_text('{"a": "\\ud83d\\ude00"}').value == {"a": "😀"}


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | TEXTS
    | st.sampled_from(["1e5", "no", "<<", "=", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(TEXTS, VALUES))
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    """As YAML and as JSON, whatever it holds, and every field has a line of its own."""
    for text in (written(value), json.dumps(value, indent=1)):
        found = read_text(text)
        assert found.value == value
        top = [found.line_of(f"/{name}") for name in value if "/" not in name]
        assert len(set(top)) == len(top)


def test_a_field_that_is_not_there_is_told_where_it_should_be() -> None:
    """The nearest line above it, and the first one of the file at worst."""
    found = read_text("a: 1\nb:\n  - x: 1\n  - y: 2\n")
    assert found.line_of("/b/1/y") == 4
    assert found.line_of("/b/1/z") == 4
    assert found.line_of("/b/7") == 2
    assert found.line_of("/c/d") == 1


def test_a_line_of_a_difference_shows_no_control_character() -> None:
    """A text with a line end stays on the line."""
    change = {"section": "replies", "action": "change", "id": "help", "before": {"text": "a"}}
    assert line_of(change | {"after": {"text": "b\n\x1b[31m"}}) == (
        '~ reply help: text a -> "b\\n\\u001b[31m"'
    )
