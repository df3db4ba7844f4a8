"""`serve` starts only as it should, and `keys` opens and hands out what is needed to ask it."""

import json

import pytest

from consent_ledger.keyring import Keyring
from tests.cli.conftest import Process, cli, running


@pytest.fixture
def key() -> str:
    """A key ring, as `keys generate` prints it."""
    return Keyring.generate().dump()


def serve(database_url: str, key: str, *options: str) -> tuple[str, ...]:
    """The command."""
    return ("serve", "--database-url", database_url, "--key", key, "--port", "0", *options)


def test_from_an_empty_database_to_an_answer(empty_database_url: str) -> None:
    """Generate a ring, migrate, open an account, serve, issue a key, ask, revoke it."""
    ring = cli("keys", "generate").stdout.strip()
    env = {"CONSENT_LEDGER_DATABASE_URL": empty_database_url, "CONSENT_LEDGER_KEY": ring}
    assert "applied 0001_" in cli("migrate", **env).stdout
    assert cli("migrate", **env).stdout == "nothing to apply\n"
    opened = ("keys", "bootstrap", "--account-name", "Clinic", "--preset", "opt-out")
    admin = cli(*opened, **env).stdout.strip()
    assert cli(*opened, **env).returncode == 1
    server = Process("serve", "--port", "0", **env)
    with running(server):
        url = server.line().split()[-1]
        as_admin = {"CONSENT_LEDGER_URL": url, "CONSENT_LEDGER_API_KEY": admin}
        issued = cli(
            "keys", "issue", "--role", "sender", "--name", "t", "--output", "json", **as_admin
        )
        made = json.loads(issued.stdout)
        as_sender = {**as_admin, "CONSENT_LEDGER_API_KEY": made["key"]}
        assert cli("check", "+14155550142", **as_sender).returncode == 0
        assert cli("keys", "list", **as_sender).returncode == 2
        assert made["key_id"] in cli("keys", "list", "--output", "csv", **as_admin).stdout
        assert cli("keys", "revoke", made["key_id"], **as_admin).returncode == 0
        assert server.end() == 0


def test_another_key_is_refused(database_url: str, key: str) -> None:
    """The database knows its key by a check value; a wrong one is named in a line."""
    with running(Process(*serve(database_url, key))) as server:
        assert server.line().startswith("Consent ledger answers at ")
    found = cli(*serve(database_url, Keyring.generate().dump()))
    assert found.returncode == 1
    assert found.stderr == (
        "consent-ledger: this is not the key that the database was written with\n"
    )


def test_pending_migrations_are_refused_or_applied(empty_database_url: str, key: str) -> None:
    """A service never runs on a schema that is not its own."""
    found = cli(*serve(empty_database_url, key))
    assert found.returncode == 1
    assert found.stderr.startswith("consent-ledger: migrations are pending (0001_")
    with running(Process(*serve(empty_database_url, key, "--migrate"))) as server:
        assert server.line().startswith("applied 0001_")
