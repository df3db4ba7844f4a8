"""`serve` starts only as it should, and `keys` opens and hands out what is needed to ask it."""

import json
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from consent_ledger.keyring import Keyring
from consent_ledger.store.postgres_cluster import until
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
    assert found.returncode == 2
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


def workers_of(server: Process) -> list[int]:
    """The processes that answer for a server, without the one that tracks what they share."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sorted(int(child) for child in children if b"spawn_main" in _command(child))


def _command(pid: str) -> bytes:
    # It may have ended since it was listed.
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or is nothing but its exit status."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def ask(url: str, path: str) -> str:
    """What the service answers, over a connection of its own."""
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        said: str = answer.read().decode()
    return said


def counted(url: str) -> int:
    """How often the processes together say that they were asked whether they live."""
    found = re.search(r'requests_total\{route="/livez",status="200"\} (\d+)', ask(url, "/metrics"))
    return int(found[1]) if found else 0


def test_several_processes_answer_on_one_port(database_url: str, key: str) -> None:
    """They count together, one that is killed is replaced, and all end with the first."""
    with running(Process(*serve(database_url, key, "--workers", "2"))) as server:
        url = server.line().split()[-1]
        one, two = workers_of(server)
        for _ in range(20):
            ask(url, "/livez")
        # A request is counted just after its answer has left.
        assert until(lambda: counted(url) == 20, 10)
        os.kill(one, signal.SIGKILL)
        assert until(lambda: len(workers_of(server)) == 2 and one not in workers_of(server), 20)
        ask(url, "/livez")
        assert until(lambda: counted(url) == 21, 10)
        later = workers_of(server)
        assert two in later
        assert server.end() == 0
    assert all(has_ended(pid) for pid in later)


@contextmanager
def away(server_url: str, database_url: str) -> Iterator[None]:
    """Nobody new is let into a database meanwhile."""
    name = sql.Identifier(urlsplit(database_url).path.removeprefix("/"))
    close = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(close.format(name, sql.SQL("false")))
        try:
            yield
        finally:
            conn.execute(close.format(name, sql.SQL("true")))


def another(server: Process, *but: int) -> list[int]:
    """The process that has come besides those that were there."""
    found: list[int] = []

    def has_come() -> bool:
        found[:] = set(workers_of(server)) - set(but)
        return bool(found)

    assert until(has_come, 30)
    return found


def test_a_process_that_cannot_be_replaced_yet_takes_no_other_with_it(
    server_url: str, database_url: str, key: str
) -> None:
    """While the database is away none can start; once it is back, one does."""
    with running(Process(*serve(database_url, key, "--workers", "2"))) as server:
        url = server.line().split()[-1]
        one, two = workers_of(server)
        with away(server_url, database_url):
            os.kill(one, signal.SIGKILL)
            (second,) = another(server, one, two)
            assert another(server, one, two, second)
            ask(url, "/livez")
        os.kill(two, signal.SIGKILL)
        assert "ok" in ask(url, "/readyz")
        assert server.end() == 0


def test_processes_do_not_outlive_the_one_that_looks_after_them(
    database_url: str, key: str
) -> None:
    """After a kill -9 nothing holds the port."""
    with running(Process(*serve(database_url, key, "--workers", "2"))) as server:
        server.line()
        workers = workers_of(server)
        server.process.kill()
        # Their output ends with the last of them.
        server.process.communicate(timeout=20)
    assert until(lambda: all(has_ended(pid) for pid in workers), 20)


def test_processes_that_cannot_start_end_the_service(database_url: str, key: str) -> None:
    """A count beyond reason is refused, and names the option."""
    found = cli(*serve(database_url, key, "--workers", "0"))
    assert found.returncode == 2
    assert "--workers" in found.stderr
