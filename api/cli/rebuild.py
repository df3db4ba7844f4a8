"""`consent-ledger rebuild`: the read models again, from the events."""

from typing import Annotated

import typer

from api.cli.errors import NO
from api.cli.options import DatabaseUrl, DataDir, Table, TableOption
from api.cli.output import print_rows


def rebuild(
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit status 1 where rows differ.")
    ] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    output: TableOption = Table.TEXT,
) -> None:
    """Make every read model what the events say, in one transaction; name the rows that differed.

    Needs the database owner's URL. Checks are answered meanwhile; what is told waits.
    """
    from api.cli.database import database
    from consent_ledger.store.connection import connect_as_owner
    from projections import rebuild as rebuilding

    with (
        database(database_url, data_dir) as url,
        connect_as_owner(url) as conn,
        conn.transaction(),
    ):
        found = rebuilding.compare(conn) if check else rebuilding.rebuild(conn)
    if found or output is not Table.TEXT:
        print_rows([row._asdict() for row in found], ("table", "key", "what"), output)
    else:
        print("every read model is what the events say")
    if check and found:
        raise typer.Exit(NO)
