"""How much is logged is one of five words; a mistyped one is told, and not taken for another."""

import pytest
from pydantic import ValidationError

from api.log_level import LogLevel
from api.settings import Settings
from consent_ledger.keyring import Keyring
from tests.cli.test_usage import run


def settings(level: str) -> Settings:
    """The settings of a service that logs at a level."""
    key = Keyring.generate().dump()
    return Settings(database_url="postgresql://", key=key, log_level=level)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", LogLevel)
def test_a_level_is_read_in_any_case(level: LogLevel) -> None:
    """As it is written elsewhere, too."""
    assert settings(level).log_level is level
    assert settings(level.upper()).log_level is level


@pytest.mark.parametrize("level", ["loud", "", "10", "notset"])
def test_another_level_is_refused(capsys: pytest.CaptureFixture[str], level: str) -> None:
    """By the settings, and by `serve` in one line that names the levels; exit status 2."""
    with pytest.raises(ValidationError):
        settings(level)
    options = ("--database-url", "postgresql:///x", "--key", Keyring.generate().dump())
    status, said = run(capsys, "serve", *options, "--log-level", level)
    assert status == 2
    assert said.count("\n") == 1
    assert all(each in said for each in ("--log-level", "debug", "critical"))
