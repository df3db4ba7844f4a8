"""The read models as they are, and as the events alone would have them."""

from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import Connection

from consent_ledger.facts import Event
from consent_ledger.fold import fold
from consent_ledger.held import Held, evolve_held
from consent_ledger.snapshot import Snapshot, counted, snapshot_of
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.projection import Change
from projections.inline import PROJECTIONS

Rows = dict[str, list[tuple[Any, ...]]]


def live_rows(conn: Connection[Any], numbers: list[UUID]) -> Rows:
    """The rows that these numbers have in every read model."""
    found: Rows = {}
    for each in PROJECTIONS:
        names = ", ".join(column.name for column in each.columns)
        read = f"SELECT {names} FROM {each.table} WHERE number_id = ANY(%s)"
        found[each.table] = conn.execute(read.encode(), (numbers,)).fetchall()
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def rebuilt_rows(conn: Connection[Any], numbers: list[UUID]) -> Rows:
    """The rows that one change from nothing makes of each number's whole stream."""
    read = f"""SELECT {COLUMNS} FROM events WHERE originator_id = ANY(%s)
        ORDER BY originator_id, originator_version"""
    events = [MAPPER.event(row) for row in conn.execute(read.encode(), (numbers,))]
    changes = [
        _change(number_id, list(stream))
        for number_id, stream in groupby(events, key=lambda event: event.originator_id)
    ]
    return {
        each.table: sorted((row for change in changes for row in each.rows(change)), key=repr)
        for each in PROJECTIONS
    }


def _change(number_id: UUID, events: list[Event]) -> Change:
    held: dict[str, Held] = {}
    for event in events:
        evolve_held(held, event)
    # Whole positions in the place of ordinals: the rows then hold what the tables do.
    places = {event.originator_version: event.position or 0 for event in events}
    account_id, snapshot = events[0].account_id, snapshot_of(events)
    # However the facts arrived, they add up to what all of them do in order of time.
    assert snapshot.standing == fold(counted(events))
    return Change(account_id, number_id, Snapshot(), snapshot, events, {}, held, places)
