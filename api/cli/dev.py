"""`consent-ledger dev`: the whole service on an embedded PostgreSQL, on loopback."""

from typing import Annotated

import typer

from api.cli.options import DataDir, Output, OutputOption, Port, Preset


def dev(
    port: Port = 8000,
    data_dir: DataDir = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Use a folder that is removed at the end.")
    ] = False,
    no_demo: Annotated[
        bool, typer.Option("--no-demo", help="Open the account without a past.")
    ] = False,
    preset: Annotated[
        Preset | None,
        typer.Option(
            envvar="CONSENT_LEDGER_PRESET",
            help="The account's policy: consent-first unless it has another already.",
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Start everything here: database, demo account, service. Ctrl-C stops it all."""
    from api.cli.development import Wanted, run

    run(
        Wanted(
            port=port,
            data_dir=data_dir,
            ephemeral=ephemeral,
            demo=not no_demo,
            preset=str(preset) if preset else None,
            as_json=output is Output.JSON,
        )
    )
