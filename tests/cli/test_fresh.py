"""A command that the tests fork is the command that a person starts."""

import subprocess
import sys

import pytest

from tests.cli.conftest import PROGRAM, ROOT, SECONDS, cli, environment

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
