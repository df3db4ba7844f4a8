"""Ledgers of several sizes, each in a folder of its own that `dev --data-dir` can start too."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from api.bench.growth.filling import fill
from api.cli.data_dir import DataDir, new_account
from api.cli.opening import open_account
from api.demo.cast import TEXT_LINE
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connect_as_owner, connector
from consent_ledger.store.embedded import EmbeddedPostgres
from consent_ledger.store.keys import check_keys
from consent_ledger.store.migrate import migrate

FILLING: Final = {
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "autovacuum": "off",
}
"""Of the server while a ledger is filled, without fsync; it is measured with its own settings."""
FILLED: Final = "filled"
"""A file that says how many numbers a folder's ledger has: one that was interrupted has none."""


MEGABYTE: Final = 1 << 20
MEMORY_SHARE: Final = 3
"""Of the machine's memory the measured server has one such part, within what its manual advises: by
default it has 128 MB, and the rest depends on what the system happens to keep of its files."""
WARMED: Final = (
    "SELECT sum(length(snapshot)) FROM (SELECT snapshot FROM consent_status ORDER BY number_id)",
    "SELECT count(*) FROM (SELECT 1 FROM opt_outs_shown ORDER BY account_id, since DESC)",
)
"""What checks and the report read; commands find their pages as the disk has them."""


class Ledger(NamedTuple):
    """A ledger that runs: its database, and what is needed to ask it."""

    database_url: str
    account_id: UUID
    keyring: Keyring
    total: int


@contextmanager
def ledger_of(path: Path, total: int, progress: Callable[[str], None]) -> Iterator[Ledger]:
    """The ledger of so many numbers in a folder; filled, where it is not there yet."""
    folder = DataDir(path)
    marker = folder.path / FILLED
    if not marker.exists():
        with EmbeddedPostgres(folder.path, fsync=False, settings=FILLING) as postgres:
            ledger = _opened(folder, postgres.url, total)
            fill(postgres.url, ledger.keyring, ledger.account_id, total, progress)
        marker.write_text(str(total))
    elif int(marker.read_text()) != total:
        raise ValueError(f"{folder.path} has {marker.read_text()} numbers, not {total}")
    with EmbeddedPostgres(folder.path, settings={"shared_buffers": _buffers()}) as postgres:
        ledger = _opened(folder, postgres.url, total)
        progress(f"reading the ledger of {total:,} numbers into memory")
        _warm(ledger.database_url)
        yield ledger


def _buffers() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{memory // MEMORY_SHARE // MEGABYTE}MB"


def _warm(database_url: str) -> None:
    """Has the server hold in its own memory what that of a ledger in use holds there."""
    with connect_as_owner(database_url) as conn:
        # A scan of a whole table goes past the server's memory.
        for kind in ("seqscan", "bitmapscan", "sort", "indexonlyscan"):
            conn.execute(f"SET enable_{kind} = off".encode())
        for statement in WARMED:
            conn.execute(statement.encode())


def _opened(folder: DataDir, database_url: str, total: int) -> Ledger:
    found = folder.key()
    if found is None:
        found = Keyring.generate().dump()
        folder.keep_key(found)
    keyring = Keyring.parse(found)
    kept = folder.kept()
    if kept is None:
        kept = new_account(TEXT_LINE)
        kept.demo_done = True
        folder.keep(kept)
    account_id = UUID(kept.account_id)

    async def prepare() -> None:
        async with await connector(database_url)() as conn:
            await check_keys(conn, keyring)
            await open_account(conn, account_id, "Grown Clinic", "US", "consent-first")

    with connect_as_owner(database_url) as conn:
        migrate(conn)
    asyncio.run(prepare())
    return Ledger(database_url, account_id, keyring, total)
