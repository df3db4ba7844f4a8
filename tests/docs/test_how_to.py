"""The pages on the presets are run: every block of commands, in order, against a service.

A page is a sequence of `sh` blocks. The first one starts `consent-ledger dev`, and says with which
options the test does; every other one runs in one bash, so that later blocks know the variables of
earlier ones. A `json` block shows the last answer of the `sh` block before it: every field shown
must be in the answer, `...` in a text stands for anything, `"..."` at the end of a list for more
items. An error that the page does not show is a failure.
"""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from consent_ledger.policy import PRESETS
from tests.cli.conftest import SECONDS, Dev, environment, running

HOW_TO: Final = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK: Final = re.compile(r"^ *```(sh|json)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
START: Final = "consent-ledger dev"
ENDS: Final = "=== a block ends ==="
ANYTHING: Final = "..."
RULES: Final = {
    "consent-first": {f"R-M{rule}" for rule in range(1, 12)},
    "opt-out": {f"R-V{rule}" for rule in range(1, 7)},
    "recalls": {f"R-B{rule}" for rule in range(1, 4)},
    "authorization": {f"R-L{rule}" for rule in range(1, 7)},
}


class Step(NamedTuple):
    """A block of commands, and the answer that the page shows for it, if any."""

    commands: str
    shown: str | None


def page(preset: str) -> str:
    """The page on a preset."""
    return (HOW_TO / f"{preset}.md").read_text()


def steps(text: str) -> list[Step]:
    """The blocks of commands of a page, in order."""
    found: list[Step] = []
    for kind, block in BLOCK.findall(text):
        if kind == "sh":
            found.append(Step(block, None))
        else:
            assert found, "an answer is shown before any command"
            assert found[-1].shown is None, "two answers are shown for one block"
            found[-1] = found[-1]._replace(shown=block)
    return found


def options(commands: str) -> list[str]:
    """The options that a page starts `dev` with, where it listens and prints apart."""
    words = shlex.split(commands.partition(START)[2].splitlines()[0], comments=True)
    words = words[: words.index(">")]
    return [word for word in words if word not in ("--output", "json")]


def run(commands: list[str], folder: Path) -> list[str]:
    """What each block prints, all run by one bash in a folder."""
    script = "".join(f"{block}\nprintf '\\n%s\\n' '{ENDS}'\n" for block in commands)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"),
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"\n{ENDS}\n")[:-1]


def answers(printed: str) -> Iterator[Any]:
    """The JSON documents in what a block printed."""
    decoder, rest = json.JSONDecoder(), printed.strip()
    while rest.startswith(("{", "[")):
        found, end = decoder.raw_decode(rest)
        yield found
        rest = rest[end:].strip()


def is_problem(answer: Any) -> bool:
    """Whether an answer is an error."""
    return isinstance(answer, dict) and "/problems/" in str(answer.get("type", ""))


def differences(shown: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where an answer is not as shown."""
    if shown == ANYTHING:
        return
    if isinstance(shown, dict) and isinstance(found, dict):
        for name, value in shown.items():
            if name in found:
                yield from differences(value, found[name], f"{at}/{name}")
            else:
                yield f"{at}/{name} is not there"
    elif isinstance(shown, list) and isinstance(found, list):
        more = shown[-1:] == [ANYTHING]
        listed = shown[:-1] if more else shown
        if len(found) < len(listed) or (len(found) > len(listed) and not more):
            yield f"{at} has {len(found)} items, not {len(listed)}"
        for i, (value, item) in enumerate(zip(listed, found, strict=False)):
            yield from differences(value, item, f"{at}/{i}")
    elif not _is_as_shown(shown, found):
        yield f"{at} is {found!r}, not {shown!r}"


def _is_as_shown(shown: Any, found: Any) -> bool:
    if isinstance(shown, str) and isinstance(found, str):
        parts = map(re.escape, shown.split(ANYTHING))
        return re.fullmatch(".*".join(parts), found, re.DOTALL) is not None
    return type(shown) is type(found) and bool(shown == found)


def test_a_page_that_is_wrong_is_found_out() -> None:
    """A field with another value, of another kind or missing, an item too few: each is told."""
    found = {"may_text": False, "since": "2026-03-04", "items": [{"id": 1}, {"id": 2}]}
    for right in (
        {"may_text": False},
        {"since": "2026-...", "items": [{"id": 1}, "..."]},
        {"items": [{"id": 1}, {"id": "..."}]},
    ):
        assert list(differences(right, found)) == []
    for wrong in (
        {"may_text": True},
        {"may_text": 0},
        {"may_text": None},
        {"until": "..."},
        {"since": "2025-..."},
        {"items": [{"id": 1}]},
        {"items": [{"id": 1}, {"id": 2}, {"id": 3}, "..."]},
    ):
        assert len(list(differences(wrong, found))) == 1, wrong


@pytest.mark.parametrize("preset", PRESETS)
def test_every_rule_of_a_preset_is_on_its_page(preset: str) -> None:
    """A reader finds each rule, and no page quotes one that there is not."""
    quoted = set(re.findall(r"R-[A-Z]\d+", page(preset)))
    assert quoted >= RULES[preset]
    for rules in RULES.values():
        named = {rule for rule in quoted if rule[:3] == min(rules)[:3]}
        assert named <= rules


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages call curl")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_page_works_as_it_is_written(preset: str, tmp_path: Path) -> None:
    """Whoever pastes the page from top to bottom gets the answers that it shows."""
    start, *rest = steps(page(preset))
    assert f"--preset {preset} --no-demo --ephemeral" in start.commands
    assert start.commands.strip().endswith("> ledger.json")
    dev = Dev(*options(start.commands))
    with running(dev):
        (tmp_path / "ledger.json").write_text(json.dumps(dev.said) + "\n")
        printed = run([step.commands for step in rest], tmp_path)
    assert any(step.shown for step in rest)
    for step, block in zip(rest, printed, strict=True):
        _check(step, list(answers(block)))


def _check(step: Step, found: list[Any]) -> None:
    unseen = found if step.shown is None else found[:-1]
    assert not any(map(is_problem, unseen)), (step.commands, unseen)
    if step.shown is not None:
        assert found, f"nothing was answered to:\n{step.commands}"
        wrong = list(differences(json.loads(step.shown), found[-1]))
        assert not wrong, f"{step.commands}\n" + "\n".join(wrong) + f"\n{found[-1]}"
