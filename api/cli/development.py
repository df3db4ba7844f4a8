"""What `consent-ledger dev` does: folder, database, account, service; and all of it ended again."""

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from api.admin_access import Access
from api.app import create_app
from api.cli import opening
from api.cli.announcement import Announcement, announce
from api.cli.data_dir import DataDir, Kept, Running, new_account
from api.cli.database import refuse_db_functions
from api.cli.errors import BAD_USE, CommandError
from api.cli.serving import LOOPBACK, bind, end_on_signals, serve
from api.demo.cast import TEXT_LINE
from api.demo.seed import seed
from api.settings import Settings
from consent_ledger.keyring import Keyring
from consent_ledger.standing import MICROSECONDS
from consent_ledger.store.connection import connect_as_owner, connector
from consent_ledger.store.embedded import EmbeddedPostgres, find_binaries
from consent_ledger.store.keys import check_keys
from consent_ledger.store.migrate import migrate
from consent_ledger.words import Role

GRACE_SECONDS: Final = 2
"""One developer's open requests; who pressed Ctrl-C does not want to wait longer."""
ACCOUNT_NAME: Final = "Main Street Clinic"
REGION: Final = "US"


@dataclass(frozen=True)
class Wanted:
    """The command's options."""

    port: int
    data_dir: Path | None
    ephemeral: bool
    demo: bool
    preset: str | None
    as_json: bool


def run(wanted: Wanted) -> None:
    """Runs until Ctrl-C or SIGTERM; nothing stays behind."""
    if wanted.ephemeral and wanted.data_dir is not None:
        raise CommandError("--ephemeral makes a folder of its own: leave --data-dir out", BAD_USE)
    refuse_db_functions()
    end_on_signals()
    with ExitStack() as resources:
        # The port first: it is what most often cannot be had, and the cheapest to ask for.
        listening = resources.enter_context(bind(LOOPBACK, wanted.port))
        folder = DataDir(resources.enter_context(_folder(wanted)))
        binaries = find_binaries(os.environ.get("CONSENT_LEDGER_POSTGRES_BIN"))
        postgres = EmbeddedPostgres(folder.path, binaries=binaries, fsync=not wanted.ephemeral)
        resources.enter_context(postgres)
        _serve(folder, postgres, listening, wanted)


@contextmanager
def _folder(wanted: Wanted) -> Iterator[Path]:
    if not wanted.ephemeral:
        yield DataDir(wanted.data_dir).path
        return
    folder = Path(tempfile.mkdtemp(prefix="consent-ledger-dev-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(
    folder: DataDir, postgres: EmbeddedPostgres, listening: socket.socket, wanted: Wanted
) -> None:
    database_url = postgres.url
    kept, ring, access = _prepare(folder, database_url, wanted)
    settings = Settings(
        database_url=database_url,
        key=ring.dump(),  # type: ignore[arg-type]
        host=LOOPBACK,
        port=listening.getsockname()[1],
        public_url=None,
    )
    app = create_app(settings)
    url = settings.base_url
    running = Running(url, database_url, f"{url}/v1/webhooks/twilio/{kept.twilio_endpoint}")
    admin_url = f"{url}/admin?token={app.state.admin_links.make(access)}"

    def ready() -> None:
        folder.note_running(running)
        announce(Announcement(folder, kept, running, admin_url), as_json=wanted.as_json)

    try:
        # A database that was killed is started again; meanwhile the answer is 503.
        serve(app, listening, ready, GRACE_SECONDS, watch=postgres.revive)
    finally:
        folder.forget_running()


def _prepare(folder: DataDir, database_url: str, wanted: Wanted) -> tuple[Kept, Keyring, Access]:
    """Schema, key ring, account and demo: whatever of it is missing."""
    with connect_as_owner(database_url) as conn:
        migrate(conn)
        used = conn.execute("SELECT 1 FROM key_generation").fetchone() is not None
        ring = _key_ring(folder, used)
        kept = folder.kept() or _new(folder)
        account_id = UUID(kept.account_id)
        asyncio.run(_open(database_url, ring, kept, wanted.preset))
        if wanted.demo and not kept.demo_done:
            asyncio.run(_fill(database_url, ring, folder, kept))
        kept.keys = {
            str(role): opening.working_key(conn, ring, account_id, role, kept.keys.get(role))
            for role in Role
        }
        opening.imitate_twilio(conn, ring, account_id, kept.twilio_endpoint, kept.twilio_token)
        folder.keep(kept)
        return kept, ring, Access(account_id, opening.key_id_of(conn, ring, kept.keys["admin"]))


def _key_ring(folder: DataDir, used: bool) -> Keyring:
    found = folder.key()
    if found is None and used:
        message = f"the key of this database is missing: put {folder.path / 'key'} back"
        raise CommandError(message, BAD_USE)
    if found is None:
        found = Keyring.generate().dump()
        folder.keep_key(found)
    return Keyring.parse(found)


def _new(folder: DataDir) -> Kept:
    kept = new_account(TEXT_LINE)
    folder.keep(kept)
    return kept


async def _fill(database_url: str, ring: Keyring, folder: DataDir, kept: Kept) -> None:
    """The demo's past, told once; where a start was interrupted the next one goes on."""
    if kept.demo_until is None:
        kept.demo_until = round(time.time()) * MICROSECONDS
        folder.keep(kept)
    await seed(connector(database_url), ring, UUID(kept.account_id), kept.demo_until)
    kept.demo_done = True


async def _open(database_url: str, ring: Keyring, kept: Kept, preset: str | None) -> None:
    async with await connector(database_url)() as conn:
        await check_keys(conn, ring)
        await opening.open_account(conn, UUID(kept.account_id), ACCOUNT_NAME, REGION, preset)
