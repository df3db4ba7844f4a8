"""Rebuilding a whole database: several processes fold, and what differs is put right at once.

A check never sees a table half filled: rows that are right are not touched, and the others change
at the commit. Nothing is kept of the rows that agree, so memory does not grow with the ledger.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from psycopg import Connection, sql

from projections.folding import fold_everything
from projections.rebuild import MODELS, READ_MODELS, Differing, ReadModel
from projections.shown import fill, wrong_rows

LOCK: Final = "LOCK TABLE consent_status, account_status, events IN EXCLUSIVE MODE"
"""In the order of the writers, who lock a number or an account before they add events: they wait
at the first, holding nothing. Those who only read go on."""

NAMED: Final = 10_000
"""Differences that are named; of a table that is empty every row differs."""


class Difference(NamedTuple):
    """A row that is not what the events make of it: `missing`, `extra` or `different`."""

    table: str
    key: str
    what: str


class Differences(list[Difference]):
    """The first of the rows that differ, in order; `total` counts all."""

    total = 0

    def note(self, found: Iterable[Differing]) -> None:
        """Counts rows that differ, and names them while there is room."""
        self.name((each.table, " ".join(map(str, each.key)), each.what) for each in found)

    def name(self, found: Iterable[tuple[str, str, str]]) -> None:
        """The same of rows that are known by table and key, and how they differ."""
        for each in found:
            self.total += 1
            if len(self) < NAMED:
                self.append(Difference(*each))


Progress = Callable[[int], None]
"""Called with the number of events that were folded since the last call."""


def compare(conn: Connection[Any], progress: Progress = lambda count: None) -> Differences:
    """What the live rows differ in. Nobody waits for it."""
    found = Differences()
    for count, differing in fold_everything(conn):
        found.note(differing)
        progress(count)
    found.name(wrong_rows(conn))
    found.sort()
    return found


def rebuild(conn: Connection[Any], progress: Progress = lambda count: None) -> Differences:
    """Makes the live rows what the events say: what differed before. Needs a transaction.

    Writers wait meanwhile, readers do not.
    """
    found = Differences()
    conn.execute(LOCK)
    for model in READ_MODELS:
        conn.execute(_format("CREATE TEMP TABLE {made} (LIKE {table}) ON COMMIT DROP", model))
        conn.execute(_format("CREATE TEMP TABLE {gone} (LIKE {table}) ON COMMIT DROP", model))
        conn.execute(_format(_NULLABLE, model))
    for count, differing in fold_everything(conn):
        found.note(differing)
        _keep(conn, differing)
        progress(count)
    for model in READ_MODELS:
        conn.execute(_format("ANALYZE {made}", model))
        conn.execute(_format(_REMOVE, model))
        conn.execute(_format(_PUT, model))
    before = found.total
    found.name(wrong_rows(conn))
    if found.total > before:
        fill(conn)
    found.sort()
    return found


_NULLABLE: Final = "ALTER TABLE {gone} {dropped}"
_REMOVE: Final = "DELETE FROM {table} AS live USING {gone} AS gone WHERE {same}"
_PUT: Final = """
INSERT INTO {table} AS live ({columns}) SELECT {columns} FROM {made} ORDER BY {key}
ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({excluded})"""


def _keep(conn: Connection[Any], differing: list[Differing]) -> None:
    """Puts rows beside the live ones, until all are known."""
    for table, model in MODELS.items():
        made = [each.row for each in differing if each.table == table and each.row is not None]
        gone = [each.key for each in differing if each.table == table and each.row is None]
        names = [column.name for column in model.columns]
        _copy(conn, "made", model, names, made)
        _copy(conn, "gone", model, list(model.key), gone)


_SQL_TYPES: Final = {"position": "bigint"}


def _copy(
    conn: Connection[Any], what: str, model: ReadModel, names: list[str], rows: list[Any]
) -> None:
    if not rows:
        return
    types = {column.name: _SQL_TYPES.get(column.type, column.type) for column in model.columns}
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(f"{what}_{model.table}"),
        sql.SQL(", ").join(map(sql.Identifier, names)),
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([types[name] for name in names])
        for row in rows:
            copy.write_row(row)


def _format(statement: str, model: ReadModel) -> sql.Composed:
    names = [column.name for column in model.columns]
    same = [sql.SQL("live.{0} = gone.{0}").format(sql.Identifier(name)) for name in model.key]
    others = [name for name in names if name not in model.key]
    dropped = [sql.SQL("DROP COLUMN {}").format(sql.Identifier(name)) for name in others]
    return sql.SQL(statement).format(
        table=sql.Identifier(model.table),
        made=sql.Identifier(f"made_{model.table}"),
        gone=sql.Identifier(f"gone_{model.table}"),
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        key=sql.SQL(", ").join(map(sql.Identifier, model.key)),
        same=sql.SQL(" AND ").join(same),
        dropped=sql.SQL(", ").join(dropped),
        excluded=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in names),
    )
