"""A service in a process of its own: `python -m tests.system.service`.

Its orders, on standard input, are one JSON object: `key`, and `database_url`, or `data_dir` for an
embedded PostgreSQL that keeps what it confirmed. The first line of standard output is JSON too,
when it answers.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import uvicorn

from api.app import create_app
from api.auth import issue_key
from api.settings import Settings
from consent_ledger.account import Account
from consent_ledger.keyring import Keyring
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.embedded import EmbeddedPostgres
from consent_ledger.store.migrate import migrate
from consent_ledger.store.reader import Reader
from consent_ledger.store.view import View
from consent_ledger.words import Role
from tests import forked

STOP_SECONDS: Final = 30.0
ERRORS: Final = 2
"""The tests' own standard error: what a service says there is shown where a test fails."""
FORGETFUL_SECONDS: Final = 1.0
"""How old an answer of the service with a cache may be; the tests have to notice."""


class Running:
    """A service that was started: its port, its database, and how to end it."""

    def __init__(self, process: forked.Started, said: dict[str, Any]) -> None:
        self.process = process
        self.port: int = said["port"]
        self.database_url: str = said["database_url"]
        self.postgres_pid: int | None = said["postgres_pid"]

    def end(self, kind: signal.Signals = signal.SIGTERM) -> None:
        """Ends the process, and waits until it has."""
        self.process.send_signal(kind)
        self.process.wait(STOP_SECONDS)

    def kill_postgres(self) -> None:
        """Kills every process of the embedded server at once."""
        assert self.postgres_pid is not None
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            rows = conn.execute("SELECT pid FROM pg_stat_activity").fetchall()
        for pid in (self.postgres_pid, *(row[0] for row in rows)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def running(**orders: Any) -> Iterator[Running]:
    """A service that answers; it is ended afterwards, if it has not been yet."""
    said = json.dumps(orders)
    process = forked.start("tests.system.service", [], os.environ, said, stderr=ERRORS)
    assert process.stdout is not None
    try:
        yield Running(process, json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        try:
            process.communicate(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def keys_of(url: str, keyring: Keyring, account: UUID) -> dict[Role, str]:
    """A new key for each role of an account."""
    with psycopg.connect(url, autocommit=True) as conn:
        return {role: issue_key(conn, keyring, account, role, role)[1] for role in Role}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, said: dict[str, Any]) -> None:
        super().__init__(config)
        self._said = said

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(json.dumps(self._said), flush=True)


def _forgetful() -> None:
    """Puts a cache before the reader: what this service must never have."""
    view, kept = Reader.view, dict[Any, tuple[float, View]]()

    async def remembered(self: Reader, account_id: UUID, ids: Any) -> View:
        place = (account_id, tuple(ids))
        if place not in kept or time.monotonic() - kept[place][0] > FORGETFUL_SECONDS:
            kept[place] = (time.monotonic(), await view(self, account_id, ids))
        return kept[place][1]

    Reader.view = remembered  # type: ignore[method-assign]


def _forgetful_of_accounts() -> None:
    """Has an account's set-up asked for again only now and then, whatever its version."""
    at, kept = AccountCache.at, dict[UUID, tuple[float, Account]]()

    async def remembered(
        self: AccountCache, conn: Any, account_id: UUID, version: int | None
    ) -> Account:
        if account_id not in kept or time.monotonic() - kept[account_id][0] > FORGETFUL_SECONDS:
            kept[account_id] = (time.monotonic(), await at(self, conn, account_id, version))
        return kept[account_id][1]

    AccountCache.at = remembered  # type: ignore[method-assign]


def main() -> None:
    """Serves until it is told to end."""
    orders = json.load(sys.stdin)
    if orders.get("forgetful"):
        _forgetful()
    if orders.get("forgetful_of_accounts"):
        _forgetful_of_accounts()
    with contextlib.ExitStack() as resources:
        url, pid = orders.get("database_url"), None
        if url is None:
            postgres = resources.enter_context(EmbeddedPostgres(Path(orders["data_dir"])))
            url, pid = postgres.url, postgres.pid
            with psycopg.connect(url, autocommit=True) as conn:
                migrate(conn)
        listener = resources.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        settings = Settings(database_url=url, key=orders["key"], port=port, log_level="error")
        config = uvicorn.Config(create_app(settings), log_level="critical", loop="uvloop")
        said = {"port": port, "database_url": url, "postgres_pid": pid}
        _Server(config, said).run([listener])


if __name__ == "__main__":
    main()
