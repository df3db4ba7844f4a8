"""Every read model again, from the events alone: to compare with the live rows, or to put right.

Each number's events are folded in order and handed to the same `rows` that run as they commit, as
if all of them had come in one transaction, with their real positions for places in it.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection, sql

from consent_ledger.account import Account, evolve_account
from consent_ledger.facts import Event
from consent_ledger.held import Held, evolve_held
from consent_ledger.snapshot import Snapshot, snapshot_of
from consent_ledger.store.codec import encode_account
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.projection import Change
from projections.inline import PROJECTIONS

Row = tuple[Any, ...]

FETCH: Final = 10_000
"""Events in memory at a time, beside those of one number: a few megabytes."""

LOCK: Final = "LOCK TABLE consent_status, account_status, events IN EXCLUSIVE MODE"
"""In the order of the writers, who lock a number or an account before they add events: they wait
at the first, holding nothing. Those who only read go on."""

READ: Final = f"SELECT {COLUMNS} FROM events ORDER BY originator_id, originator_version"


class ReadModel(NamedTuple):
    """A table to be rebuilt: its columns, and those of its key."""

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


ACCOUNTS: Final = ReadModel("account_status", ("account_id", "version", "state"), ("account_id",))
"""Where an account stands, which no projection writes: it has no number."""
READ_MODELS: Final = (
    *(ReadModel(p.table, tuple(c.name for c in p.columns), p.key) for p in PROJECTIONS),
    ACCOUNTS,
)


class Difference(NamedTuple):
    """A row that is not what the events make of it: `missing`, `extra` or `different`."""

    table: str
    key: str
    what: str


def rebuilt_rows(conn: Connection[Any]) -> Iterator[tuple[str, Row]]:
    """The rows that the events make, each with its table; needs a transaction.

    UnreadableEventError where an event cannot be read: nothing may be rebuilt without it.
    """
    with conn.cursor(name="rebuild", binary=True) as cursor:
        cursor.itersize = FETCH
        cursor.execute(READ)
        for stream_id, events in groupby(map(MAPPER.event, cursor), lambda e: e.originator_id):
            stream = list(events)
            if stream_id == stream[0].account_id:
                yield ACCOUNTS.table, _account_row(stream_id, stream)
            else:
                yield from _number_rows(stream)


def _account_row(account_id: UUID, events: list[Event]) -> Row:
    account = Account(account_id)
    for event in events:
        account = evolve_account(account, event.fact)
    return account_id, account.version, encode_account(account)


def _number_rows(events: list[Event]) -> Iterator[tuple[str, Row]]:
    held: dict[str, Held] = {}
    for event in events:
        evolve_held(held, event)
    change = Change(
        account_id=events[0].account_id,
        number_id=events[0].originator_id,
        before=Snapshot(),
        after=snapshot_of(events),
        events=events,
        held_before={},
        held=held,
        ordinals={e.originator_version: e.position for e in events if e.position is not None},
    )
    for projection in PROJECTIONS:
        for row in projection.rows(change):
            yield projection.table, row


def compare(conn: Connection[Any]) -> list[Difference]:
    """What the live rows differ in; needs a transaction. Writers wait meanwhile, readers do not."""
    _load(conn)
    found: list[Difference] = []
    for model in READ_MODELS:
        found += [Difference(model.table, *row) for row in conn.execute(_differing(model))]
    return found


def rebuild(conn: Connection[Any]) -> list[Difference]:
    """Makes the live rows what the events say: what differed before. Needs a transaction.

    Rows that are right are not touched, and the others change at the commit: a check never sees a
    table half filled.
    """
    found = compare(conn)
    for model in READ_MODELS:
        conn.execute(_remove(model))
        conn.execute(_put(model))
    return found


def _load(conn: Connection[Any]) -> None:
    """Fills a temporary table beside each read model, while no event can be added."""
    conn.execute(LOCK)
    for model in READ_MODELS:
        conn.execute(_format("CREATE TEMP TABLE {new} (LIKE {table}) ON COMMIT DROP", model))
    waiting: dict[str, list[Row]] = {model.table: [] for model in READ_MODELS}
    for table, row in rebuilt_rows(conn):
        waiting[table].append(row)
        if len(waiting[table]) >= FETCH:
            _copy(conn, table, waiting)
    for model in READ_MODELS:
        _copy(conn, model.table, waiting)
        conn.execute(_format("ANALYZE {new}", model))


def _copy(conn: Connection[Any], table: str, waiting: dict[str, list[Row]]) -> None:
    model = next(model for model in READ_MODELS if model.table == table)
    statement = _format("COPY {new} ({columns}) FROM STDIN", model)
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in waiting[table]:
            copy.write_row(row)
    waiting[table] = []


def _differing(model: ReadModel) -> sql.Composed:
    return _format(
        """
        SELECT concat_ws(' ', {key}), CASE
            WHEN live IS NULL THEN 'missing' WHEN made IS NULL THEN 'extra' ELSE 'different' END
        FROM (SELECT {key}, ROW({columns}) AS live FROM {table}) AS a
        FULL JOIN (SELECT {key}, ROW({columns}) AS made FROM {new}) AS b USING ({key})
        WHERE live IS DISTINCT FROM made ORDER BY {key}""",
        model,
    )


def _remove(model: ReadModel) -> sql.Composed:
    return _format(
        """
        DELETE FROM {table} AS live WHERE NOT EXISTS (
            SELECT FROM {new} AS made WHERE {same})""",
        model,
    )


def _put(model: ReadModel) -> sql.Composed:
    return _format(
        """
        INSERT INTO {table} AS live ({columns}) SELECT {columns} FROM {new}
        ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({excluded})
        WHERE ROW({live}) IS DISTINCT FROM ROW({excluded})""",
        model,
    )


def _format(statement: str, model: ReadModel) -> sql.Composed:
    same = [sql.SQL("live.{0} = made.{0}").format(sql.Identifier(name)) for name in model.key]
    return sql.SQL(statement).format(
        table=sql.Identifier(model.table),
        new=sql.Identifier(f"rebuilt_{model.table}"),
        columns=sql.SQL(", ").join(map(sql.Identifier, model.columns)),
        key=sql.SQL(", ").join(map(sql.Identifier, model.key)),
        same=sql.SQL(" AND ").join(same),
        live=_of("live", model),
        excluded=_of("excluded", model),
    )


def _of(table: str, model: ReadModel) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) for name in model.columns)
