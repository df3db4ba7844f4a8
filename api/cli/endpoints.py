"""`consent-ledger endpoints`: where the account's providers deliver, and what signs for them."""

import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from api.cli.options import ApiKey, DataDir, Output, OutputOption, Table, TableOption, Url
from api.cli.output import print_json, print_rows

app = typer.Typer(help="Where providers' webhooks arrive, and the secrets that sign them.")

COLUMNS: Final = ("endpoint", "provider", "url", "created_at", "former_secret_until")


class Provider(StrEnum):
    """The providers by the names that stand in their webhooks' addresses."""

    TWILIO = "twilio"
    TELNYX = "telnyx"
    PLIVO = "plivo"
    VONAGE = "vonage"
    SINCH = "sinch"
    BANDWIDTH = "bandwidth"
    AWS_SNS = "aws-sns"
    STANDARD = "standard"


Name = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its name in the webhook's URL.")]
SecretOption = Annotated[
    str,
    typer.Option(
        "--secret",
        envvar="CONSENT_LEDGER_PROVIDER_SECRET",
        help="What signs; - reads it from stdin, where `ps` does not show it.",
    ),
]


@app.command("list")
def list_endpoints(
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: TableOption = Table.TEXT,
) -> None:
    """List the endpoints, without their secrets. Needs an admin's key."""
    from api.cli.remote import connect

    rows = connect(url, api_key, data_dir, "admin").get("/v1/provider-endpoints")["items"]
    print_rows(rows, COLUMNS, output)


@app.command()
def add(
    endpoint: Name,
    provider: Annotated[Provider, typer.Option(help="Whose webhooks arrive there.")],
    secret: SecretOption,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Open an endpoint, or set its secret at once; prints the URL for the provider."""
    from api.cli.remote import connect

    body = {"provider": str(provider), "secret": _secret(secret)}
    made = connect(url, api_key, data_dir, "admin").put(_path(endpoint), body)
    if output is Output.JSON:
        print_json(made)
    else:
        print(made["url"])


@app.command()
def rotate(
    endpoint: Name,
    secret: SecretOption,
    overlap_hours: Annotated[
        int, typer.Option(min=0, help="How long the secret before it counts too.")
    ] = 24,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Give an endpoint a new secret; the one before counts beside it for a while."""
    from api.cli.remote import connect

    body = {"secret": _secret(secret), "overlap_hours": overlap_hours}
    remote = connect(url, api_key, data_dir, "admin")
    made = remote.post(f"{_path(endpoint)}/rotate", body)
    if output is Output.JSON:
        print_json(made)
    else:
        print(f"the former secret counts until {made['former_secret_until'] or 'now'}")


@app.command()
def remove(
    endpoint: Name, url: Url = None, api_key: ApiKey = None, data_dir: DataDir = None
) -> None:
    """Close an endpoint and forget its secrets."""
    from api.cli.remote import connect

    connect(url, api_key, data_dir, "admin").delete(_path(endpoint))
    print("removed")


def _path(endpoint: str) -> str:
    from urllib.parse import quote

    return f"/v1/provider-endpoints/{quote(endpoint, safe='')}"


def _secret(given: str) -> str:
    return sys.stdin.readline().strip() if given == "-" else given
