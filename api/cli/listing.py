"""Rows of which there may be very many: people are shown the first, programs get all of them."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from api.cli.options import Table
from api.cli.output import print_rows

LIMIT: Final = 100
"""Rows of a text unless more are asked for: what fits a few screens."""
Rows = Iterable[Mapping[str, Any]]


def print_listed(
    ask: Callable[[int | None], Rows],
    limit: int | None,
    columns: Sequence[str],
    output: Table,
    others: str,
) -> None:
    """What is asked for by its greatest count, none for all; text says that there are more.

    A program that was given a part without a word would take it for the whole.
    """
    if output is not Table.TEXT:
        print_rows(ask(limit), columns, output)
        return
    most = limit or LIMIT
    rows = iter(ask(most + 1))  # One more tells whether there are more.
    print_rows(islice(rows, most), columns, output)
    if next(rows, None) is not None:
        sys.stdout.flush()
        said = f"the first {most:,} are shown, and there are more"
        print(f"{said}: --limit shows as many as it says, {others} all", file=sys.stderr)
