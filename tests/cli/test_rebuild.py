"""The read models are what the events say, and are made so again where they are not."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from psycopg import Connection

from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connect_as_owner
from consent_ledger.store.mapper import UnreadableEventError
from projections import folding, repair
from projections.rebuild import READ_MODELS
from projections.repair import compare, rebuild
from projections.shown import IS_BLOCKED, IS_COUNTED, IS_SHOWN
from tests.cli.conftest import Dev, cli
from tests.cli.test_demo import tell
from tests.conftest import new_database

DAMAGE = (
    "UPDATE consent_status SET do_not_text = NOT do_not_text WHERE number_id = ANY(%s)",
    "DELETE FROM opt_out_report WHERE number_id = ANY(%s)",
    "UPDATE deferred_messages SET ready = NOT ready, position = 1 WHERE number_id = ANY(%s)",
    "INSERT INTO opt_out_report (number_id, account_id, source, since, version, channel)"
    " VALUES (gen_random_uuid(), gen_random_uuid(), 'agent', 1, 1, 'api')",
)


@pytest.fixture(scope="module")
def told(server_url: str, template: str) -> Iterator[str]:
    """The name of a database to copy: half a year of the demo under `consent-first`."""
    with new_database(server_url, template) as url:
        tell(url, Keyring.generate(), "consent-first")
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def told_url(server_url: str, told: str) -> Iterator[str]:
    """The URL of such a database that only this test uses."""
    with new_database(server_url, told) as url:
        yield url


@pytest.mark.parametrize("preset", ["consent-first", "authorization"])
def test_live_rows_are_the_rebuilt_ones(database_url: str, preset: str) -> None:
    """Byte for byte, after a half year of every kind of fact."""
    tell(database_url, Keyring.generate(), preset)
    with connect_as_owner(database_url) as conn, conn.transaction():
        for each in READ_MODELS:
            assert conn.execute(f"SELECT 1 FROM {each.table} LIMIT 1".encode()).fetchone()
        assert compare(conn) == []


def test_damage_is_named_and_put_right(told_url: str) -> None:
    """Rows that are missing, extra or different; the rest is not touched."""
    with connect_as_owner(told_url) as conn:
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


REPORT_DAMAGE = {
    "opt_outs_shown": (
        "DELETE FROM opt_outs_shown WHERE source = 'agent'",
        "UPDATE opt_outs_shown SET e164 = '+14155550100' WHERE source = 'contact'",
        "INSERT INTO opt_outs_shown SELECT * FROM opt_outs_shown LIMIT 2",
    ),
    "opt_out_counts": (
        "DELETE FROM opt_out_counts WHERE source = 'agent'",
        "INSERT INTO opt_out_counts SELECT * FROM opt_out_counts LIMIT 1",
        "INSERT INTO opt_out_counts VALUES (gen_random_uuid(), 5, 'agent', 3)",
    ),
    "blocks_shown": (
        "DELETE FROM blocks_shown WHERE purpose = 'recall'",
        "UPDATE blocks_shown SET e164 = '+14155550100', version = version + 1",
        "INSERT INTO blocks_shown SELECT * FROM blocks_shown LIMIT 1",
    ),
}


@pytest.mark.parametrize(
    ("table", "damage"), [(t, each) for t, every in REPORT_DAMAGE.items() for each in every]
)
def test_what_triggers_keep_is_compared_too(told_url: str, table: str, damage: str) -> None:
    """Rows that are lost, doubled or wrong; no difference names a number."""
    with connect_as_owner(told_url) as conn:
        before = _report_rows(conn)
        assert conn.execute(damage.encode()).rowcount > 0
        with conn.transaction():
            found = compare(conn)
        assert {each.table for each in found} == {table}
        assert not any("+" in each.key for each in found)
        with conn.transaction():
            assert rebuild(conn) == found
        with conn.transaction():
            assert compare(conn) == []
        assert _report_rows(conn) == before


def _report_rows(conn: Connection[tuple[object, ...]]) -> list[list[tuple[object, ...]]]:
    held = (IS_SHOWN, IS_COUNTED, IS_BLOCKED)
    return [sorted(conn.execute(each.encode()).fetchall(), key=str) for each in held]


def _rows(conn: Connection[tuple[object, ...]]) -> list[list[tuple[object, ...]]]:
    return [
        sorted(conn.execute(f"SELECT * FROM {model.table}".encode()).fetchall(), key=str)
        for model in READ_MODELS
    ]


def test_the_command_compares_a_running_dev(dev: Dev) -> None:
    """While it serves; the exit status is the answer."""
    found = cli("rebuild", "--check", "--data-dir", dev.folder, "--output", "json")
    assert (found.returncode, json.loads(found.stdout)) == (0, [])


def test_many_differences_are_counted_and_some_are_named(
    told_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a whole table was lost, memory does not grow with it."""
    monkeypatch.setattr(repair, "NAMED", 5)
    with connect_as_owner(told_url) as conn:
        count = conn.execute("DELETE FROM consent_status").rowcount
        with conn.transaction():
            found = repair.compare(conn)
    assert (len(found), found.total) == (5, count)
    assert {each.what for each in found} == {"missing"}


def test_several_processes_find_what_one_does(
    told_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each folds a part of the numbers; a row without any event is found as well."""
    with connect_as_owner(told_url) as conn:
        before = _rows(conn)
        for statement in DAMAGE:
            some = "SELECT array_agg(number_id) FROM (SELECT number_id FROM consent_status LIMIT 9)"
            params = conn.execute(f"{some} AS found".encode()).fetchone()
            conn.execute(statement, params if "%s" in statement else None)
        with conn.transaction():
            alone = repair.compare(conn)
        monkeypatch.setattr(folding, "IS_LARGE", "SELECT true")
        folded: list[int] = []
        with conn.transaction():
            assert list(repair.rebuild(conn, folded.append)) == list(alone)
        assert _rows(conn) == before
        events = conn.execute("SELECT count(*) FROM events").fetchone()
    assert alone.total > 9
    assert (sum(folded),) == events


@pytest.mark.parametrize("large", ["SELECT false", "SELECT true"])
def test_an_unreadable_event_stops_a_rebuild(
    told_url: str, monkeypatch: pytest.MonkeyPatch, large: str
) -> None:
    """Rows that are made without it could open what it closed: nothing is changed."""
    monkeypatch.setattr(folding, "IS_LARGE", large)
    with connect_as_owner(told_url) as conn:
        conn.execute("DELETE FROM opt_out_report")
        conn.execute(
            "INSERT INTO events SELECT originator_id, originator_version + 1000, account_id,"
            " position, recorded_at, 'Unheard', state FROM events ORDER BY position DESC LIMIT 1"
        )
        with pytest.raises(UnreadableEventError), conn.transaction():
            repair.rebuild(conn)
        assert conn.execute("SELECT count(*) FROM opt_out_report").fetchone() == (0,)
