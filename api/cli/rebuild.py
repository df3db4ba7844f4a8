"""`consent-ledger rebuild`: the read models again, from the events."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from api.cli.errors import NO
from api.cli.options import DatabaseUrl, DataDir, Table, TableOption
from api.cli.output import print_rows


class Folded:
    """Counts events, and says how many."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._count = say, 0

    def __call__(self, count: int) -> None:
        """So many more."""
        self._count += count
        self._say(f"{self._count:,} events folded")


def rebuild(
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit status 1 where rows differ.")
    ] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    output: TableOption = Table.TEXT,
) -> None:
    """Make every read model what the events say, in one transaction; name the rows that differed.

    Needs the database owner's URL. Checks are answered meanwhile; what is told waits, but for
    --check, which nobody waits for.
    """
    from rich.console import Console

    from api.cli.database import database
    from consent_ledger.store.connection import connect_as_owner
    from projections import repair

    with (
        database(database_url, data_dir) as url,
        connect_as_owner(url) as conn,
        conn.transaction(),
        Console(stderr=True).status("reading the events") as status,
    ):
        folded = Folded(status.update)
        found = repair.compare(conn, folded) if check else repair.rebuild(conn, folded)
    if found or output is not Table.TEXT:
        print_rows([row._asdict() for row in found], ("table", "key", "what"), output)
    else:
        print("every read model is what the events say")
    if found.total > len(found):
        print(f"{found.total - len(found):,} more rows differ", file=sys.stderr)
    if check and found:
        raise typer.Exit(NO)
