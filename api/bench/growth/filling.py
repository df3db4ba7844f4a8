"""A ledger filled with so many numbers: some thousands are told, the others repeat them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from api.bench.growth.cloning import TABLES, Cloning
from api.bench.growth.indexes import without_indexes
from api.bench.growth.people import e164
from api.bench.growth.telling import tell
from consent_ledger.keyring import Keyring
from consent_ledger.standing import MICROSECONDS
from consent_ledger.store.connection import connect_as_owner, connector

TOLD: Final = 5_000
"""Numbers whose histories go through the writer: a few seconds, and enough not to be all alike."""
MANY: Final = 100_000
"""From here on the indexes are built at the end; a small ledger's grow as they would."""


def fill(
    database_url: str,
    ring: Keyring,
    account_id: UUID,
    total: int,
    progress: Callable[[str], None],
) -> None:
    """Fills an account that has no number yet with `total` of them; a multiple of TOLD, or less.

    Nothing else may work on the database meanwhile: large ledgers are filled without indexes.
    """
    count = min(TOLD, total)
    progress(f"telling the histories of {count:,} numbers")
    until = round(time.time()) * MICROSECONDS
    claimed = asyncio.run(tell(connector(database_url), ring, account_id, count, total, until))
    originals = [ring.number_id(account_id, e164(i, total)) for i in range(count)]
    with connect_as_owner(database_url) as conn:
        conn.execute("SET maintenance_work_mem = '512MB'")
        cloning = Cloning(conn, originals, claimed)
        if total < MANY:
            _repeat(cloning, ring, account_id, count, total, progress)
        else:
            with without_indexes(conn, [each.table for each in TABLES]):
                _repeat(cloning, ring, account_id, count, total, progress)
                progress("building indexes")
        cloning.count()
        progress("vacuuming")
        _vacuum(conn)


def _repeat(
    cloning: Cloning,
    ring: Keyring,
    account_id: UUID,
    count: int,
    total: int,
    progress: Callable[[str], None],
) -> None:
    for first in range(count, total, count):
        cloning.repeat(_numbers(ring, account_id, range(first, first + count), total))
        progress(f"{first + count:,} of {total:,} numbers")


def _numbers(
    ring: Keyring, account_id: UUID, places: range, total: int
) -> Iterator[tuple[UUID, str]]:
    make = ring.id_makers(account_id)[0]
    for place in places:
        number = e164(place, total)
        yield UUID(bytes=make(number.encode())), number


def _vacuum(conn: Connection[Any]) -> None:
    """As it would be after a quiet hour: visibility maps and statistics."""
    for each in TABLES:
        conn.execute(f"VACUUM (ANALYZE) {each.table}".encode())
