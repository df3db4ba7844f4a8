"""The one statement by which a batch is written: events, read models, vault and claims.

One round trip and one place in the log for all of it; built once from the read models' columns.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final

from consent_ledger.store.binary import array
from consent_ledger.store.projection import Column, Projection

EVENTS: Final = (
    Column("originator_id", "uuid"),
    Column("originator_version", "integer"),
    Column("account_id", "uuid"),
    Column("position", "position"),
    Column("recorded_at", "bigint"),
    Column("topic", "text"),
    Column("state", "bytea"),
)
CLAIMS: Final = (
    Column("account_id", "uuid"),
    Column("kind", "smallint"),
    Column("key", "uuid"),
    Column("number_id", "uuid"),
    Column("version", "integer"),
    Column("body", "uuid"),
    Column("answer", "bytea"),
)
NUMBERS: Final = (
    Column("number_id", "uuid"),
    Column("account_id", "uuid"),
    Column("e164", "text"),
)
WORDS: Final = (
    Column("number_id", "uuid"),
    Column("version", "integer"),
    Column("account_id", "uuid"),
    Column("body", "text"),
)

BASE: Final = """
WITH place AS (
    SELECT ledger_base() AS base
)"""
"""A transaction's positions begin here."""
PLACES: Final = 1 << 20
"""Positions of one transaction (see ledger_base); JSON numbers hold them for 2^33 of those."""

Rows = Sequence[tuple[Any, ...]]


class WriteStatement:
    """The statement for a set of read models, and its parameters for a batch."""

    def __init__(self, projections: Sequence[Projection]) -> None:
        parts = [
            _insert("events", EVENTS, ""),
            _insert("claims", CLAIMS, ""),
            _insert("numbers", NUMBERS, "ON CONFLICT (number_id) DO NOTHING"),
            _insert("words", WORDS, ""),
        ]
        columns: list[Sequence[Column]] = [EVENTS, CLAIMS, NUMBERS, WORDS]
        for projection in projections:
            parts.append(_upsert(projection))
            columns.append(projection.columns)
            if projection.removes:
                parts.append(_delete(projection))
                columns.append(_key(projection))
        self._widths = [len(each) for each in columns]
        self._kinds = [_kind(column) for each in columns for column in each]
        named = [f"part_{i} AS ({part})" for i, part in enumerate(parts)]
        self.sql = f"{BASE},\n" + ",\n".join(named) + "\nSELECT base FROM place"
        numbered = count(1)
        self.numbered = re.sub("%b", lambda _: f"${next(numbered)}", self.sql)

    def parameters(self, row_sets: Iterable[Rows]) -> list[list[Any]]:
        """The parameters: a list for each column of each part, in the order of the parts.

        `row_sets`: events, claims, numbers, words, then for each read model its rows to put and,
        where it removes any, its keys to remove.
        """
        params: list[list[Any]] = []
        for width, rows in zip(self._widths, row_sets, strict=True):
            params.extend(_columns(rows, width))
        return params

    def binary(self, row_sets: Iterable[Rows]) -> list[bytes]:
        """The same for the text with numbered parameters, in binary."""
        return [
            array(kind, column)
            for kind, column in zip(self._kinds, self.parameters(row_sets), strict=True)
        ]


def _columns(rows: Rows, width: int) -> list[list[Any]]:
    if not rows:
        return [[] for _ in range(width)]
    return [list(column) for column in zip(*rows, strict=True)]


def _array(column: Column) -> str:
    return f"%b::{_kind(column)}[]"


def _kind(column: Column) -> str:
    return "bigint" if column.type == "position" else column.type


def _unnest(columns: Sequence[Column]) -> str:
    names = ", ".join(column.name for column in columns)
    return f"unnest({', '.join(map(_array, columns))}) AS given ({names})"


def _insert(table: str, columns: Sequence[Column], conflict: str) -> str:
    names = ", ".join(column.name for column in columns)
    values = ", ".join(map(_value, columns))
    return (
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {_unnest(columns)}, place {conflict}"
    )


def _value(column: Column) -> str:
    return "base + given.position" if column.type == "position" else f"given.{column.name}"


def _upsert(projection: Projection) -> str:
    # A row that keeps its position gives none; the insert needs a value that the update drops.
    columns, table = projection.columns, projection.table
    given = _insert(table, columns, "").replace(
        "base + given.position", "coalesce(base + given.position, -1)"
    )
    sets = ", ".join(
        f"{column.name} = {_updated(table, column)}"
        for column in columns
        if column.name not in projection.key
    )
    return f"{given} ON CONFLICT ({', '.join(projection.key)}) DO UPDATE SET {sets}"


def _updated(table: str, column: Column) -> str:
    if column.type != "position":
        return f"excluded.{column.name}"
    return f"CASE excluded.position WHEN -1 THEN {table}.position ELSE excluded.position END"


def _delete(projection: Projection) -> str:
    keys = _key(projection)
    match = " AND ".join(f"{projection.table}.{key.name} = given.{key.name}" for key in keys)
    return f"DELETE FROM {projection.table} USING {_unnest(keys)} WHERE {match}"


def _key(projection: Projection) -> list[Column]:
    types = {column.name: column for column in projection.columns}
    return [types[name] for name in projection.key]
