"""Bad use is said in one line that never echoes a number, with exit status 2."""

import re

import pytest

from api.cli import main
from api.cli.options import Preset
from consent_ledger.keyring import Keyring
from consent_ledger.policy import PRESETS


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit status and standard error of a command in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["consent-ledger", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("check",),
        ("check", "+1", "415", "555", "0142"),
        ("check", "+14155550142", "+14155550143"),
        ("check", "+14155550142", "--purpose"),
        ("check", "+14155550142", "--output", "+14155550142"),
        ("check", "+14155550142", "--url", "http://127.0.0.1:1"),
        ("check", "+14155550142", "--url", "http://127.0.0.1:1", "--api-key", "k"),
        ("check", "+14155550142", "--data-dir", "/nonexistent"),
        ("history", "+14155550142", "--limit", "0"),
        ("simulate-inbound", "--from", "+14155550142", "--body", "x", "--provider", "pigeon"),
        ("simulate-inbound", "--from", "+14155550142", "--body", "x", "--url", "http://[::1"),
        ("dev", "--port", "99999"),
        ("dev", "--preset", "none"),
        ("dev", "--ephemeral", "--data-dir", "/nonexistent"),
        ("serve", "--database-url", "postgresql:///x"),
        ("serve", "--database-url", "postgresql:///x", "--key", "1:x", "--log-level", "loud"),
        ("bench", "lexicon", "--rows", "5"),
        ("bench", "lexicon", "--numbers", "5"),
        ("bench", "rebuild", "--seconds", "2"),
        ("bench", "--examples", "."),
        ("bench", "rebuild", "--database-url", "postgresql:///x", "--numbers", "5"),
        ("lexicon", "try", "stop", "--url", "http://127.0.0.1:1"),
        ("lexicon", "try", "stop", "--api-key", "k"),
        ("keys", "issue", "--role", "boss", "--name", "x"),
        ("keys", "bootstrap", "--account-name", "x", "--database-url", "postgresql:///x"),
        ("doctor", "--data-dir", "/nonexistent"),
    ],
    ids=" ".join,
)
def test_bad_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """One line, exit status 2, and no part of a number."""
    for name in ("KEY", "URL", "API_KEY", "DATABASE_URL", "DATA_DIR"):
        monkeypatch.delenv(f"CONSENT_LEDGER_{name}", raising=False)
    status, said = run(capsys, *arguments)
    assert status == 2
    assert re.fullmatch(r"consent-ledger: [^\n]+\n", said)
    assert not re.search("415|555|0142|0143", said)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://a:secret@127.0.0.1:1/x", "cannot use the database: "),
        ("a:secret@127.0.0.1:1/x", "the database URL cannot be read"),
    ],
)
def test_a_database_that_is_away(capsys: pytest.CaptureFixture[str], url: str, said: str) -> None:
    """One line, without the password that the URL has."""
    key = Keyring.generate().dump()
    status, shown = run(capsys, "serve", "--port", "0", "--database-url", url, "--key", key)
    assert status == 2
    assert re.fullmatch(rf"consent-ledger: {said}[^\n]*\n", shown)
    assert "secret" not in shown


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_database_functions_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """With them the library would insert events past the read models."""
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    key = Keyring.generate().dump()
    for command in (("dev",), ("serve", "--database-url", "postgresql:///x", "--key", key)):
        status, said = run(capsys, *command, "--port", "0")
        assert status == 2
        assert said.startswith("consent-ledger: unset POSTGRES_ENABLE_DB_FUNCTIONS")


def test_a_value_that_an_option_does_not_have_is_told_plainly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the words of the command line, not in those of its libraries."""
    status, said = run(capsys, "check", "+14155550142", "--output", "xml")
    assert status == 2
    assert said == (
        "consent-ledger: Invalid value for '--output': 'xml' is not one of 'text', 'json'.\n"
    )


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """Help, and nothing on standard error."""
    assert run(capsys) == (2, "")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In one line; a source tree that is not installed has none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["consent-ledger", "--version"])
        with pytest.raises(SystemExit) as ended:
            main.main()
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert re.fullmatch(r"consent-ledger (\d+\.\d+\.\d+|not installed)\n", said)


def test_every_preset_can_be_asked_for() -> None:
    """The option's choices are written down so that help is quick; they are all there are."""
    assert [str(each) for each in Preset] == list(PRESETS)
