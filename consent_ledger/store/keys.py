"""The deployment's key and the database know each other by check values (rulebook section 9)."""

from typing import Any, Final

from psycopg import AsyncConnection

from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError

SELECT: Final = "SELECT generation, check_value FROM key_generation"
INSERT: Final = """
INSERT INTO key_generation (generation, check_value) VALUES (%s, %s) ON CONFLICT DO NOTHING"""


class KeyMismatchError(Exception):
    """The key is not the one that the database was written with."""


def check_generation(in_use: int, newest: int) -> None:
    """Refuses to go on where another process writes under a newer key: its numbers look new here.

    UnavailableError; the process has to be restarted with that key.
    """
    if in_use > newest:
        raise UnavailableError("another process uses a newer key: restart with it")


async def check_keys(conn: AsyncConnection[Any], keyring: Keyring) -> None:
    """Refuses a key that the database does not know: with it every number would look new.

    A newer generation than any known is recorded. KeyMismatchError for a value that differs, or
    where a generation that the database was written with is missing.
    """
    known = dict(await (await conn.execute(SELECT)).fetchall())
    missing = set(known) - set(keyring.generations)
    if missing:
        raise KeyMismatchError("a generation of the key that the database needs is missing")
    for generation in keyring.generations:
        value = keyring.check_value(generation)
        if generation not in known:
            await conn.execute(INSERT, (generation, value))
        elif known[generation] != value:
            raise KeyMismatchError("this is not the key that the database was written with")
