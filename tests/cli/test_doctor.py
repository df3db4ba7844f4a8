"""`doctor` finds what would hurt, says what to do, and mends the positions after a restore."""

import asyncio
from uuid import uuid4

import pytest

from api.cli.examination import examine
from api.cli.opening import open_account
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import SERVICE_ROLE, connect_as_owner, connector
from tests.cli.conftest import Dev, cli


def troubles(database_url: str, ring: Keyring, *, fix: bool = False) -> list[str]:
    """The examinations that found something."""
    return [found.check for found in examine(database_url, ring, fix=fix) if not found.ok]


def test_a_running_dev_is_well(dev: Dev) -> None:
    """Every examination, on the data folder alone."""
    found = cli("doctor", "--data-dir", dev.folder, "--output", "csv")
    assert found.returncode == 0
    checks = [line.partition(",")[0] for line in found.stdout.splitlines()[1:]]
    assert checks == [
        "environment",
        "connection",
        "migrations",
        "key",
        "rights",
        "clock",
        "positions",
    ]


def test_positions_are_mended_after_a_restore(database_url: str) -> None:
    """A cluster with lower transaction ids would put new events before old ones."""
    ring = Keyring.generate()
    # As if the events came from a cluster that was a million transactions further.
    with connect_as_owner(database_url) as conn:
        conn.execute("UPDATE deployment SET xid_offset = 1000000")
        opened_at(database_url)
        conn.execute("UPDATE deployment SET xid_offset = 0")
    assert troubles(database_url, ring) == ["positions"]
    too_early = opened_at(database_url)
    assert troubles(database_url, ring, fix=True) == []
    assert opened_at(database_url) > 1_000_000 << 20 > too_early
    assert troubles(database_url, ring) == []


def opened_at(database_url: str) -> int:
    """The position at which a new account is opened."""
    account_id = uuid4()

    async def open_new() -> None:
        async with await connector(database_url)() as conn:
            await open_account(conn, account_id, "Clinic", "US", "opt-out")

    asyncio.run(open_new())
    with connect_as_owner(database_url) as conn:
        query = "SELECT max(position) FROM events WHERE originator_id = %s"
        row = conn.execute(query, (account_id,)).fetchone()
    assert row is not None
    return int(row[0])


def test_rights_on_events_are_found(database_url: str) -> None:
    """A role that could change an event is no witness."""
    with connect_as_owner(database_url) as conn:
        conn.execute(f"GRANT UPDATE ON events TO {SERVICE_ROLE}")
    assert troubles(database_url, Keyring.generate()) == ["rights"]


def test_another_key_is_found(database_url: str) -> None:
    """Without recording it."""
    with connect_as_owner(database_url) as conn:
        conn.execute("INSERT INTO key_generation (generation, check_value) VALUES (1, 'other')")
    assert troubles(database_url, Keyring.generate()) == ["key"]


def test_without_a_schema_the_rest_is_left_out(empty_database_url: str) -> None:
    """There is nothing to examine yet."""
    assert troubles(empty_database_url, Keyring.generate()) == ["migrations"]


def test_database_functions_are_found(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that would let events pass the read models."""
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "yes")
    assert troubles(database_url, Keyring.generate()) == ["environment"]
