"""What goes wrong on the command line is said in one line, without a number and without a trace."""

import re
from typing import Final

import typer

NO: Final = 1
"""The answer is no, or what was checked is not as it should be (contract section 8)."""
BAD_USE: Final = 2
"""The command could not be carried out as it was asked, or nobody answered."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells count it."""

_EXTRA: Final = re.compile(r"Got unexpected extra argument.*", re.DOTALL)


TOO_MANY: Final = "too many arguments: quote a number that has spaces"
"""Instead of what was too many: it may be a part of a number."""

OF_A_LIBRARY: Final = "Value error, "
"""How the library of the options begins what is wrong with a value: no word to whoever typed it."""


class CommandError(typer.TyperException):
    """A command that ends with a message of one line; `code` is the exit status."""

    def __init__(self, message: str, code: int = BAD_USE) -> None:
        super().__init__(message)
        self.exit_code = code


def explain(error: Exception) -> tuple[str, int]:
    """The line to show for an error, and the exit status."""
    if isinstance(error, CommandError):
        return error.message, error.exit_code
    if isinstance(error, typer.TyperException):
        said = error.format_message().replace(OF_A_LIBRARY, "")
        return _masked(_EXTRA.sub(TOO_MANY, said))
    # Never 1: who asks whether a text may go out would take a failure for the answer.
    return _known(error) or (f"failed ({type(error).__name__})", BAD_USE)


def _masked(message: str) -> tuple[str, int]:
    # Bad use is where a mistyped number would be echoed.
    from consent_ledger.masking import mask

    return mask(" ".join(message.split())), BAD_USE


def _known(error: Exception) -> tuple[str, int] | None:
    import psycopg

    from consent_ledger.keyring import KeyringError
    from consent_ledger.store.keys import KeyMismatchError
    from consent_ledger.store.log import RestoredLedgerError
    from consent_ledger.store.migrate import MigrationError
    from consent_ledger.store.postgres_user import EmbeddedPostgresError

    if isinstance(error, psycopg.OperationalError):
        return f"cannot use the database: {_of_database(error)}", BAD_USE
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        # The library's message repeats the URL, and with it the password.
        return "the database URL cannot be read", BAD_USE
    if isinstance(error, MigrationError):
        return f"cannot migrate: {_line(error)}", NO
    if isinstance(error, RestoredLedgerError):
        return _line(error), NO
    if isinstance(error, KeyMismatchError | KeyringError | EmbeddedPostgresError):
        return _line(error), BAD_USE
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return _masked(f"cannot use {error.filename}: {error.strerror}")
    return None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _of_database(error: Exception) -> str:
    """What the server or the network said; psycopg repeats it for every address of a name."""
    said = str(error).strip().splitlines() or ["it did not say why"]
    return _masked(said[0])[0]
