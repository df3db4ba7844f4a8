"""`consent-ledger doctor`: is this deployment as it should be?"""

from typing import Annotated

import typer

from api.cli.errors import NO
from api.cli.options import DatabaseUrl, DataDir, Key, Table, TableOption
from api.cli.output import print_rows


def doctor(
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Raise the offset of positions, as after restoring a dump."),
    ] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    key: Key = None,
    output: TableOption = Table.TEXT,
) -> None:
    """Examine database, schema, key, rights, clock and positions. Exit status 1: see to it."""
    from api.cli.database import database, key_ring
    from api.cli.examination import examine

    with database(database_url, data_dir) as url:
        found = examine(url, key_ring(key, database_url, data_dir), fix=fix)
    rows = [{**each._asdict(), "ok": "yes" if each.ok else "NO"} for each in found]
    print_rows(rows, ("check", "ok", "detail"), output)
    if not all(each.ok for each in found):
        raise typer.Exit(NO)
