"""`consent-ledger --version`."""

from typing import Final

import typer

PACKAGE: Final = "consent-ledger"
NOT_INSTALLED: Final = "not installed"
"""Of a source tree that is run as it lies there."""


def show(asked: bool) -> None:
    """Prints the version and ends, where it is asked for."""
    if not asked:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        found = NOT_INSTALLED
    print(f"{PACKAGE} {found}")
    raise typer.Exit
