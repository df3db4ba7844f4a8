"""An import from the first byte sent to its end, and what an interrupt leaves of it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api.cli.errors import INTERRUPTED, CommandError
from api.cli.options import Output
from api.cli.remote import Remote
from api.cli.scrub import STDIN

PATH: Final = "/v1/imports"
ENDED: Final = ("done", "failed", "undone")
GLANCE: Final = 0.2
"""Seconds between two questions how far it is."""
PIECE: Final = 1 << 20
COMMAND: Final = "consent-ledger import"
CUT_OFF: Final = "the list was not sent whole: nothing was imported"
UNDO_SENT: Final = "the import may be taken back all the same: the same command again tells"
SENT: Final = (
    "the list was sent whole, and its import may go on: the same command again tells its id"
)


@dataclass
class Left:
    """What an interrupt would leave, in words; nothing where there is nothing to say."""

    message: str = ""


@contextmanager
def telling_interrupts() -> Iterator[Left]:
    """Ends the command with what is left where Ctrl-C is pressed, whenever that is."""
    left = Left()
    try:
        yield left
    except KeyboardInterrupt:
        raise CommandError(left.message, INTERRUPTED) from None


def sent(
    remote: Remote, file: str, media_type: str, dry_run: bool, output: Output, left: Left
) -> dict[str, Any]:
    """The service's answer to a list."""
    left.message = CUT_OFF

    def noting_the_end(content: Iterator[bytes]) -> Iterator[bytes]:
        yield from content
        left.message = SENT

    with _opened(file, output) as content:
        noted, trial = noting_the_end(content), dry_run or None
        found: dict[str, Any] = remote.send_file(PATH, noted, media_type, dry_run=trial)
    return found


def ended(remote: Remote, found: dict[str, Any], output: Output, left: Left) -> dict[str, Any]:
    """The import once it has ended; where that takes a while, its id is told at once."""
    left.message = _goes_on(found)
    if found["state"] not in ENDED:
        # Apart from the result: who loses this program still knows what to undo.
        print(_under_way(found), file=sys.stderr, flush=True)
    with _bar("rows", output) as bar:
        while found["state"] not in ENDED:
            bar(found["rows"], None)
            time.sleep(GLANCE)
            found = remote.get(f"{PATH}/{found['import_id']}")
    left.message = _goes_on(found)
    return found


def _under_way(found: dict[str, Any]) -> str:
    doing = "is being taken back" if found["state"] == "undoing" else "is under way"
    return f"import {found['import_id']} {doing}"


def _goes_on(found: dict[str, Any]) -> str:
    import_id = found["import_id"]
    follow = f"`{COMMAND} --follow {import_id}` shows how far it is"
    if found["state"] in ENDED:
        return f"the import has ended: {follow}"
    if found["state"] == "undoing":
        return f"the import is being taken back still: {follow}"
    if found["dry_run"]:
        return f"the dry run goes on, and records nothing: {follow}"
    undo = f"`{COMMAND} --undo {import_id}` takes it back once it has ended"
    return f"the import goes on: {follow}, and {undo}"


@contextmanager
def _opened(file: str, output: Output) -> Iterator[Iterator[bytes]]:
    """The bytes of a file or of standard input, with a bar for those that are sent."""
    try:
        path = 0 if file == STDIN else Path(file)
        with open(path, "rb", closefd=path != 0) as opened, _bar("sending", output) as bar:
            size = None if file == STDIN else Path(file).stat().st_size

            def pieces() -> Iterator[bytes]:
                sent = 0
                while piece := opened.read(PIECE):
                    yield piece
                    sent += len(piece)
                    bar(sent, size)

            yield pieces()
    except OSError as error:
        raise CommandError(f"cannot read the file: {error.strerror}") from None


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
