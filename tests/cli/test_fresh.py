"""A command that the tests fork is the command that a person starts."""

import json
import subprocess
import sys

import httpx2
import pytest

from tests.cli.conftest import PROGRAM, ROOT, SECONDS, cli, environment
from tests.service import LOCAL

NOBODY = ("--url", "http://127.0.0.1:1", "--api-key", "k")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "-", *NOBODY), "+14155550142\n"),
        (("apply", "-", *NOBODY), "users: []\nusers: []\n"),
        (("segments", "Ünïcode 😀"), ""),
        (("doctor", "--data-dir", "/nonexistent"), ""),
        (("nonsense",), ""),
        (("--help",), ""),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_it_says_what_a_python_of_its_own_says(arguments: tuple[str, ...], said: str) -> None:
    """With the same exit status, byte for byte."""
    found = cli(*arguments, said=said)
    fresh = subprocess.run(
        [sys.executable, "-m", PROGRAM, *arguments],
        cwd=ROOT,
        env=environment(),
        input=said,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (
        fresh.returncode,
        fresh.stdout,
        fresh.stderr,
    )


def test_a_python_of_its_own_starts_a_service() -> None:
    """Which the tests fork with its modules imported."""
    options = ("--ephemeral", "--no-demo", "--port", "0", "--output", "json")
    with subprocess.Popen(
        [sys.executable, "-m", PROGRAM, "dev", *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert httpx2.get(f"{said['url']}/readyz", **LOCAL).status_code == 200
        process.terminate()
        assert process.wait(SECONDS) == 0
