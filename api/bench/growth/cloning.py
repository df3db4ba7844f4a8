"""The histories of some numbers, repeated for others by SQL.

A repetition is one transaction, as a batch of the writer is: its positions begin where the ledger's
own function says, and keep the order of the originals. A number's id stands in its rows as a uuid
and, inside of bytes, as 32 hexadecimal digits; both become the other number's.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection

from api.bench.growth.telling import Claimed


class Cloned(NamedTuple):
    """A table of numbers: the column of the number's id, and what becomes of some columns."""

    table: str
    key: str
    changed: dict[str, str]


def _own(column: str) -> str:
    """The column's bytes with the other number's id in them; its text is already hexadecimal."""
    return f"decode(replace({column}_hex, t.digits, f.digits), 'hex')"


def _text(column: str) -> str:
    return f"replace(t.{column}, t.plain, f.plain)"


CLAIM_KEY: Final = """
encode(substr(sha256(decode(
    replace(replace(hashed_hex, t.digits, f.digits), t.plain, f.plain), 'hex')), 1, 16),
    'hex')::uuid"""
"""As `api.submit.digest` makes it; an inbound text's has the number's id as bytes, too."""

TABLES: Final = (
    Cloned("events", "originator_id", {"position": "base + t.place_in_it", "state": _own("state")}),
    Cloned(
        "consent_status",
        "number_id",
        {"position": "base + t.place_in_it", "snapshot": _own("snapshot")},
    ),
    Cloned("opt_out_report", "number_id", {}),
    Cloned("purpose_blocks", "number_id", {}),
    Cloned(
        "deferred_messages",
        "number_id",
        {
            "message_id": _text("message_id"),
            "position": "base + t.place_in_it",
            "held": _own("held"),
        },
    ),
    Cloned("words", "number_id", {}),
    Cloned("claims", "number_id", {"key": CLAIM_KEY, "answer": _own("answer")}),
    Cloned("numbers", "number_id", {"e164": "f.e164"}),
    Cloned("opt_outs_shown", "number_id", {"e164": "f.e164"}),
    Cloned("blocks_shown", "number_id", {"e164": "f.e164"}),
)
"""Every table that has rows of a number."""
WITHOUT_TRIGGERS: Final = "SET LOCAL session_replication_role = replica"
"""What they would write is repeated too; without indexes each would search whole tables."""
COUNTS: Final = """
WITH gone AS (DELETE FROM opt_out_counts)
INSERT INTO opt_out_counts (account_id, day, source, numbers)
SELECT account_id, day_of(since), source, count(*) FROM opt_outs_shown GROUP BY 1, 2, 3"""
"""How many opt-outs there are by day and source, which the triggers would have counted."""

FRESH: Final = """
CREATE TEMP TABLE fresh (
    place integer, id uuid, e164 text, plain text, digits text
)"""
PUT_FRESH: Final = "COPY fresh (place, id, e164, plain, digits) FROM STDIN (FORMAT BINARY)"
ORIGINALS: Final = "CREATE TEMP TABLE originals (place integer PRIMARY KEY, id uuid UNIQUE)"
PUT_ORIGINALS: Final = "COPY originals (place, id) FROM STDIN (FORMAT BINARY)"
PLACES: Final = """
CREATE TEMP TABLE places AS
SELECT position, row_number() OVER (ORDER BY position) - 1 AS place_in_it
FROM events JOIN originals ON originals.id = originator_id"""
CLAIMED: Final = "CREATE TEMP TABLE claimed (key uuid, kind smallint, hashed bytea)"
PUT_CLAIMED: Final = "COPY claimed (key, kind, hashed) FROM STDIN (FORMAT BINARY)"


class Cloning:
    """The rows of numbers whose histories were told, kept beside, and their repetitions."""

    def __init__(self, conn: Connection[Any], originals: Sequence[UUID], claimed: Claimed) -> None:
        self._conn = conn
        for statement in (FRESH, ORIGINALS, CLAIMED):
            conn.execute(statement.encode())
        _copy(conn, PUT_ORIGINALS, ("int4", "uuid"), enumerate(originals))
        # A text that was asked about again is there twice.
        _copy(conn, PUT_CLAIMED, ("uuid", "int2", "bytea"), dict.fromkeys(claimed))
        conn.execute(PLACES.encode())
        self._statements = [self._prepare(each) for each in TABLES]
        for table in ("originals", "claimed", "places", *(f"t_{t.table}" for t in TABLES)):
            conn.execute(f"ANALYZE {table}".encode())

    def _prepare(self, cloned: Cloned) -> bytes:
        """Keeps the originals' rows of a table; the statement that repeats them."""
        table, key, changed = cloned
        columns = [
            row[0]
            for row in self._conn.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND NOT attisdropped ORDER BY attnum",
                (table,),
            )
        ]
        extra = [
            "originals.place",
            "replace(originals.id::text, '-', '') AS plain",
            "encode(convert_to(replace(originals.id::text, '-', ''), 'UTF8'), 'hex') AS digits",
        ]
        extra += [f"encode({c}, 'hex') AS {c}_hex" for c in changed if _own(c) == changed[c]]
        joined = f"{table} AS t JOIN originals ON originals.id = t.{key}"
        if "position" in changed:
            joined += " JOIN places USING (position)"
            extra.append("place_in_it")
        if table == "claims":
            joined += " JOIN claimed USING (key, kind)"
            extra.append("encode(hashed, 'hex') AS hashed_hex")
        self._conn.execute(
            f"CREATE TEMP TABLE t_{table} AS SELECT t.*, {', '.join(extra)} FROM {joined}".encode()
        )
        values = [changed.get(c, "f.id" if c == key else f"t.{c}") for c in columns]
        return (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM t_{table} AS t JOIN fresh AS f USING (place),"
            " (SELECT ledger_base() AS base) AS here"
        ).encode()

    def repeat(self, numbers: Iterable[tuple[UUID, str]]) -> None:
        """The originals' histories again, for as many other numbers, in the originals' order."""
        with self._conn.transaction():
            self._conn.execute(WITHOUT_TRIGGERS.encode())
            self._conn.execute(b"TRUNCATE fresh")
            rows = (
                (place, id, e164, id.hex, id.hex.encode().hex())
                for place, (id, e164) in enumerate(numbers)
            )
            _copy(self._conn, PUT_FRESH, ("int4", "uuid", "text", "text", "text"), rows)
            for statement in self._statements:
                self._conn.execute(statement)

    def count(self) -> None:
        """Counts the opt-outs, when all is repeated."""
        self._conn.execute(COUNTS.encode())


def _copy(conn: Connection[Any], statement: str, types: Sequence[str], rows: Iterable[Any]) -> None:
    with conn.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
