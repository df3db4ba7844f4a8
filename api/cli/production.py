"""What `consent-ledger serve` does: see that it may start, then serve until a signal."""

import asyncio
from typing import Final

import psycopg

from api.app import create_app
from api.cli.database import refuse_db_functions
from api.cli.errors import BAD_USE, NO, CommandError
from api.cli.serving import bind, end_on_signals
from api.cli.serving import serve as serve_app
from api.cli.workers import Workers
from api.settings import Settings
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connect_as_owner, connector
from consent_ledger.store.keys import check_keys
from consent_ledger.store.log import check_positions
from consent_ledger.store.migrate import migrate, pending

GRACE_SECONDS: Final = 20
"""Open requests may end; orchestrators send SIGKILL after 30 s."""


def run(settings: Settings, workers: int, *, apply_migrations: bool) -> None:
    """Serves, by so many processes; CommandError and the like where it must not start."""
    refuse_db_functions()
    ring = Keyring.parse(settings.key.get_secret_value())
    with bind(settings.host, settings.port) as listening:
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        _check_schema(settings.database_url, apply_migrations)
        asyncio.run(_check_key(settings.database_url, ring))
        end_on_signals()
        if workers > 1:
            Workers(settings, listening, workers, GRACE_SECONDS).run(lambda: _say(settings))
        else:
            serve_app(create_app(settings), listening, lambda: _say(settings), GRACE_SECONDS)


def _check_schema(database_url: str, apply_migrations: bool) -> None:
    with connect_as_owner(database_url) as conn:
        for name in migrate(conn) if apply_migrations else ():
            print(f"applied {name}", flush=True)
        missing = pending(conn)
    if missing:
        names = ", ".join(missing)
        raise CommandError(f"migrations are pending ({names}): run `consent-ledger migrate`", NO)


async def _check_key(database_url: str, ring: Keyring) -> None:
    async with await connector(database_url)() as conn:
        try:
            await check_keys(conn, ring)
            await check_positions(conn)
        except psycopg.errors.InsufficientPrivilege:
            message = "the database's role lacks the rights of the service"
            raise CommandError(message, BAD_USE) from None


def _say(settings: Settings) -> None:
    print(f"Consent ledger answers at {settings.base_url}", flush=True)
