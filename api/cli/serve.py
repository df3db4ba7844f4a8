"""`consent-ledger serve`: the service in production."""

from typing import Annotated, Final

import typer

from api.cli.errors import CommandError
from api.cli.options import Key, Port
from api.log_level import LogLevel

MOST_WORKERS: Final = 64
"""Each opens up to a dozen connections to the database."""


def serve(
    database_url: Annotated[
        str,
        typer.Option(
            "--database-url", envvar="CONSENT_LEDGER_DATABASE_URL", help="The PostgreSQL database."
        ),
    ],
    key: Key = None,
    host: Annotated[
        str, typer.Option(envvar="CONSENT_LEDGER_HOST", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Port = 8000,
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="CONSENT_LEDGER_PUBLIC_URL",
            help="The URL that providers call; their signatures cover it.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_WORKERS,
            envvar="CONSENT_LEDGER_WORKERS",
            help="Processes that answer, one a processor at the most.",
        ),
    ] = 1,
    migrate: Annotated[
        bool,
        typer.Option(
            "--migrate/--no-migrate",
            envvar="CONSENT_LEDGER_MIGRATE",
            help="Apply pending migrations first; without, they keep the service from starting.",
        ),
    ] = False,
    log_level: Annotated[
        LogLevel,
        typer.Option(
            envvar="CONSENT_LEDGER_LOG_LEVEL",
            case_sensitive=False,
            help="The least that is logged.",
        ),
    ] = LogLevel.INFO,
    webhook_private_addresses: Annotated[
        bool,
        typer.Option(
            envvar="CONSENT_LEDGER_WEBHOOK_PRIVATE_ADDRESSES",
            help="Let webhooks go to loopback and private addresses.",
        ),
    ] = False,
) -> None:
    """Serve the ledger from a PostgreSQL database, until SIGTERM."""
    from api.cli.production import run
    from api.settings import Settings

    if key is None:
        raise CommandError("the deployment's key is needed: --key or CONSENT_LEDGER_KEY")
    settings = Settings(
        database_url=database_url,
        key=key,  # type: ignore[arg-type]
        host=host,
        port=port,
        public_url=public_url,
        log_level=log_level,
        webhook_private_addresses=webhook_private_addresses,
    )
    run(settings, workers, apply_migrations=migrate)
