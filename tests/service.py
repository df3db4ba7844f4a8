"""The real service in a process of its own, over a real database, for tests that talk HTTP to it.

`python -m tests.service FD` is that process: it serves on the socket that it was handed, with the
settings of its environment. It logs to standard error, every request, so that a test can read all
that it ever wrote.
"""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx2
import psycopg
import uvicorn

from api.app import create_app
from api.auth import issue_key
from api.providers.amazon import Amazon
from api.settings import Settings
from consent_ledger import account_facts as a
from consent_ledger.account import Account
from consent_ledger.facts import Fact
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError
from consent_ledger.policy import amended
from consent_ledger.store.accounts import AccountCommand, change_account
from consent_ledger.store.connection import connect_as_owner, connector
from consent_ledger.words import Role
from tests.forked import Started
from tests.forks import STREAMS

SECONDS: Final = 30
"""A request that takes longer failed."""
LOCAL: Final[dict[str, Any]] = {"trust_env": False, "verify": False}
"""How a client asks this machine: with no proxy, and without loading the certificates of the world,
which takes each client as long as forty requests."""
OPENED: Final = "Lakeside Clinic"
"""The name of every account, as its texts show it."""


class Running:
    """A service that runs: its HTTP client, its database and its log."""

    def __init__(
        self,
        base_url: str,
        database_url: str,
        log: Path,
        keyring: Keyring,
        process: Started,
    ) -> None:
        self.base_url = base_url
        self.process = process
        self.database_url = database_url
        self.keyring = keyring
        self.http = httpx2.Client(base_url=base_url, timeout=SECONDS, **LOCAL)
        self.database = connect_as_owner(database_url)
        self._log = log
        self.pages = log.parent
        self._connect = connector(database_url)
        self._opening: psycopg.AsyncConnection[Any] | None = None
        self._runner = asyncio.Runner()

    def log_since(self, offset: int = 0) -> str:
        """What the service has written since a place in its log.

        A request is logged just after its answer left. The service finds time for another one only
        when that is done, so it is asked another one first.
        """
        with contextlib.suppress(httpx2.HTTPError):
            self.http.get("/livez")
        with self._log.open("rb") as log:
            log.seek(offset)
            return log.read().decode()

    @property
    def log_size(self) -> int:
        """Where the log ends now."""
        return self._log.stat().st_size

    def rows(self, query: str, *params: Any) -> list[tuple[Any, ...]]:
        """What the database holds, whatever the service says of it."""
        return self.database.execute(query.encode(), params).fetchall()

    def open_account(self, preset: str, changes: dict[str, Any], region: str | None) -> uuid.UUID:
        """A new account that holds to a policy from before all time."""
        account_id = uuid.uuid4()
        opened = a.AccountOpened(OPENED, region)
        adopted = a.PolicyAdopted(amended(preset, changes), 0)

        def command(account: Account, now: int) -> Sequence[Fact]:
            return [opened, adopted]

        try:
            self._runner.run(self._change(account_id, command))
        except psycopg.OperationalError:
            # A test has cut every connection: the next one is new.
            self._runner.run(self._change(account_id, command))
        return account_id

    async def _change(self, account_id: uuid.UUID, command: AccountCommand) -> None:
        # Kept open: to connect takes three times as long as to open an account.
        if self._opening is None or self._opening.closed:
            self._opening = await self._connect()
        await change_account(self._opening, account_id, command, None)

    async def _leave(self) -> None:
        if self._opening is not None:
            await self._opening.close()

    def issue_keys(self, account_id: uuid.UUID) -> dict[str, str]:
        """A key for each role."""
        # Every test has an account: the database is waited for once, not for each key.
        with self.database.pipeline():
            return {
                role.value: issue_key(self.database, self.keyring, account_id, role, role.value)[1]
                for role in Role
            }

    def kill(self) -> None:
        """Kills the process: it can say no last word."""
        self.process.kill()
        self.process.wait(SECONDS)

    def close(self) -> None:
        """Closes what the tests hold of it."""
        self.http.close()
        self.database.close()
        self._runner.run(self._leave())
        self._runner.close()


@contextlib.contextmanager
def running(database_url: str, keyring: Keyring | None = None) -> Iterator[Running]:
    """Starts the service on a migrated database, and stops it again."""
    keyring = keyring or Keyring.generate()
    with (
        tempfile.TemporaryDirectory(prefix="consent-ledger-service-") as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        log = Path(folder) / "log"
        port = listener.getsockname()[1]
        process = _start(database_url, keyring, listener, port, log)
        # The socket is the process's own now: when it ends, nobody listens.
        listener.close()
        service = Running(f"http://127.0.0.1:{port}", database_url, log, keyring, process)
        try:
            _await_ready(service, process)
            yield service
        finally:
            service.close()
            process.terminate()
            process.wait(SECONDS)


def _start(
    database_url: str, keyring: Keyring, listener: socket.socket, port: int, log: Path
) -> Started:
    settings = {
        "CONSENT_LEDGER_DATABASE_URL": database_url,
        "CONSENT_LEDGER_KEY": keyring.dump(),
        "CONSENT_LEDGER_PORT": str(port),
        "CONSENT_LEDGER_LOG_LEVEL": "debug",
        "TEST_PAGES": str(log.parent),
    }
    with log.open("wb") as stream, open(os.devnull) as nothing:
        return Started(
            "tests.service",
            [str(STREAMS)],
            (nothing.fileno(), stream.fileno(), stream.fileno()),
            {**os.environ, **settings},
            pass_fds=[listener.fileno()],
            strict=True,
        )


def _await_ready(service: Running, process: Started) -> None:
    try:
        answer = service.http.get("/readyz")
    except httpx2.HTTPError as error:
        process.kill()
        raise AssertionError(f"the service did not start: {service.log_since()}") from error
    assert answer.status_code == 200, answer.text


def rows_of_every_table(database: psycopg.Connection[Any], account_id: uuid.UUID) -> dict[str, str]:
    """All that the database holds, by table, as text; bytes are shown as the text they are."""
    tables = database.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    ).fetchall()
    return {
        name: "\n".join(
            " ".join(_shown(value) for value in row)
            for row in database.execute(f'SELECT * FROM "{name}"'.encode()).fetchall()
            if not any(isinstance(value, uuid.UUID) for value in row) or account_id in row
        )
        for (name,) in tables
    }


def _shown(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


class Pages:
    """Amazon as the service under test reaches it: what a test wrote there, and who was asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, url: str) -> bytes:
        """The page of an address; the address is written down."""
        with (self._folder / "visits").open("a") as visits:
            visits.write(f"{url}\n")
        page = page_of(self._folder, url)
        if not page.exists():
            raise UnavailableError("there is no such page")
        return page.read_bytes()


def page_of(folder: Path, url: str) -> Path:
    """Where the page of an address lies."""
    return folder / f"page-{sha256(url.encode()).hexdigest()}"


def serve(descriptor: int) -> None:
    """The service, on a socket that is already bound."""
    app = create_app(Settings())  # type: ignore[call-arg]
    app.state.service.amazon = Amazon(Pages(Path(os.environ["TEST_PAGES"])))
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", log_level="warning", lifespan="on", access_log=False
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    serve(int(sys.argv[1]))


def in_parallel(*acts: Any) -> None:
    """Runs functions at the same time."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
