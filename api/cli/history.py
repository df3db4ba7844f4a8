"""`consent-ledger history`: what happened to a number."""

from typing import Annotated, Final

import typer

from api.cli.listing import LIMIT, Rows, print_listed
from api.cli.options import ApiKey, DataDir, NumberArgument, Table, TableOption, Url
from api.cli.output import number_from, print_rows

COLUMNS: Final = ("number_version", "occurred_at", "type", "who", "channel", "words")


def history(
    number: NumberArgument,
    type: Annotated[str | None, typer.Option(help="Kinds of events, with commas.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Happened from this time on.")] = None,
    to: Annotated[str | None, typer.Option(help="Happened before this time.")] = None,
    words: Annotated[str | None, typer.Option("-q", help="A word that was said.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Events at the most; if not given, {LIMIT} as text, else all."),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: TableOption = Table.TEXT,
) -> None:
    """Show the events of a number, the oldest first."""
    from api.cli.remote import connect

    remote = connect(url, api_key, data_dir, "auditor")
    found = remote.post("/v1/numbers/lookup", {"number": number_from(number)})
    if not found["known"]:
        print_rows([], COLUMNS, output)
        return
    path = f"/v1/numbers/{found['number_id']}/history"
    query = {"type": type, "from": since, "to": to, "q": words}

    def ask(most: int | None) -> Rows:
        for event in remote.pages(path, most, **query):
            yield {**event, "who": event["actor"]["id"] or event["actor"]["kind"]}

    print_listed(ask, limit, COLUMNS, output, "--output csv or json")
