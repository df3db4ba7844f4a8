"""`consent-ledger import`: a list from elsewhere, with its opt-outs and consents."""

from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from api.cli.errors import BAD_USE, NO, CommandError
from api.cli.options import ApiKey, DataDir, Output, OutputOption, Table, Url
from api.cli.output import print_json, print_rows
from api.cli.scrub import MEDIA_TYPES, STDIN, ListFormat

FORMATS: Final = {
    ".csv": ListFormat.CSV,
    ".tsv": ListFormat.CSV,
    ".txt": ListFormat.CSV,
    ".ndjson": ListFormat.NDJSON,
    ".jsonl": ListFormat.NDJSON,
}
"""How a list is written, by the end of its name."""
LISTED: Final = ("created_at", "import_id", "state", "dry_run", "rows", "accepted", "rejected")
SHOWN: Final = 10
"""Refused rows that are shown; `--output json` and the service have all of them."""


def import_file(
    file: Annotated[
        str | None,
        typer.Argument(help="The list: .csv, .tsv, .txt, .ndjson or .jsonl; - is standard input."),
    ] = None,
    format: Annotated[
        ListFormat | None,
        typer.Option(help="By the name of the file, if not given; csv from standard input."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell the whole effect, and record nothing.")
    ] = False,
    undo: Annotated[
        UUID | None, typer.Option(help="Take the import of this id back, as a whole.")
    ] = None,
    follow: Annotated[
        UUID | None, typer.Option(help="Wait for the end of the import of this id.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Tell of the lists that were sent, the latest first.")
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Import a list of numbers; an opt-out on record always stays. Needs an admin's key.

    Ctrl-C does not end an import that is under way: it says how to follow it and to undo it.
    Exit status: 0 every row counts, 1 some were refused, 2 nothing was read, 130 interrupted.
    """
    from api.cli.import_progress import PATH, UNDO_SENT, ended, sent, telling_interrupts
    from api.cli.remote import connect

    wanted = [file, undo, follow, listed or None]
    if wanted.count(None) != 3 or (file is None and (dry_run or format)):
        said = "name one file to import, or an import to --follow or --undo, or ask for the --list"
        raise CommandError(said, BAD_USE)
    media_type = "" if file is None else MEDIA_TYPES[format or _format_of(file)]
    remote = connect(url, api_key, data_dir, "admin")
    if listed:
        _list(remote, output)
        return
    with telling_interrupts() as left:
        if file is not None:
            found = sent(remote, file, media_type, dry_run, output, left)
        elif follow is not None:
            found = remote.get(f"{PATH}/{follow}")
        else:
            left.message = UNDO_SENT
            found = remote.post(f"{PATH}/{undo}/undo", {})
        found = ended(remote, found, output, left)
        _tell(remote, found, output)
    if found["state"] == "failed":
        raise CommandError(f"the import failed: {found['failed_because']}", NO)
    if file is not None and not found["rows"] and _has_more(file, media_type):
        raise CommandError("no rows were read, and the list has something below its header", NO)
    if undo is None and (found["rejected"] or found["partly_rejected"]):
        # An opt-out among them is nowhere on record: a script has to stop here.
        raise typer.Exit(NO)


def _list(remote: Any, output: Output) -> None:
    """The imports themselves: what one needs to find the list that was wrong."""
    from api.cli.import_progress import PATH

    table = Table.JSON if output is Output.JSON else Table.TEXT
    print_rows(remote.pages(PATH, None), LISTED, table)


def _tell(remote: Any, found: dict[str, Any], output: Output) -> None:
    """The result, with the rows that were refused."""
    refused: list[dict[str, Any]] = []
    if found["rejected"] or found["partly_rejected"]:
        place = f"/v1/imports/{found['import_id']}/rows"
        most = None if output is Output.JSON else SHOWN
        refused = list(remote.pages(place, most, status="rejected"))
    if output is Output.JSON:
        print_json({**found, "rejected_rows": refused})
    else:
        _print(found, refused)


def _format_of(file: str) -> ListFormat:
    if file == STDIN:
        return ListFormat.CSV
    found = FORMATS.get(Path(file).suffix.lower())
    if found is None:
        raise CommandError(f"the name of a list ends in {', '.join(FORMATS)}", BAD_USE)
    return found


def _has_more(file: str, media_type: str) -> bool:
    """Whether a list is more than its header: a person has to see what became of the rest."""
    from api.cli.import_progress import PIECE
    from api.importing.records import Format, is_more_than_header

    if file == STDIN:
        return False
    with Path(file).open("rb") as opened:
        return is_more_than_header(opened.read(PIECE), Format(media_type))


def _print(found: dict[str, Any], refused: list[dict[str, Any]]) -> None:
    print(f"import {found['import_id']}: {found['state']}")
    for name in ("rows", "accepted", "unchanged", "rejected", "partly_rejected"):
        print(f"{name.replace('_', ' '):>16}  {found[name]:,}")
    for name in ("would_opt_out", "would_opt_in"):
        if name in found:
            print(f"{name.replace('_', ' '):>16}  {found[name]:,}")
    if found["state"] == "done" and not found["rows"]:
        print("the list has no rows")
    for row in refused:
        for problem in row["problems"]:
            column = f", {problem['column']}" if problem["column"] else ""
            print(f"row {row['row']}{column}: {problem['detail']} ({problem['code']})")
    more = found["rejected"] + found["partly_rejected"] - len(refused)
    if more > 0:
        print(f"and {more:,} more: --output json has all of them")
    if found["dry_run"]:
        print("dry run: nothing was recorded")
    elif found["same_as"]:
        print(f"the same file was import {found['same_as']}: nothing was recorded")
        print("what was said since stays; --undo that import first to have its rows count anew")
