"""How a program ends whose output goes nowhere: a full disk, a reader that left."""

import os
import sys
from contextlib import suppress
from typing import Any, Final

from typer.core import TyperGroup

from api.cli.errors import BAD_USE, CommandError

UNREAD: Final = ""
"""Who stopped to read, as `head` does, wants to hear nothing."""


class Commands(TyperGroup):
    """All commands; the library would end one whose reader left with 1, which means no."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise CommandError(UNREAD, BAD_USE) from None


def unwritten(error: OSError) -> CommandError:
    """Standard output did not take what was written to it."""
    if isinstance(error, BrokenPipeError):
        return CommandError(UNREAD, BAD_USE)
    return CommandError(f"cannot write to standard output: {error.strerror}", BAD_USE)


def flush_output() -> CommandError | None:
    """Has all that was printed written, and says where it was not; then the rest is dropped."""
    if sys.stdout is None:  # The caller closed it: nobody wants to read.
        return None
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python flushes at its end too, and would end with a status of its own.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return unwritten(error)
    return None


def say(message: str) -> None:
    """One line on standard error, where somebody reads it; the exit status tells it too."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        print(f"consent-ledger: {message}", file=sys.stderr, flush=True)
