"""The embedded PostgreSQL starts anywhere, keeps what it confirmed and is never left behind."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from consent_ledger.store import embedded, postgres_cluster
from consent_ledger.store.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.cli.conftest import is_alive

ROOT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0
PROCESS_IDS = "SELECT pid FROM pg_stat_activity"

# A service that commits row after row and says so, until something ends it.
SERVICE = f"""
import itertools, json, pathlib, sys, psycopg
from consent_ledger.store.embedded import EmbeddedPostgres
with EmbeddedPostgres(pathlib.Path(sys.argv[1])) as postgres:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        ids = [row[0] for row in connection.execute("{PROCESS_IDS}")]
        print(json.dumps([postgres.pid, *ids]), flush=True)
        connection.execute("CREATE TABLE fact (position int)")
        for position in itertools.count():
            connection.execute("INSERT INTO fact VALUES (%s)", [position])
            print(position, flush=True)
"""


def eventually(condition: Callable[[], bool]) -> bool:
    return postgres_cluster.until(condition, 10)


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM fact").fetchone()
    assert row is not None
    return int(row[0])


def test_first_start_makes_the_database(tmp_path: Path) -> None:
    """An empty folder becomes a cluster with checksums, UTF-8, byte order and no network."""
    wanted = {"data_checksums": "on", "server_encoding": "UTF8", "listen_addresses": ""}
    with (
        EmbeddedPostgres(tmp_path / "data") as postgres,
        psycopg.connect(postgres.url) as connection,
    ):
        query = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
        assert dict(connection.execute(query, [list(wanted)]).fetchall()) == wanted
        query = "SELECT datname, datcollate FROM pg_database WHERE datname = current_database()"
        assert connection.execute(query).fetchone() == ("consent_ledger", "C")
        assert connection.info.user == "postgres"


def test_second_start_keeps_the_data(tmp_path: Path) -> None:
    """Rows, and other files in the folder, are there after a stop and a start."""
    (tmp_path / "other").write_text("ours")
    postgres = EmbeddedPostgres(tmp_path, fsync=False)
    with postgres, psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE fact AS SELECT generate_series(1, 3)")
    with postgres:
        assert count(postgres.url) == 3
    assert {path.name for path in tmp_path.iterdir()} == {
        "lock",
        "other",
        "postgres",
        "postgres.log",
    }


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_its_service(tmp_path: Path, end: signal.Signals) -> None:
    """A service that is killed leaves no process behind and loses no row that it saw committed."""
    command = [sys.executable, "-c", SERVICE, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        pids = json.loads(service.stdout.readline())
        for _ in range(200):
            service.stdout.readline()
        socket_folder = Path((tmp_path / "lock").read_text())
        service.send_signal(end)
        confirmed = 200 + len(service.stdout.read().splitlines())
    with EmbeddedPostgres(tmp_path) as postgres:
        # The start has waited for the last of them, so there is nothing to wait for here.
        assert [pid for pid in pids if is_alive(pid)] == []
        assert confirmed <= count(postgres.url) <= confirmed + 1
        assert not socket_folder.parent.exists()


def test_a_killed_server_comes_back(tmp_path: Path) -> None:
    """The server's own death loses no commit, even when another process got its number."""
    postgres = EmbeddedPostgres(tmp_path).start()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE fact AS SELECT generate_series(1, 3)")
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.stop()
    owner = (tmp_path / "postgres").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if AS_ROOT else None) as stranger:
        noted = tmp_path / "postgres" / "postmaster.pid"
        noted.write_text(f"{stranger.pid}\n" + noted.read_text().partition("\n")[2])
        with postgres:
            assert count(postgres.url) == 3
        stranger.kill()


def test_a_second_service_is_refused_at_once(tmp_path: Path) -> None:
    """Two services on one folder would be two ledgers: the second gets a clear error, no wait."""
    with EmbeddedPostgres(tmp_path, fsync=False) as postgres:
        began = time.monotonic()
        with pytest.raises(EmbeddedPostgresError, match=f"another service is using {tmp_path}"):
            EmbeddedPostgres(tmp_path).start()
        assert time.monotonic() - began < 1
        with psycopg.connect(postgres.url) as connection:
            connection.execute("SELECT 1")


