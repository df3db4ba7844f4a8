"""The schema, brought up to date from numbered SQL files.

`migrations/0001_events.sql`, `0002_...` are applied in order, each in a transaction of its own that
also notes it in `schema_migrations`. A file that was applied once may never change again.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

MIGRATIONS: Traversable = files("consent_ledger.store") / "migrations"
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+")
LOCK = 0x636F6E73656E74  # "consent" in ASCII: any number that no other program locks will do.

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number int PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The schema cannot be brought up to date; what was applied before stays."""


@dataclass(frozen=True)
class Migration:
    """One file: its number, its name without `.sql`, its bytes."""

    number: int
    name: str
    sql: bytes

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.sql).hexdigest()


def migrate(connection: psycopg.Connection[Any], folder: Traversable = MIGRATIONS) -> list[str]:
    """Apply what is missing; returns the names applied now, in order.

    Several processes may do so at once: each file is applied by one of them. Needs a connection
    outside a transaction. Raises MigrationError when a file fails or was changed after it was
    applied, when the database is newer than the files, or when numbers are missing.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise MigrationError("migrate needs a connection outside a transaction")
    migrations = _read(folder)
    applied: list[str] = []
    while name := _apply_next(connection, migrations):
        applied.append(name)
    return applied


def pending(connection: psycopg.Connection[Any], folder: Traversable = MIGRATIONS) -> list[str]:
    """The names that `migrate` would apply, in order; changes nothing.

    Raises MigrationError like `migrate`.
    """
    migrations = _read(folder)
    with connection.transaction():
        return [migration.name for migration in _missing(connection, migrations)]


def _read(folder: Traversable) -> list[Migration]:
    # An installation without any migration has no folder either.
    paths = sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else []
    migrations = [_read_file(path) for path in paths if path.name.endswith(".sql")]
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise MigrationError(f"{migration.name} stands where number {expected:04} should")
    return migrations


def _read_file(path: Traversable) -> Migration:
    name = path.name.removesuffix(".sql")
    parts = FILE_NAME.fullmatch(name)
    if parts is None:
        raise MigrationError(f"{path.name} is not named like 0001_some_words.sql")
    return Migration(int(parts[1]), name, path.read_bytes())


def _apply_next(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> str | None:
    with connection.transaction():
        # Held until the commit: another process then sees this file as applied.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute(CREATE_TABLE)
        missing = _missing(connection, migrations)
        if not missing:
            return None
        _apply(connection, missing[0])
        return missing[0].name


def _apply(connection: psycopg.Connection[Any], migration: Migration) -> None:
    try:
        connection.execute(migration.sql)
    except psycopg.Error as error:
        raise MigrationError(f"{migration.name} failed: {error}") from error
    connection.execute(
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (%s, %s, %s)",
        [migration.number, migration.name, migration.checksum],
    )


def _missing(
    connection: psycopg.Connection[Any], migrations: Sequence[Migration]
) -> Sequence[Migration]:
    known = _applied(connection)
    _refuse_newer(known, migrations)
    for migration in migrations[: len(known)]:
        _refuse_changed(migration, known)
    return migrations[len(known) :]


def _applied(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, str]]:
    """Name and checksum by number, of what the database says was applied."""
    cursor = connection.cursor(row_factory=tuple_row)
    found = cursor.execute("SELECT to_regclass('schema_migrations')").fetchone()
    if found is None or found[0] is None:
        return {}
    cursor.execute("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
    return {number: (name, checksum) for number, name, checksum in cursor}


def _refuse_newer(known: Mapping[int, tuple[str, str]], migrations: Sequence[Migration]) -> None:
    for number, (name, _) in known.items():
        if number > len(migrations):
            raise MigrationError(f"the database has {name}: this version of the code is too old")


def _refuse_changed(migration: Migration, known: Mapping[int, tuple[str, str]]) -> None:
    if migration.number not in known:
        raise MigrationError(f"{migration.name} was skipped: a later one is applied")
    name, checksum = known[migration.number]
    if checksum != migration.checksum:
        raise MigrationError(f"{migration.name} was changed after it was applied as {name}")
