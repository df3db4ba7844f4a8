"""Migrations run once, in order, whole or not at all, and never change afterwards."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from consent_ledger.store.migrate import MigrationError, migrate, pending

FIRST = "CREATE TABLE fact (position bigint PRIMARY KEY);"
SECOND = "ALTER TABLE fact ADD COLUMN body text;"


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database_url) as connection:
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_fact.sql").write_text(FIRST)
    (tmp_path / "0002_body.sql").write_text(SECOND)
    return tmp_path


def tables(connection: psycopg.Connection) -> set[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with connection.transaction():
        return {name for (name,) in connection.execute(query)}


def applied(connection: psycopg.Connection) -> list[tuple[int, str, str]]:
    query = "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
    with connection.transaction():
        return connection.execute(query).fetchall()


def test_missing_files_are_applied_in_order(connection: psycopg.Connection, folder: Path) -> None:
    """A new database gets every file, and each is noted with the checksum of its bytes."""
    assert migrate(connection, folder) == ["0001_fact", "0002_body"]
    assert applied(connection) == [
        (1, "0001_fact", hashlib.sha256(FIRST.encode()).hexdigest()),
        (2, "0002_body", hashlib.sha256(SECOND.encode()).hexdigest()),
    ]


def test_a_second_run_does_nothing(connection: psycopg.Connection, folder: Path) -> None:
    """What is applied already is not applied again."""
    migrate(connection, folder)
    assert migrate(connection, folder) == []


def test_only_the_new_file_is_applied(connection: psycopg.Connection, folder: Path) -> None:
    """A database one version behind gets just the file that it lacks."""
    migrate(connection, folder)
    (folder / "0003_kind.sql").write_text("ALTER TABLE fact ADD COLUMN kind text")
    assert pending(connection, folder) == ["0003_kind"]
    assert migrate(connection, folder) == ["0003_kind"]


def test_pending_changes_nothing(connection: psycopg.Connection, folder: Path) -> None:
    """Asking what is missing names the files and leaves no trace in the database."""
    assert pending(connection, folder) == ["0001_fact", "0002_body"]
    assert tables(connection) == set()


@pytest.mark.parametrize("missing", ["empty", "absent"])
def test_without_files_there_is_nothing_to_do(
    connection: psycopg.Connection, tmp_path: Path, missing: str
) -> None:
    """An empty folder and an absent one are both a schema without migrations."""
    folder = tmp_path if missing == "empty" else tmp_path / "absent"
    assert migrate(connection, folder) == []


def test_other_files_are_no_migrations(connection: psycopg.Connection, folder: Path) -> None:
    """A README beside the migrations is left alone."""
    (folder / "README.md").write_text("Never change a file that was released.")
    assert migrate(connection, folder) == ["0001_fact", "0002_body"]


def test_a_changed_file_is_refused(connection: psycopg.Connection, folder: Path) -> None:
    """A file that was edited after it was applied stops the start, also when others are pending."""
    migrate(connection, folder)
    (folder / "0001_fact.sql").write_text(FIRST + " -- edited")
    (folder / "0003_kind.sql").write_text("ALTER TABLE fact ADD COLUMN kind text")
    with pytest.raises(MigrationError, match="0001_fact was changed after it was applied"):
        migrate(connection, folder)
    with pytest.raises(MigrationError, match="0001_fact was changed after it was applied"):
        pending(connection, folder)
    assert len(applied(connection)) == 2


def test_a_newer_database_is_refused(connection: psycopg.Connection, folder: Path) -> None:
    """Code that does not know the database's last migration does not run on it."""
    migrate(connection, folder)
    (folder / "0002_body.sql").unlink()
    with pytest.raises(MigrationError, match=r"the database has 0002_body: .* too old"):
        migrate(connection, folder)


def test_a_skipped_migration_is_refused(connection: psycopg.Connection, folder: Path) -> None:
    """A database that has a later file without an earlier one is not made worse."""
    migrate(connection, folder)
    connection.execute("DELETE FROM schema_migrations WHERE number = 1")
    connection.commit()
    with pytest.raises(MigrationError, match="0001_fact was skipped"):
        migrate(connection, folder)


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_twice.sql", "0000_zero.sql"])
def test_numbers_run_without_gap_or_double(
    connection: psycopg.Connection, folder: Path, name: str
) -> None:
    """A missing, doubled or zeroth number is refused before anything is applied."""
    (folder / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match=r"stands where number \d{4} should"):
        migrate(connection, folder)
    assert tables(connection) == set()


@pytest.mark.parametrize("name", ["events.sql", "3_short.sql", "0003-dash.sql"])
def test_names_follow_one_pattern(connection: psycopg.Connection, folder: Path, name: str) -> None:
    """A file whose name has no four-digit number is refused rather than forgotten."""
    (folder / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match="is not named like"):
        migrate(connection, folder)


def test_a_failing_file_leaves_nothing(connection: psycopg.Connection, folder: Path) -> None:
    """A file that fails half way is undone, the files before it stay, and it may be mended."""
    third = folder / "0003_number.sql"
    third.write_text("CREATE TABLE number (id text); SELECT no_such_function();")
    with pytest.raises(MigrationError, match=r"0003_number failed: .*no_such_function"):
        migrate(connection, folder)
    assert tables(connection) == {"fact", "schema_migrations"}
    assert len(applied(connection)) == 2
    third.write_text("CREATE TABLE number (id text);")
    assert migrate(connection, folder) == ["0003_number"]


def test_an_open_transaction_is_refused(connection: psycopg.Connection, folder: Path) -> None:
    """Inside the caller's transaction no file could have one of its own."""
    connection.execute("SELECT 1")
    with pytest.raises(MigrationError, match="outside a transaction"):
        migrate(connection, folder)


def test_an_autocommit_connection_will_do(empty_database_url: str, folder: Path) -> None:
    """Each file is one transaction whatever the connection's own mode."""
    (folder / "0003_number.sql").write_text("CREATE TABLE number (id text); SELECT 1 / 0;")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        with pytest.raises(MigrationError, match="division by zero"):
            migrate(connection, folder)
        assert "number" not in tables(connection)


def test_two_processes_may_start_at_once(empty_database_url: str, folder: Path) -> None:
    """Two services that start together apply each file once between them, and both succeed."""
    (folder / "0003_slow.sql").write_text("SELECT pg_sleep(0.05); CREATE TABLE slow (id int);")
    together = Barrier(2)

    def start(_: int) -> list[str]:
        with psycopg.connect(empty_database_url) as connection:
            together.wait()
            return migrate(connection, folder)

    with ThreadPoolExecutor(2) as services:
        first, second = services.map(start, range(2))
    assert sorted(first + second) == ["0001_fact", "0002_body", "0003_slow"]


def test_each_test_has_a_migrated_database(database_url: str) -> None:
    """The database that tests are given has no migration left to apply."""
    with psycopg.connect(database_url) as connection:
        assert pending(connection) == []
