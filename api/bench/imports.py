"""An import through the service, beside a raw COPY of the very rows that it wrote."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx2
import psycopg

from api.auth import issue_key
from api.bench.bars import MEMORY_MB, bar
from api.bench.live import Load, Onlooker, rates
from api.bench.load import HOST
from api.bench.processes import Memory
from api.bench.spreads import spread
from consent_ledger.keyring import Keyring
from consent_ledger.words import Role

FIRST: Final = 2_000_000_000
"""Numbers of the lists, where no load of the bench puts one."""
AT_LEAST: Final = 0.60
"""The bar: rows imported a second, beside rows copied raw."""
KEPT: Final = 0.50
"""The bar: what checks and commands keep of their rate while a list is imported."""
GLANCE: Final = 0.02
PATIENCE: Final = 600.0
"""Seconds that a request, or one import, may take at the most."""
PIECE: Final = 1 << 20
BESIDE: Final = "raw_copy"
"""The schema of the empty tables that the raw COPY fills."""

OF_NUMBERS: Final = "number_id IN (SELECT originator_id FROM imported)"
TABLES: Final = {
    "events": "originator_id IN (SELECT originator_id FROM imported)",
    "numbers": OF_NUMBERS,
    "consent_status": OF_NUMBERS,
    "opt_out_report": OF_NUMBERS,
    "opt_outs_shown": OF_NUMBERS,
    "opt_out_counts": "account_id = (SELECT account_id FROM imports"
    " WHERE import_id = (SELECT id FROM import))",
    "deferred_messages": OF_NUMBERS,
    "imports": "import_id = (SELECT id FROM import)",
    "import_units": "import_id = (SELECT id FROM import)",
}
"""The rows that an import leaves, by table; its file is gone by then, and not copied."""

BUSY: Final = "SELECT count(*) FROM imports WHERE state = 'running' AND line > 0"
WARM: Final = 0.5
"""Seconds of load before any is counted."""

Progress = Callable[[str], None]
Watch = Callable[[], AbstractContextManager[Memory]]


class ImportBench:
    """Lists sent to a service, and the database behind it."""

    def __init__(self, database_url: str, account_id: UUID, keyring: Keyring, port: int) -> None:
        self._database_url = database_url
        self._account_id = account_id
        with psycopg.connect(database_url, autocommit=True) as conn:
            keys = {
                role: issue_key(conn, keyring, account_id, role, "bench imports")[1]
                for role in (Role.ADMIN, Role.SENDER)
            }
        self._http, self._sender = (
            httpx2.Client(
                base_url=f"http://{HOST}:{port}",
                headers={"Authorization": f"Bearer {key}"},
                timeout=PATIENCE,
                trust_env=False,
            )
            for key in keys.values()
        )
        self._sent = 0

    def measure(
        self, rows: int, rounds: int, seconds: float, load: Load, watched: Watch, progress: Progress
    ) -> dict[str, Any]:
        """An import beside raw COPY, what live load keeps beside an import, and what the service
        and its worker hold of memory, with their bars."""
        with watched() as memory:
            copied = self.beside_copy(rows, rounds, progress)
            live = self.live_load(rows, seconds, load, progress)
        kept = live["during / before"]
        bars = {"import / copy": (copied["import / copy"]["median"], AT_LEAST)}
        bars |= {f"{name}, beside an import / without": (kept[name], KEPT) for name in kept}
        return {
            "imports": copied,
            "live": live,
            "bars": {
                **{
                    name: {"value": value, **bar(value, at_least=least)}
                    for name, (value, least) in bars.items()
                },
                "checks beside an import that said yes after a STOP": {
                    "value": live["stale_checks"],
                    **bar(live["stale_checks"], at_most=0),
                },
                **_memory_bar(memory),
            },
        }

    def beside_copy(self, rows: int, rounds: int, progress: Progress) -> dict[str, Any]:
        """Rows a second of an import and of a raw COPY of what it wrote, round by round."""
        found: dict[str, list[float]] = {"import": [], "copy": []}
        for turn in range(rounds):
            progress(f"round {turn + 1} of {rounds}: importing {rows:,} rows")
            self._settle()
            since, began = self._place(), time.perf_counter()
            import_id = self._import(rows)
            found["import"].append(rows / (time.perf_counter() - began))
            progress(f"round {turn + 1} of {rounds}: the same rows by COPY")
            found["copy"].append(rows / self._copy(import_id, since, rows))
        ratios = [one / other for one, other in zip(found["import"], found["copy"], strict=True)]
        return {
            "rows": rows,
            "rows_a_second": {name: spread(rates) for name, rates in found.items()},
            "import / copy": spread(ratios),
        }

    def live_load(
        self, rows: int, seconds: float, load: Load, progress: Progress
    ) -> dict[str, Any]:
        """Checks and commands a second without and with an import beside them, what a follower of
        the log waits for an event at the most, and how many checks right after a STOP said yes.

        The follower and the checks after a STOP are there both times.

        `lasted` is whether the import went on until the loads were over; else send more rows.
        """
        progress("checks and commands without an import")
        with Onlooker(self._sender):
            rates(load, WARM)
            before = rates(load, seconds)
        progress(f"the same while {rows:,} rows are imported")
        with ThreadPoolExecutor(1) as pool, Onlooker(self._sender) as onlooker:
            importing = pool.submit(self._import, rows)
            self._await_work()
            during = rates(load, seconds)
            lasted = not importing.done()
            importing.result()
        return {
            "rows": rows,
            "lasted": lasted,
            "before": before,
            "during": during,
            "during / before": {
                name: round(during[name]["rate"] / before[name]["rate"], 3) for name in before
            },
            "worst_gap_of_the_feed_ms": round(onlooker.worst_gap * 1_000, 1),
            "checks_after_a_stop": onlooker.stops,
            "stale_checks": onlooker.stale,
        }

    def _await_work(self) -> None:
        """Waits until an import has recorded something."""
        with self._connection() as conn:
            while conn.execute(BUSY).fetchone() == (0,):
                time.sleep(GLANCE)

    def _import(self, rows: int) -> UUID:
        """Sends a list of new numbers and waits for its end."""
        headers = {"Content-Type": "text/csv"}
        sent = self._http.post("/v1/imports", content=self._list(rows), headers=headers)
        found = sent.raise_for_status().json()
        until = time.monotonic() + PATIENCE
        while found["state"] in ("waiting", "running"):
            if time.monotonic() > until:
                raise TimeoutError("an import of the bench did not end")
            time.sleep(GLANCE)
            found = self._http.get(f"/v1/imports/{found['import_id']}").json()
        if found["state"] != "done" or found["accepted"] != rows:
            raise ValueError("an import of the bench was not accepted as a whole")
        return UUID(found["import_id"])

    def _list(self, rows: int) -> Iterator[bytes]:
        """The pieces of a list in which every number is new, and opted out."""
        first = FIRST + self._sent
        self._sent += rows
        piece = bytearray(b"number,sms_opt_out,ref\n")
        for number in range(first, first + rows):
            piece += b"+1%d,TRUE,lead-%d\n" % (number, number - first)
            if len(piece) >= PIECE:
                yield bytes(piece)
                piece.clear()
        yield bytes(piece)

    def _settle(self) -> None:
        """Writes out what earlier rounds left dirty, where the role may: no round pays for it."""
        with self._connection() as conn, contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            conn.execute("CHECKPOINT")

    def _place(self) -> int:
        """Where the log ends."""
        with self._connection() as conn:
            row = conn.execute("SELECT ledger_horizon()").fetchone()
        return int(row[0])

    def _connection(self) -> Any:
        return psycopg.connect(self._database_url, autocommit=True)

    def _copy(self, import_id: UUID, since: int, rows: int) -> float:
        """Seconds of a raw COPY of an import's rows into empty tables like those it is in."""
        with tempfile.TemporaryDirectory() as folder, self._connection() as conn:
            _note(conn, import_id, since)
            files = {
                table: _out(conn, table, where, Path(folder)) for table, where in TABLES.items()
            }
            conn.execute(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE".encode())
            conn.execute(f"CREATE SCHEMA {BESIDE}".encode())
            for table in TABLES:
                conn.execute(f"CREATE TABLE {BESIDE}.{table} (LIKE {table} INCLUDING ALL)".encode())
            self._settle()
            began = time.perf_counter()
            for table, file in files.items():
                _in(conn, table, file)
            seconds = time.perf_counter() - began
            copied = conn.execute(f"SELECT count(*) FROM {BESIDE}.numbers".encode()).fetchone()
            conn.execute(f"DROP SCHEMA {BESIDE} CASCADE".encode())
        if copied != (rows,):
            raise ValueError("the raw COPY of the bench has other rows than the import")
        return seconds


def _memory_bar(memory: Memory) -> dict[str, Any]:
    if memory.peak_mb is None:
        return {}
    peak = round(memory.peak_mb)
    return {"peak of memory, MB": {"value": peak, **bar(peak, at_most=MEMORY_MB)}}


def _note(conn: psycopg.Connection[Any], import_id: UUID, since: int) -> None:
    """Keeps for the connection which import it is, and which numbers it wrote."""
    conn.execute("CREATE TEMPORARY TABLE import AS SELECT %s::uuid AS id", (import_id,))
    conn.execute(
        "CREATE TEMPORARY TABLE imported AS SELECT DISTINCT originator_id FROM events"
        " WHERE position >= %s AND originator_id <> account_id",
        (since,),
    )


def _out(conn: psycopg.Connection[Any], table: str, where: str, folder: Path) -> Path:
    """A file of rows in the order in which they lie in their table."""
    file = folder / table
    statement = f"COPY (SELECT * FROM {table} WHERE {where} ORDER BY ctid) TO STDOUT"
    with file.open("wb") as out, conn.cursor().copy(statement.encode()) as copy:
        for data in copy:
            out.write(data)
    return file


def _in(conn: psycopg.Connection[Any], table: str, file: Path) -> None:
    statement = f"COPY {BESIDE}.{table} FROM STDIN"
    with file.open("rb") as rows, conn.cursor().copy(statement.encode()) as copy:
        while piece := rows.read(PIECE):
            copy.write(piece)
