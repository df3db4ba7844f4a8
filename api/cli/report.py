"""`consent-ledger report`: every opted-out number, to look through or as a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from api.cli.errors import CommandError
from api.cli.listing import LIMIT, Rows, print_listed
from api.cli.options import ApiKey, DataDir, Table, Url
from api.cli.output import number_from, print_rows, write_file
from consent_ledger.words import Source

COLUMNS: Final = ("number", "source", "since", "by", "reason", "channel", "opt_in_allowed")
SUMMARY_COLUMNS: Final = ("day", "source", "numbers")
PATH: Final = "/v1/reports/opt-outs"


class ReportOutput(StrEnum):
    """How the report is written; the last three are always the whole of it."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"


MEDIA_TYPES: Final = {
    ReportOutput.CSV: "text/csv",
    ReportOutput.NDJSON: "application/x-ndjson",
    ReportOutput.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def report(
    source: Annotated[Source | None, typer.Option(help="Opted out by whom.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Opted out from this time.")] = None,
    to: Annotated[str | None, typer.Option(help="Opted out before this time.")] = None,
    prefix: Annotated[
        str | None,
        typer.Option(help="First digits of the number, three at least; - reads them from stdin."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Numbers at the most; if not given, {LIMIT} as text, else all."),
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Count by day and source.")] = False,
    file: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: Annotated[
        ReportOutput, typer.Option("--output", help="All but text hold every number.")
    ] = ReportOutput.TEXT,
) -> None:
    """Show the numbers that are opted out, the latest first; by number where --prefix is given."""
    from api.cli.remote import connect

    _refuse_what_does_not_go_together(output, limit, summary, file)
    asked = {
        "source": source,
        "from": since,
        "to": to,
        "number_prefix": None if prefix is None else number_from(prefix),
    }
    remote = connect(url, api_key, data_dir, "auditor")
    if summary:
        items = remote.post(f"{PATH}/summary", asked)["items"]
        print_rows(items, SUMMARY_COLUMNS, Table(output))
    elif output in MEDIA_TYPES:
        write_file(remote.file(PATH, asked, MEDIA_TYPES[output]), file)
    else:

        def ask(most: int | None) -> Rows:
            return remote.post_pages(PATH, most, asked)

        print_listed(ask, limit, COLUMNS, Table(output), "--output csv or json")


def _refuse_what_does_not_go_together(
    output: ReportOutput, limit: int | None, summary: bool, file: Path | None
) -> None:
    whole = output in MEDIA_TYPES and not summary
    if limit is not None and (whole or summary):
        raise CommandError("--limit goes with --output text or json: the others hold everything")
    if summary and output in (ReportOutput.NDJSON, ReportOutput.XLSX):
        raise CommandError("--summary is written as text, json or csv")
    if file is not None and not whole:
        raise CommandError("--file goes with --output csv, ndjson or xlsx")
    if output is ReportOutput.XLSX and file is None:
        raise CommandError("a spreadsheet needs a --file to be written to")
