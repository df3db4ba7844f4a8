"""`consent-ledger import`: a list from elsewhere, with its opt-outs and consents."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from api.cli.errors import BAD_USE, NO, CommandError
from api.cli.options import ApiKey, DataDir, Output, OutputOption, Url
from api.cli.output import print_json

PATH: Final = "/v1/imports"
MEDIA_TYPES: Final = {
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".txt": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
}
"""What a file is, by the end of its name."""
ENDED: Final = ("done", "failed", "undone")
GLANCE: Final = 0.2
"""Seconds between two questions how far it is."""
PIECE: Final = 1 << 20
SHOWN: Final = 10
"""Refused rows that are shown; `--output json` and the service have all of them."""


def import_file(
    file: Annotated[
        Path | None, typer.Argument(help="The list: .csv, .tsv, .txt, .ndjson or .jsonl.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell the whole effect, and record nothing.")
    ] = False,
    undo: Annotated[
        UUID | None, typer.Option(help="Take the import of this id back, as a whole.")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Import a list of numbers; an opt-out on record always stays. Needs an admin's key.

    Exit status: 0 every row counts, 1 some were refused, 2 nothing was read.
    """
    from api.cli.remote import Remote, connect

    if (file is None) == (undo is None) or (undo is not None and dry_run):
        raise CommandError("name one file to import, or an import to --undo", BAD_USE)
    media_type = None if file is None else _media_type(file)
    remote: Remote = connect(url, api_key, data_dir, "admin")
    if file is not None and media_type is not None:
        with _opened(file, output) as content:
            found = remote.send_file(PATH, content, media_type, dry_run=dry_run or None)
    else:
        found = remote.post(f"{PATH}/{undo}/undo", {})
    found = _ended(remote, found, output)
    refused: list[dict[str, Any]] = []
    incomplete = bool(found["rejected"] or found["partly_rejected"])
    if incomplete:
        place = f"{PATH}/{found['import_id']}/rows"
        every = found["rejected"] + found["partly_rejected"]
        refused = remote.pages(place, every if output is Output.JSON else SHOWN, status="rejected")
    if output is Output.JSON:
        print_json({**found, "rejected_rows": refused})
    else:
        _print(found, refused)
    if found["state"] == "failed":
        raise CommandError(f"the import failed: {found['failed_because']}", NO)
    if file is not None and not found["rows"] and _has_more(file):
        raise CommandError("no rows were read, and the list has something below its header", NO)
    if incomplete and undo is None:
        # An opt-out among them is nowhere on record: a script has to stop here.
        raise typer.Exit(NO)


def _media_type(file: Path) -> str:
    found = MEDIA_TYPES.get(file.suffix.lower())
    if found is None:
        raise CommandError(f"the name of a list ends in {', '.join(MEDIA_TYPES)}", BAD_USE)
    return found


def _has_more(file: Path) -> bool:
    """Whether a list is more than its header: a person has to see what became of the rest."""
    from api.importing.records import Format, is_more_than_header

    with file.open("rb") as opened:
        return is_more_than_header(opened.read(PIECE), Format(_media_type(file)))


@contextmanager
def _opened(file: Path, output: Output) -> Iterator[Iterator[bytes]]:
    """The bytes of a file, with a bar for those that are sent."""
    try:
        with file.open("rb") as opened, _bar("sending", output) as bar:
            size = file.stat().st_size

            def pieces() -> Iterator[bytes]:
                sent = 0
                while piece := opened.read(PIECE):
                    yield piece
                    sent += len(piece)
                    bar(sent, size)

            yield pieces()
    except OSError as error:
        raise CommandError(f"cannot read the file: {error.strerror}") from None


def _ended(remote: Any, found: dict[str, Any], output: Output) -> dict[str, Any]:
    with _bar("rows", output) as bar:
        while found["state"] not in ENDED:
            bar(found["rows"], None)
            time.sleep(GLANCE)
            found = remote.get(f"{PATH}/{found['import_id']}")
        bar(found["rows"], found["rows"])
    return found


@contextmanager
def _bar(name: str, output: Output) -> Iterator[Any]:
    """Draws progress on standard error, where a person looks on."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    shown = console.is_terminal and output is Output.TEXT
    with Progress(console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task(name, total=None)

        def move(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total, description=f"{name} {done:,}")

        yield move


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
