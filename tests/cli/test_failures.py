"""What could not be asked or told ends with 2, as 1 would be taken for a no."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from api.cli.errors import explain
from consent_ledger.keyring import Keyring
from tests.cli.conftest import PROGRAM, ROOT, SECONDS, Dev, environment
from tests.cli.fake_service import FakeService, answering
from tests.cli.test_usage import run

NUMBER: Final = "+14155550142"
KEY: Final = Keyring.generate().dump()
YES: Final = {
    "may_text": True,
    "decision": "allow",
    "reason": "consent",
    "explanation": "Go.",
    "since": None,
    "not_before": None,
    "evidence": [],
}
FULL: Final = Path("/dev/full")


def yes(method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Every number may be texted, and a list has one row."""
    row = {"number": "a", "source": "contact"}
    return 200, YES if path == "/v1/checks" else {"items": [row], "next_cursor": None}


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A service that says yes."""
    with answering(yes) as found:
        yield found


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:99999", "port"),
        ("http://127.0.0.1:x", "port"),
        ("localhost:8000", "http://"),
        ("127.0.0.1:8000", "http://"),
        ("ledger.example", "http://"),
        ("ftp://ledger.example", "http://"),
        ("http://", "no host"),
        ("http://:8000", "no host"),
        ("http://[::1", "cannot be read"),
        ("http://ex..ample", "a host that cannot be"),
        ("http://+14155550142", "no service answers at"),
    ],
)
@pytest.mark.parametrize("command", ["check", "simulate-inbound"])
def test_a_url_that_is_none(
    capsys: pytest.CaptureFixture[str], command: str, url: str, said: str
) -> None:
    """One line that says what is wrong with it."""
    asked = {
        "check": (NUMBER, "--api-key", "k"),
        "simulate-inbound": (
            *("--from", NUMBER, "--body", "STOP", "--to", "+16285550100", "--auth-token", "t"),
        ),
    }
    status, shown = run(capsys, command, *asked[command], "--url", url)
    assert status == 2
    assert re.fullmatch(rf"consent-ledger: [^\n]*{re.escape(said)}[^\n]*\n", shown)
    assert "None" not in shown
    assert "5550142" not in shown


@pytest.mark.parametrize("key", ["wrong", "wrongé", "wrong\nkey", "cl_sender_" + "x" * 43])
def test_a_key_that_is_unknown(capsys: pytest.CaptureFixture[str], bare: Dev, key: str) -> None:
    """It is said to be that, and never repeated."""
    status, said = run(capsys, "check", NUMBER, "--url", bare.said["url"], "--api-key", key)
    assert status == 2
    assert re.fullmatch(r"consent-ledger: the key is unknown or was revoked[^\n]*\n", said)
    assert "wrong" not in said


def test_no_key_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty variable is no key."""
    status, said = run(capsys, "check", NUMBER, "--url", "http://127.0.0.1:1", "--api-key", "")
    assert (status, "a key is needed" in said) == (2, True)


def test_what_is_no_ledger_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Another server's page is no answer."""
    with answering(lambda *_: (200, ["hello"])) as other:
        status, said = run(capsys, "check", NUMBER, *other.options)
    assert status == 2
    assert re.fullmatch(r"consent-ledger: [^\n]+\n", said)


def program(*arguments: str, out: int) -> tuple[int, str]:
    """The exit status of a command that writes to this, and what it said on standard error."""
    found = subprocess.run(
        [sys.executable, "-m", PROGRAM, *arguments],
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED=""),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return found.returncode, found.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", NUMBER),
        ("check", NUMBER, "--output", "json"),
        ("report",),
        ("report", "--output", "csv"),
        ("scrub", "/dev/null", "--purpose", "x"),
    ],
    ids=" ".join,
)
def test_an_answer_that_cannot_be_written_is_no_answer(
    service: FakeService, arguments: tuple[str, ...]
) -> None:
    """A full disk is named; 0 and 1 would be read as the answer."""
    with FULL.open("w") as full:
        found = program(*arguments, *service.options, out=full.fileno())
    message = "cannot write to standard output: No space left on device"
    assert found == (2, f"consent-ledger: {message}\n")


@pytest.mark.parametrize(
    "arguments", [("check", NUMBER), ("report",), ("report", "--output", "csv")], ids=" ".join
)
def test_a_reader_that_left_is_no_answer(service: FakeService, arguments: tuple[str, ...]) -> None:
    """Nobody is there to be told, so nothing is said."""
    process = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    process.wait()
    assert process.stdin is not None
    with process.stdin as pipe:
        assert program(*arguments, *service.options, out=pipe.fileno()) == (2, "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("check", "--help")], ids=" ".join)
def test_help_that_nobody_reads_is_no_answer(arguments: tuple[str, ...]) -> None:
    """`consent-ledger --help | head` is not told 1, which means no."""
    process = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    process.wait()
    assert process.stdin is not None
    with process.stdin as pipe:
        assert program(*arguments, out=pipe.fileno()) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--key", "1:zzz", "--database-url", "postgresql:///x"), "not base64"),
        (("migrate", "--database-url", "postgresql://127.0.0.1:1/x"), "cannot use the database"),
        (("doctor", "--database-url", "postgresql://127.0.0.1:1/x", "--key", KEY), ""),
        (("dev", "--port", "0", "--data-dir", "/proc/x"), "/proc/x"),
        (("check", NUMBER, "--data-dir", "/dev/null"), "/dev/null"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_carried_out_is_no_no(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """A key that is none, a database that is away, a folder that cannot be."""
    status, shown = run(capsys, *arguments)
    assert status == 2
    assert re.fullmatch(rf"consent-ledger: [^\n]*{said}[^\n]*\n", shown)


def test_what_nobody_thought_of_is_no_no() -> None:
    """Its own words may hold a number, so only its kind is told."""
    assert explain(RuntimeError(NUMBER)) == ("failed (RuntimeError)", 2)
    assert explain(io.UnsupportedOperation(NUMBER)) == ("failed (UnsupportedOperation)", 2)
