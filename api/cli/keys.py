"""`consent-ledger keys`: the deployment's key ring, and the API keys of an account."""

from typing import Annotated, Final

import typer

from api.cli.errors import NO, CommandError
from api.cli.options import (
    ApiKey,
    DatabaseUrl,
    DataDir,
    Key,
    Output,
    OutputOption,
    Preset,
    Table,
    TableOption,
    Url,
)
from api.cli.output import print_json, print_rows
from consent_ledger.words import Role

app = typer.Typer(help="The deployment's key ring, and an account's API keys.")

COLUMNS: Final = ("key_id", "role", "name", "created_at", "revoked_at")


@app.command()
def generate() -> None:
    """Print a new key ring for a deployment; keep it where the database's backups are not."""
    from consent_ledger.keyring import Keyring

    print(Keyring.generate().dump())


@app.command()
def issue(
    role: Annotated[Role, typer.Option(help="What it may do.")],
    name: Annotated[str, typer.Option(help="What will use it.")],
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Make an API key and print it, now and never again. Needs an admin's key."""
    from api.cli.remote import connect

    remote = connect(url, api_key, data_dir, "admin")
    made = remote.post("/v1/keys", {"role": role, "name": name})
    if output is Output.JSON:
        print_json(made)
    else:
        print(made["key"])


@app.command("list")
def list_keys(
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: TableOption = Table.TEXT,
) -> None:
    """List the account's API keys, without their secrets. Needs an admin's key."""
    from api.cli.remote import connect

    rows = connect(url, api_key, data_dir, "admin").get("/v1/keys")["items"]
    print_rows(rows, COLUMNS, output)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Its id, as `keys list` shows it.")],
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke an API key: within a second it works nowhere. Needs an admin's key."""
    from urllib.parse import quote

    from api.cli.remote import connect

    remote = connect(url, api_key, data_dir, "admin")
    remote.delete(f"/v1/keys/{quote(key_id, safe='')}")
    print("revoked")


@app.command()
def bootstrap(
    account_name: Annotated[str, typer.Option(help="How the account names itself in texts.")],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    key: Key = None,
    preset: Annotated[Preset, typer.Option(help="Its policy.")] = Preset.CONSENT_FIRST,
    region: Annotated[
        str, typer.Option(help="ISO 3166 code; numbers without a plus are read as from there.")
    ] = "US",
    output: OutputOption = Output.TEXT,
) -> None:
    """Open an account in a database and print an admin's key: the first one comes from nowhere."""
    from api.cli.bootstrap import open_first_account
    from api.cli.database import database, key_ring

    ring = key_ring(key, database_url, data_dir)
    with database(database_url, data_dir) as found:
        made = open_first_account(found, ring, account_name, str(preset), region)
    if made is None:
        raise CommandError("an account has this name already; its admin issues keys", NO)
    if output is Output.JSON:
        print_json(made)
    else:
        print(made["key"])
