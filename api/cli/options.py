"""Options that several commands share; each is also a CONSENT_LEDGER_ variable."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


class Table(StrEnum):
    """How rows are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class Preset(StrEnum):
    """The policies an account can start with (rulebook section 7)."""

    CONSENT_FIRST = "consent-first"
    OPT_OUT = "opt-out"
    RECALLS = "recalls"
    AUTHORIZATION = "authorization"


Port = Annotated[
    int,
    typer.Option(min=0, max=65535, envvar="CONSENT_LEDGER_PORT", help="0 picks a free one."),
]
OutputOption = Annotated[Output, typer.Option("--output", help="How to write the result.")]
TableOption = Annotated[Table, typer.Option("--output", help="How to write the rows.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="CONSENT_LEDGER_DATA_DIR",
        help="The folder of `dev`; by default below XDG_DATA_HOME or ~/.local/share.",
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="CONSENT_LEDGER_DATABASE_URL",
        show_envvar=True,
        help="The PostgreSQL database; without it, the one in the data folder.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="CONSENT_LEDGER_KEY",
        help="The deployment's key ring; better in the variable, where `ps` does not show it.",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="CONSENT_LEDGER_URL",
        help="The service; without it, the `dev` that runs in the data folder.",
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="CONSENT_LEDGER_API_KEY", help="A key of the account."),
]
NumberArgument = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The phone number, or - to read it from stdin.")
]