def test_stop_leaves_nothing(tmp_path: Path) -> None:
    """A stop cuts open transactions, removes the socket's folder and may be repeated."""
    postgres = EmbeddedPostgres(tmp_path, fsync=False).start()
    connection = psycopg.connect(postgres.url)
    socket_folder = Path(connection.info.host)
    pids = [postgres.pid, *(pid for (pid,) in connection.execute(PROCESS_IDS))]
    began = time.monotonic()
    postgres.stop()
    assert time.monotonic() - began < 5
    connection.close()
    postgres.stop()
    assert not socket_folder.parent.exists()
    assert [pid for pid in pids if is_alive(pid)] == []
    with pytest.raises(EmbeddedPostgresError, match="not running"):
        _ = postgres.url


def test_a_server_that_ignores_signals_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that the server does not follow becomes an order that it cannot refuse."""
    quick = ((signal.SIGINT, 0.02), (signal.SIGQUIT, 0.02), (signal.SIGKILL, 5.0))
    monkeypatch.setattr(postgres_cluster, "STOPS", quick)
    postgres = EmbeddedPostgres(tmp_path, fsync=False).start()
    with psycopg.connect(postgres.url) as connection:
        pids = [postgres.pid, *(pid for (pid,) in connection.execute(PROCESS_IDS))]
    os.kill(postgres.pid, signal.SIGSTOP)
    postgres.stop()
    assert eventually(lambda: not any(map(is_alive, pids)))


def test_only_the_services_user_reaches_the_socket(tmp_path: Path) -> None:
    """The cluster trusts whoever connects, since nobody else can enter the socket's folder."""
    with (
        EmbeddedPostgres(tmp_path, fsync=False) as postgres,
        psycopg.connect(postgres.url) as connection,
    ):
        gate = Path(connection.info.host).parent.stat()
    assert (stat.S_IMODE(gate.st_mode), gate.st_uid) == (0o700, os.geteuid())


def test_the_log_repeats_no_value(tmp_path: Path) -> None:
    """A statement's text and values stay out of the log, since they may be phone numbers."""
    with (
        EmbeddedPostgres(tmp_path, fsync=False) as postgres,
        psycopg.connect(postgres.url, autocommit=True) as connection,
    ):
        connection.execute("CREATE TABLE fact (number text PRIMARY KEY)")
        connection.execute("INSERT INTO fact VALUES ('+15550100')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO fact VALUES ('+15550100')")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT '+15550100 or so'::int")
    assert "15550100" not in (tmp_path / "postgres.log").read_text()


def test_a_deep_folder_will_do(tmp_path: Path) -> None:
    """A data folder's path may be longer than a socket's name can be."""
    folder = tmp_path.joinpath(*["a-rather-long-name-for-a-folder"] * 8)
    with EmbeddedPostgres(folder, fsync=False) as postgres:
        psycopg.connect(postgres.url).close()


def test_a_deep_temporary_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder too deep for a socket is passed over."""
    deep = tmp_path.joinpath(*["a-rather-long-name-for-a-folder"] * 4)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with EmbeddedPostgres(tmp_path / "data", fsync=False) as postgres:
        psycopg.connect(postgres.url).close()


def test_a_failed_start_says_why(tmp_path: Path) -> None:
    """The error quotes the server's own reason, and the folder can be started again."""
    with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
        EmbeddedPostgres(tmp_path, fsync=False, settings={"shared_buffers": "many"}).start()
    with EmbeddedPostgres(tmp_path, fsync=False) as postgres:
        assert is_alive(postgres.pid)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A data folder below a plain file is an error of one line that names it."""
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=f"cannot use {tmp_path}/file/data: "):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log starts anew when it has grown, and the one before is kept."""
    monkeypatch.setattr(embedded, "LOG_BYTES", 100)
    (tmp_path / "postgres.log").write_text("old " * 100)
    with EmbeddedPostgres(tmp_path, fsync=False):
        assert "old" not in (tmp_path / "postgres.log").read_text()
    assert "old" in (tmp_path / "postgres.log.1").read_text()


def test_other_threads_are_refused(tmp_path: Path) -> None:
    """The server ends with the thread that started it, so only the main one may."""
    errors: list[str] = []

    def start() -> None:
        try:
            EmbeddedPostgres(tmp_path).start()
        except EmbeddedPostgresError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert errors == ["start the embedded PostgreSQL from the main thread"]
