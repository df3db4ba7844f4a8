"""`consent-ledger scrub`: a list with the answer to each row, file to file."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.errors import CommandError
from api.cli.options import ApiKey, DataDir, Output, OutputOption, Url
from api.cli.output import print_json, write_file

if TYPE_CHECKING:
    from api.cli.scrub_summary import Summary

STDIN: Final = "-"
CHUNK: Final = 262_144
"""Bytes read at a time."""


class ListFormat(StrEnum):
    """How a list is written."""

    CSV = "csv"
    NDJSON = "ndjson"


MEDIA_TYPES: Final = {ListFormat.CSV: "text/csv", ListFormat.NDJSON: "application/x-ndjson"}
NDJSON_ENDINGS: Final = (".ndjson", ".jsonl")


def scrub(
    file: Annotated[str, typer.Argument(help="The list, or - to read it from stdin.")],
    purpose: Annotated[str, typer.Option(help="Why the texts would go out.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the rows to this file, not to stdout.")
    ] = None,
    format: Annotated[
        ListFormat | None, typer.Option(help="By the name of the file, if not given; else csv.")
    ] = None,
    location: Annotated[str | None, typer.Option(help="The location they are from.")] = None,
    sending_number_id: Annotated[
        str | None, typer.Option(help="The id of the number they are from.")
    ] = None,
    sent_by: Annotated[str | None, typer.Option(help="The user who sends them.")] = None,
    manual: Annotated[bool, typer.Option("--manual", help="A person sends them.")] = False,
    time_zone: Annotated[str | None, typer.Option(help="Where the contacts are.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Ask about every row of a list, at one moment; the summary counts the answers by reason."""
    from api.cli.remote import connect
    from api.cli.scrub_summary import Summary

    asked: dict[str, Any] = {
        "purpose": purpose,
        "location": location,
        "sending_number_id": sending_number_id,
        "sent_by": sent_by,
        "manual": "true" if manual else None,
        "time_zone": time_zone,
    }
    kind = format or _format_of(file)
    summary = Summary(kind is ListFormat.CSV)
    with ExitStack() as opened:
        source, size = _open(file, opened)
        remote = connect(url, api_key, data_dir, "sender")
        sent = _with_progress(source, size, opened)
        rows = remote.exchange("/v1/scrubs", asked, sent, MEDIA_TYPES[kind])
        write_file(summary.counting(rows), out)
    _tell(summary, output, sys.stderr if out is None else sys.stdout)


def _format_of(file: str) -> ListFormat:
    return ListFormat.NDJSON if file.lower().endswith(NDJSON_ENDINGS) else ListFormat.CSV


def _open(file: str, opened: ExitStack) -> tuple[IO[bytes], int | None]:
    if file == STDIN:
        return sys.stdin.buffer, None
    try:
        source = opened.enter_context(Path(file).open("rb"))  # noqa: SIM115
        return source, Path(file).stat().st_size
    except OSError as error:
        raise CommandError(f"cannot read the file: {error.strerror}") from None


def _with_progress(source: IO[bytes], size: int | None, opened: ExitStack) -> Iterator[bytes]:
    """The parts of a list; how much of it was sent is shown to whoever looks."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    shown = opened.enter_context(
        Progress(console=console, disable=not console.is_terminal, transient=True)
    )
    task = shown.add_task("scrubbing", total=size)
    while part := source.read(CHUNK):
        yield part
        shown.advance(task, len(part))


def _tell(summary: "Summary", output: Output, stream: IO[str]) -> None:
    if output is Output.JSON:
        print_json(summary.as_json(), stream)
        return
    print(f"{summary.rows:,} rows, {summary.may_text:,} may be texted", file=stream)
    for item in summary.items():
        said = f"{item['decision']}: {item['reason']}" if item["decision"] else item["error"]
        print(f"{item['rows']:>12,}  {said}", file=stream)
