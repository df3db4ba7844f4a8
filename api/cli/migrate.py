"""`consent-ledger migrate`: bring the schema up to date."""

from api.cli.options import DatabaseUrl, DataDir, Output, OutputOption
from api.cli.output import print_json


def migrate(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, output: OutputOption = Output.TEXT
) -> None:
    """Apply the migrations that the database lacks, each in a transaction of its own."""
    from api.cli.database import database
    from consent_ledger.store import migrate as migrations
    from consent_ledger.store.connection import connect_as_owner

    with database(database_url, data_dir) as url, connect_as_owner(url) as conn:
        applied = migrations.migrate(conn)
    if output is Output.JSON:
        print_json({"applied": applied})
    else:
        print("\n".join(f"applied {name}" for name in applied) or "nothing to apply")
