"""Every test that needs a database gets a real PostgreSQL, and a database of its own.

Each xdist worker starts one server, without fsync, and migrates one template database, from which
a test's database is copied. With `TEST_DATABASE_URL`, a URL whose user may create databases, they
are made on that server instead.

What the tests write lies in memory where there is room, as a database is copied there in a tenth of
the time. `TMPDIR` names another folder; what a test writes is then kept as pytest keeps it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from consent_ledger.store.embedded import EmbeddedPostgres, find_binaries
from consent_ledger.store.migrate import migrate

CONNECTIONS: Final = "200"
"""Services of several fixtures and of the tests themselves are up at once, and pgbench beside."""
CREATE: Final = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
"""Without the write-ahead log, which takes as long again."""
MEMORY: Final = Path("/dev/shm")
"""Linux's folder in memory."""
ROOM: Final = 4 << 30
"""A worker keeps 0.3 GB in tests of the command line; a container's folder usually has 64 MB."""
DISK: Final = "TEST_DISK"
"""Names the folder that would have been used, for tests of what a disk keeps."""
PASSABLE: Final = 0o711
"""PostgreSQL's own user has to get through to its programs and files, as through /tmp."""


def pytest_configure(config: pytest.Config) -> None:
    """Has what is temporary written to memory; the workers inherit the environment."""
    if hasattr(config, "workerinput") or "TMPDIR" in os.environ or not _has_room():
        return
    os.environ[DISK] = tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="consent-ledger-tests-", dir=MEMORY)
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.chmod(folder, PASSABLE)
    os.environ["TMPDIR"] = tempfile.tempdir = folder


def _has_room() -> bool:
    """Also for programs, which some tests copy: they may not run where `noexec` says so."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(MEMORY).free >= ROOM


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder where fsync does what it does in production."""
    with tempfile.TemporaryDirectory(
        prefix="consent-ledger-tests-", dir=os.environ.get(DISK)
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The worker's own embedded server, also when TEST_DATABASE_URL names another one."""
    binaries = find_binaries(os.environ.get("CONSENT_LEDGER_POSTGRES_BIN"))
    with (
        tempfile.TemporaryDirectory(prefix="consent-ledger-tests-") as folder,
        EmbeddedPostgres(
            Path(folder), binaries=binaries, fsync=False, settings={"max_connections": CONNECTIONS}
        ) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database on the server that the tests' databases are made on."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    server: EmbeddedPostgres = request.getfixturevalue("postgres")
    return server.url


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a migrated database to copy; nothing may stay connected to it."""
    with new_database(server_url, "template0") as url:
        with psycopg.connect(url) as connection:
            migrate(connection)
        yield _name(url)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of a migrated database that only this test uses."""
    with new_database(server_url, template) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """The URL of a database without any schema that only this test uses."""
    with new_database(server_url, "template0") as url:
        yield url


@contextmanager
def new_database(server_url: str, template: str) -> Iterator[str]:
    url = urlsplit(server_url)._replace(path=f"/test_{uuid4().hex}").geturl()
    name = sql.Identifier(_name(url))
    create = sql.SQL(CREATE).format(name, sql.Identifier(template))
    _execute(server_url, create)
    try:
        yield url
    finally:
        _execute(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
