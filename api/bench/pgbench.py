"""pgbench writing the rows of one command in one statement: what the database alone can do."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

TABLES: Final = {
    "events": "originator_id",
    "consent_status": "number_id",
    "opt_out_report": "number_id",
    "purpose_blocks": "number_id",
    "deferred_messages": "number_id",
    "numbers": "number_id",
    "words": "number_id",
    "claims": "number_id",
}
"""The tables that a command writes, each with its column of the number's id."""


class PgbenchError(Exception):
    """pgbench could not measure; the message is its own last line."""


def script_like(conn: psycopg.Connection[Any], number_id: Any) -> str:
    """A pgbench script that writes the same rows as were written for a number, for a fresh one."""
    parts = [
        part for table, key in TABLES.items() for part in _inserts(conn, table, key, number_id)
    ]
    named = ", ".join(f"p{i} AS ({part})" for i, part in enumerate(parts))
    return f"WITH fresh AS MATERIALIZED (SELECT gen_random_uuid() AS id), {named} SELECT 1;\n"


def _inserts(conn: psycopg.Connection[Any], table: str, key: str, number_id: Any) -> Iterable[str]:
    query = sql.SQL("SELECT * FROM {} WHERE {} = %s").format(
        sql.Identifier(table), sql.Identifier(key)
    )
    cursor = conn.execute(query, (number_id,))
    names = [column.name for column in cursor.description or ()]
    rows = cursor.fetchall()
    if not rows:
        return
    selects = [_select(conn, names, row, key) for row in rows]
    columns = ", ".join(f'"{name}"' for name in names)
    yield f"INSERT INTO {table} ({columns}) {' UNION ALL '.join(selects)}"


def _select(conn: psycopg.Connection[Any], names: list[str], row: Any, key: str) -> str:
    values = []
    for name, value in zip(names, row, strict=True):
        fresh = name == key or (name == "key" and "kind" in names)
        values.append("id" if fresh else sql.Literal(value).as_string(conn))
    return f"SELECT {', '.join(values)} FROM fresh"


def run(binaries: Path, database_url: str, script: Path, clients: int, seconds: float) -> float:
    """Transactions a second that pgbench makes of a script."""
    command = [
        str(binaries / "pgbench"),
        "--no-vacuum",
        f"--client={clients}",
        "--jobs=1",
        f"--time={max(1, round(seconds))}",
        "--protocol=prepared",
        f"--file={script}",
        database_url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it did not say why"]
        raise PgbenchError(f"pgbench failed: {said[-1]}")
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None, "pgbench printed no rate"
    return float(found[1])
