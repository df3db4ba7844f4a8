"""The tables that triggers keep beside read models (migrations 0006 and 0008): compared, and filled
again.

They say again what `opt_out_report`, `purpose_blocks` and the vault say, so they are looked at once
those are what the events make of them.
"""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection

SHOWN: Final = """
SELECT o.account_id, o.number_id, n.e164, o.source, o.since
FROM opt_out_report o LEFT JOIN numbers n USING (number_id) WHERE o.shown"""
COUNTED: Final = """
SELECT account_id, day_of(since), source, count(*) FROM opt_out_report WHERE shown
GROUP BY 1, 2, 3"""
BLOCKED: Final = """
SELECT b.account_id, b.number_id, n.e164, b.purpose, b.since, b.version
FROM purpose_blocks b LEFT JOIN numbers n USING (number_id)"""
IS_SHOWN: Final = "SELECT account_id, number_id, e164, source, since FROM opt_outs_shown"
IS_COUNTED: Final = """
SELECT account_id, day, source, sum(numbers)::bigint FROM opt_out_counts
GROUP BY 1, 2, 3 HAVING sum(numbers) <> 0"""
IS_BLOCKED: Final = """
SELECT account_id, number_id, e164, purpose, since, version FROM blocks_shown"""

PAIRS: Final = {
    "opt_outs_shown": (SHOWN, IS_SHOWN, "account_id, number_id, e164, source, since"),
    "opt_out_counts": (COUNTED, IS_COUNTED, "account_id, day, source, numbers"),
    "blocks_shown": (BLOCKED, IS_BLOCKED, "account_id, number_id, e164, purpose, since, version"),
}
"""Table to what it should hold, what it holds, and its columns."""
KEYS: Final = {
    "opt_outs_shown": "number_id, source",
    "opt_out_counts": "account_id, day, source",
    "blocks_shown": "number_id, purpose",
}
"""By what a row is named; never by the number itself."""


def wrong_rows(conn: Connection[Any]) -> Iterator[tuple[str, str, str]]:
    """What differs, as (table, key, `missing` or `extra`)."""
    for table, (wanted, held, names) in PAIRS.items():
        for what, these, those in (("missing", wanted, held), ("extra", held, wanted)):
            rows = f"(({these}) EXCEPT ALL ({those})) AS found ({names})"
            with conn.cursor() as cursor:
                for row in cursor.stream(f"SELECT {KEYS[table]} FROM {rows}".encode()):
                    yield table, " ".join(map(str, row)), what


def fill(conn: Connection[Any]) -> None:
    """Fills all of them again; writers have to wait meanwhile."""
    for table, (wanted, _, names) in PAIRS.items():
        conn.execute(f"DELETE FROM {table}".encode())
        conn.execute(f"INSERT INTO {table} ({names}) {wanted}".encode())
