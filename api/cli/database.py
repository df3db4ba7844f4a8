"""Which database a command works on: the one named, else the data folder's, started if need be."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg

from api.cli.data_dir import DataDir
from api.cli.errors import CommandError
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connect_as_owner

T = TypeVar("T")

UNSAFE_VARIABLE: Final = "POSTGRES_ENABLE_DB_FUNCTIONS"
"""With it the eventsourcing library inserts events past the read models, without a word."""
TRUTHY: Final = ("1", "true", "t", "yes", "y", "on")


def refuse_db_functions() -> None:
    """Read models would fall behind their events in silence: nothing may start like that."""
    if db_functions_enabled():
        raise CommandError(f"unset {UNSAFE_VARIABLE}: read models would miss events")


def db_functions_enabled() -> bool:
    """Whether the environment asks for the library's database functions."""
    return os.environ.get(UNSAFE_VARIABLE, "").strip().lower() in TRUTHY


@contextmanager
def database(url: str | None, data_dir: Path | None) -> Iterator[str]:
    """The URL of the database, for as long as the command takes."""
    if url is not None:
        yield url
        return
    folder = DataDir(data_dir)
    running = folder.running()
    if running is not None and _answers(running.database_url):
        yield running.database_url
    elif (folder.path / "postgres").exists():
        yield from _started(folder)
    else:
        raise CommandError(f"no database: give --database-url ({folder.path} has none either)")


def _answers(url: str) -> bool:
    """A service that was killed leaves its note behind, so it is believed only if this works."""
    try:
        connect_as_owner(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _started(folder: DataDir) -> Iterator[str]:
    from consent_ledger.store.embedded import EmbeddedPostgres

    with EmbeddedPostgres(folder.path) as postgres:
        yield postgres.url


def key_ring(key: str | None, url: str | None, data_dir: Path | None) -> Keyring:
    """The deployment's key ring: the one given, else the data folder's where its database is."""
    found = key or (DataDir(data_dir).key() if url is None else None)
    if found is None:
        raise CommandError("the deployment's key is needed: --key or CONSENT_LEDGER_KEY")
    return Keyring.parse(found)


def run(task: Coroutine[Any, Any, T]) -> T:
    """Runs what talks to the database the service's way."""
    return asyncio.run(task)
