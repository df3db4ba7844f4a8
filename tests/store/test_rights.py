"""What the service's own role may do: add events, and never change or remove one."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from consent_ledger.store.connection import service_conninfo

INSERT = "INSERT INTO events VALUES (%s, 1, %s, 1, 1, 'StopReceived', '')"
ERASABLE = {
    *("numbers", "words", "unparsed_words"),
    *("opt_out_report", "purpose_blocks", "deferred_messages"),
}
REPORT = {"opt_outs_shown", "opt_out_counts", "blocks_shown"}
"""Kept by triggers from read models and the vault, and filled again from them."""
ENDPOINTS = {"provider_endpoints", "webhook_endpoints"}
IMPORTS = {"import_parts", "import_units"}
"""A list goes when its import ends; verdicts of a dry run that begins anew, too."""


@pytest.fixture
def service(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the service has them, of a user without any other right."""
    with psycopg.connect(service_conninfo(database_url), autocommit=True) as conn:
        conn.execute("SET SESSION AUTHORIZATION consent_ledger_service")
        yield conn


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as migrations have them."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def test_the_service_can_add_events(service: psycopg.Connection[Any]) -> None:
    """The one thing that the ledger is for."""
    number = uuid4()
    service.execute(INSERT, (number, number))
    found = service.execute("SELECT originator_id FROM events").fetchall()
    assert found == [(number,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET state = ''",
        "DELETE FROM events",
        "TRUNCATE events",
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DROP TRIGGER events_are_for_ever ON events",
        "CREATE OR REPLACE FUNCTION events_are_for_ever() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "UPDATE deployment SET xid_offset = 0",
        "UPDATE key_generation SET check_value = ''",
        "DELETE FROM consent_status",
        "DROP TABLE consent_status",
        "DELETE FROM claims",
        "DELETE FROM schema_migrations",
        "CREATE TABLE more ()",
    ],
)
def test_the_service_can_not_change_what_was(
    service: psycopg.Connection[Any], statement: str
) -> None:
    """Events, the key's check values and the log's clock are out of its reach, and all tables."""
    number = uuid4()
    service.execute(INSERT, (number, number))
    with pytest.raises(errors.InsufficientPrivilege):
        service.execute(statement.encode())
    assert service.execute("SELECT count(*) FROM events").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET state = ''", "DELETE FROM events", "TRUNCATE events"]
)
def test_the_owner_is_refused_by_the_trigger(
    owner: psycopg.Connection[Any], statement: str
) -> None:
    """Whoever owns the tables cannot change an event by mistake either."""
    number = uuid4()
    owner.execute(INSERT, (number, number))
    with pytest.raises(errors.InsufficientPrivilege, match="never updated or deleted"):
        owner.execute(statement.encode())
    assert owner.execute("SELECT count(*) FROM events").fetchall() == [(1,)]


def test_the_service_may_delete_only_what_can_be_rebuilt_or_erased(
    owner: psycopg.Connection[Any],
) -> None:
    """The vault, for erasure, read models whose rows go, and addresses; nothing else."""
    deletable = owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind = 'r' AND has_table_privilege('consent_ledger_service', oid, 'DELETE')"
    ).fetchall()
    assert {name for (name,) in deletable} <= ERASABLE | REPORT | ENDPOINTS | IMPORTS
    rights = owner.execute(
        "SELECT right_ FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', "
        "'REFERENCES', 'TRIGGER']) AS right_ "
        "WHERE has_table_privilege('consent_ledger_service', 'events', right_)"
    ).fetchall()
    assert {right for (right,) in rights} == {"SELECT", "INSERT"}
