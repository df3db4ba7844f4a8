"""Every test that needs a database gets a real PostgreSQL, and a database of its own.

Each xdist worker starts one server, without fsync, and migrates one template database, from which
a test's database is copied. With `TEST_DATABASE_URL`, a URL whose user may create databases, they
are made on that server instead.
"""

import os
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
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template))
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
