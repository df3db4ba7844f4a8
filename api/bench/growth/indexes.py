"""Keys and indexes, taken away while tables are filled and built again afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection

CONSTRAINTS: Final = """
SELECT conrelid::regclass::text, conname,
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
        conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u')"""
INDEXES: Final = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"""


@contextmanager
def without_indexes(conn: Connection[Any], tables: Sequence[str]) -> Iterator[None]:
    """Row by row an index of random ids costs many times what building it at the end does."""
    constraints = conn.execute(CONSTRAINTS, (list(tables),)).fetchall()
    indexes = conn.execute(INDEXES, (list(tables),)).fetchall()
    for table, name, _ in constraints:
        conn.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
    for name, _ in indexes:
        conn.execute(f"DROP INDEX {name}".encode())
    yield
    for statement in [each[-1] for each in (*constraints, *indexes)]:
        conn.execute(statement.encode())
