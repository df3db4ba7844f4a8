"""What is wrong in a file, told as editors and build logs read it: file, line, field."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from api.cli.errors import BAD_USE, CommandError
from api.cli.options import Output
from api.cli.output import print_json
from api.cli.remote import ProblemError
from api.cli.set_up_file import SettingsFile, SetUpFileError, name_of, read_settings

Row = dict[str, Any]


def settings_of(path: str, output: Output) -> SettingsFile:
    """The settings in a file; ends the command where they cannot be read."""
    try:
        return read_settings(path)
    except SetUpFileError as error:
        rows = [{"line": each.line, "pointer": "", "detail": each.message} for each in error.faults]
        raise _told(path, rows, output) from None


@contextmanager
def telling_fields(below: str = "") -> Iterator[None]:
    """Tells what the service says of fields by their names, where no file has them.

    `below` is where in the body the fields are that the user named.
    """
    try:
        yield
    except ProblemError as error:
        if not error.errors:
            raise
        told = [(each["pointer"].removeprefix(below), each["detail"]) for each in error.errors]
        said = "; ".join(_said(*each) for each in told)
        raise CommandError(said, BAD_USE) from None


@contextmanager
def telling_lines(
    path: str, settings: SettingsFile, output: Output, below: str = ""
) -> Iterator[None]:
    """Tells what the service says of fields by the lines they stand on.

    `below` is where in the body the file's own fields are.
    """
    try:
        yield
    except ProblemError as error:
        if not error.errors:
            raise
        named = [{**each, "pointer": each["pointer"].removeprefix(below)} for each in error.errors]
        rows = [{**each, "line": settings.line_of(each["pointer"])} for each in named]
        raise _told(path, rows, output) from None


def _told(path: str, rows: Iterable[Row], output: Output) -> typer.Exit:
    ordered = sorted(rows, key=lambda row: int(row["line"]))
    if output is Output.JSON:
        print_json({"file": name_of(path), "errors": ordered})
    else:
        for row in ordered:
            print(_line(path, row), file=sys.stderr)
    return typer.Exit(BAD_USE)


def _line(path: str, row: Row) -> str:
    return f"{name_of(path)}:{row['line']}: {_said(row['pointer'], row['detail'])}"


def _said(pointer: str, detail: str) -> str:
    place = re.sub(r"/(\d+)(?=/|$)", r"[\1]", pointer).strip("/").replace("/", ".")
    return f"{place}: {detail}" if place else detail
