"""The eventsourcing library's own interfaces over the ledger."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import IntegrityError

from consent_ledger import commands as c
from consent_ledger.account import Account, evolve_account
from consent_ledger.account_facts import AccountOpened, PolicyAdopted
from consent_ledger.handlers import handle
from consent_ledger.moments import EARLIEST
from consent_ledger.phone_number import PhoneNumber
from consent_ledger.policy import preset
from consent_ledger.snapshot import Snapshot, snapshot_of
from consent_ledger.store.connection import service_conninfo
from consent_ledger.store.library import event_store, project_number, repository
from consent_ledger.words import ActorKind, Basis, Channel
from projections.inline import PROJECTIONS

MINUTE: Final = 60_000_000
NOW: Final = EARLIEST + 100 * MINUTE


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(service_conninfo(database_url), autocommit=True) as connection:
        yield connection


def account() -> Account:
    opened = evolve_account(Account(uuid4()), AccountOpened("Clinic", "US"))
    return evolve_account(opened, PolicyAdopted(preset("consent-first"), 0))


def hears(number: PhoneNumber, word: str, at: int) -> None:
    told = c.Told(ActorKind.CONTACT, Channel.SMS, at=EARLIEST + at * MINUTE, basis=Basis.PROVIDER)
    handle(number, c.ReceiveText(told, word, word, "1"))


def test_an_aggregate_saved_through_the_library_is_found_at_every_version(
    conn: psycopg.Connection[Any],
) -> None:
    """The repository reconstructs a number as it was, from the events that the store kept."""
    number = PhoneNumber(uuid4(), account(), Snapshot(), NOW)
    hears(number, "consent", 1)
    hears(number, "stop", 2)
    events = number.collect_events()
    event_store(conn, PROJECTIONS).put(events)
    found = repository(conn, PROJECTIONS)
    latest = found.get(number.id, projector_func=project_number)
    assert latest.snapshot == snapshot_of(events) == number.snapshot
    first = found.get(number.id, version=1, projector_func=project_number)
    assert first.snapshot.standing.contact is None
    assert first.snapshot.standing.grants


def test_the_rows_of_read_models_commit_with_the_events(conn: psycopg.Connection[Any]) -> None:
    """A STOP saved through the library is in the report and in the status at once."""
    number = PhoneNumber(uuid4(), account(), Snapshot(), NOW)
    hears(number, "stop", 2)
    event_store(conn, PROJECTIONS).put(number.collect_events())
    report = conn.execute("SELECT number_id, source FROM opt_out_report").fetchall()
    assert report == [(number.id, "contact")]
    status = conn.execute("SELECT opt_out_source, version FROM consent_status").fetchall()
    assert status == [("contact", number.version)]


def test_a_version_that_is_taken_is_refused_whole(conn: psycopg.Connection[Any]) -> None:
    """Two writers that start from the same version cannot both win (optimistic concurrency)."""
    number_id, of = uuid4(), account()
    one, other = (PhoneNumber(number_id, of, Snapshot(), NOW) for _ in range(2))
    hears(one, "stop", 2)
    hears(other, "start", 3)
    store = event_store(conn, PROJECTIONS)
    store.put(one.collect_events())
    with pytest.raises(IntegrityError):
        store.put(other.collect_events())
    assert [event.originator_version for event in store.get(number_id)] == [1]


def test_a_number_without_events_is_not_found(conn: psycopg.Connection[Any]) -> None:
    """The library's own error tells that a number was never heard of."""
    with pytest.raises(AggregateNotFoundError):
        repository(conn, PROJECTIONS).get(uuid4(), projector_func=project_number)
