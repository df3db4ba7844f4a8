"""The read models are what the events say, and are made so again where they are not."""

import json

import pytest
from psycopg import Connection

from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connect_as_owner
from projections.rebuild import READ_MODELS, compare, rebuild, rebuilt_rows
from tests.cli.conftest import Dev, cli
from tests.cli.test_demo import tell

DAMAGE = (
    "UPDATE consent_status SET do_not_text = NOT do_not_text WHERE number_id = ANY(%s)",
    "DELETE FROM opt_out_report WHERE number_id = ANY(%s)",
    "UPDATE deferred_messages SET ready = NOT ready, position = 1 WHERE number_id = ANY(%s)",
    "INSERT INTO opt_out_report (number_id, account_id, source, since, version, channel)"
    " VALUES (gen_random_uuid(), gen_random_uuid(), 'agent', 1, 1, 'api')",
)


@pytest.mark.parametrize("preset", ["consent-first", "authorization"])
def test_live_rows_are_the_rebuilt_ones(database_url: str, preset: str) -> None:
    """Byte for byte, after a half year of every kind of fact."""
    tell(database_url, Keyring.generate(), preset)
    with connect_as_owner(database_url) as conn, conn.transaction():
        assert {table for table, _ in rebuilt_rows(conn)} == {m.table for m in READ_MODELS}
        assert compare(conn) == []


def test_damage_is_named_and_put_right(database_url: str) -> None:
    """Rows that are missing, extra or different; the rest is not touched."""
    tell(database_url, Keyring.generate(), "consent-first")
    with connect_as_owner(database_url) as conn:
        before = _rows(conn)
        found = conn.execute(
            "SELECT array_agg(number_id) FROM (SELECT DISTINCT number_id FROM opt_out_report"
            " NATURAL JOIN deferred_messages LIMIT 3) AS held"
        ).fetchone()
        assert found is not None
        for statement in DAMAGE:
            conn.execute(statement, found if "%s" in statement else None)
        with conn.transaction():
            damaged = rebuild(conn)
        assert {difference.what for difference in damaged} == {"missing", "extra", "different"}
        assert _rows(conn) == before
        with conn.transaction():
            assert compare(conn) == []


def _rows(conn: Connection[tuple[object, ...]]) -> list[list[tuple[object, ...]]]:
    return [
        sorted(conn.execute(f"SELECT * FROM {model.table}".encode()).fetchall(), key=str)
        for model in READ_MODELS
    ]


def test_the_command_compares_a_running_dev(dev: Dev) -> None:
    """While it serves; the exit status is the answer."""
    found = cli("rebuild", "--check", "--data-dir", dev.folder, "--output", "json")
    assert (found.returncode, json.loads(found.stdout)) == (0, [])
