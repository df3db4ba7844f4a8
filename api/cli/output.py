"""Results on standard output: for people, for programs, for spreadsheets."""

import csv
import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final

from api.cli.errors import CommandError
from api.cli.options import Table

NARROW: Final = 200
"""Columns for a table that goes to a file or a pipe, where nobody's window breaks the lines."""


def print_json(value: Any, stream: IO[str] | None = None) -> None:
    """One JSON document on one line, on standard output unless another stream is named."""
    print(json.dumps(value, default=str), file=stream, flush=True)


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], output: Table) -> None:
    """Rows with these columns: JSON keeps every field, CSV and text those named."""
    if output is Table.JSON:
        _print_json_list(rows)
    elif output is Table.CSV:
        writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _cell(row.get(name)) for name in columns} for row in rows)
    else:
        _print_table(rows, columns)


def _print_json_list(rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON list on one line, written as the rows come: there may be very many."""
    before = "["
    for row in rows:
        print(before, json.dumps(row, default=str), sep="", end="")
        before = ", "
    print("]" if before != "[" else "[]", flush=True)


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _shown(value: Any) -> str:
    """A cell as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Drawn

    drawn = Drawn(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        drawn.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(_shown(row.get(name))) for name in columns))

    class Shown(Console):
        """The library would end a program whose reader left with 1, which means no."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Shown()
    if not console.is_terminal:
        console = Shown(width=NARROW)
    console.print(drawn)


def number_from(argument: str) -> str:
    """The number of an argument; `-` reads a line of standard input, which `ps` does not show."""
    return sys.stdin.readline().strip() if argument == "-" else argument


@contextmanager
def _told_to_end() -> Iterator[None]:
    """SIGTERM ends the program as Ctrl-C does: by an exception, so that no part of a file stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(chunk: bytes) -> None:
    from api.cli.ending import unwritten

    try:
        sys.stdout.buffer.write(chunk)
        if not chunk:
            sys.stdout.buffer.flush()
    except OSError as error:
        raise unwritten(error) from None


def write_file(chunks: Iterable[bytes], file: Path | None) -> None:
    """Writes as it comes, to standard output where no file is named.

    A file is there whole or not at all, and for its owner alone; what is no file, such as
    /dev/null or a pipe, is written to as it is.
    """
    if file is None:
        for chunk in chunks:
            _write(chunk)
        _write(b"")
        return
    try:
        file = file.resolve()
        if file.exists() and not file.is_file():
            with file.open("wb") as opened:
                opened.writelines(chunks)
            return
        with (
            _told_to_end(),
            NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as part,
        ):
            try:
                part.writelines(chunks)
                part.close()
                os.replace(part.name, file)
            except BaseException:
                os.unlink(part.name)
                raise
    except OSError as error:
        raise CommandError(f"cannot write the file: {error.strerror}") from None
