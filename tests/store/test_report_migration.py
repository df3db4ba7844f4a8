"""A ledger of the first version has its report marked when it is migrated."""

import shutil
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from consent_ledger.store.migrate import MIGRATIONS, migrate

INSERT = """
INSERT INTO opt_out_report (number_id, source, account_id, since, version, channel)
VALUES (%s, %s, %s, 1, 1, 'api')"""
STANDING = [
    ({"contact", "system", "agent"}, "contact"),
    ({"contact", "agent"}, "contact"),
    ({"system", "agent"}, "system"),
    ({"agent"}, "agent"),
]


def test_the_hardest_opt_out_of_each_number_is_shown(
    empty_database_url: str, tmp_path: Path
) -> None:
    """R-V3: one row a number, for the opt-outs that were recorded before as well."""
    shutil.copy(Path(str(MIGRATIONS)) / "0001_ledger.sql", tmp_path)
    account, expected = uuid4(), set[tuple[UUID, str]]()
    with psycopg.connect(empty_database_url, autocommit=True) as conn:
        migrate(conn, tmp_path)
        for sources, hardest in STANDING:
            number = uuid4()
            expected.add((number, hardest))
            for source in sorted(sources):
                conn.execute(INSERT, (number, source, account))
        assert migrate(conn)[0] == "0002_opt_out_report"
        shown = conn.execute("SELECT number_id, source FROM opt_out_report WHERE shown").fetchall()
    assert set(shown) == expected
    assert len(shown) == len(STANDING)
