"""A rebuild beside raw COPY of the events it reads."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing import active_children
from typing import Any, Final
from uuid import UUID

from api.bench.bars import bar
from api.bench.processes import watched
from api.bench.spreads import spread
from consent_ledger.store.connection import connect_as_owner
from consent_ledger.store.streams import Range, read_streams
from projections import repair
from projections.rebuild import rows_of

AT_LEAST: Final = 0.60
"""The bar: events rebuilt a second, beside events copied out raw."""
FOLDED: Final = 150_000
"""Numbers of the part that one process reads and folds by itself: some seconds."""
COUNT: Final = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM consent_status)"
EMPTY: Final = """
TRUNCATE consent_status, opt_out_report, deferred_messages, opt_outs_shown, opt_out_counts,
    purpose_blocks, blocks_shown"""


def measure_rebuild(
    database_url: str, rounds: int, *, writing: bool, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Events a second of each way of rebuilding, and of raw COPY in the same round.

    `writing` empties the read models first, so that every row is missing: not for a ledger in use.
    """
    ways: dict[str, Callable[[str], float]] = {
        "compare": _compare,
        "fold in one process": fold_some,
    }
    if writing:
        ways["write every row"] = _write
    found: dict[str, list[float]] = {name: [] for name in ways}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    with watched(_processes) as memory:
        for turn in range(rounds):
            for name, way in ways.items():
                progress(f"round {turn + 1} of {rounds}: {name}")
                before, rate, after = (
                    _copy_out(database_url),
                    way(database_url),
                    _copy_out(database_url),
                )
                found[name].append(rate)
                ratios[name].append(rate / ((before + after) / 2))
    return {
        "ratios": {
            f"{name} / copy out": {
                "rate": spread(values),
                "bar": bar(spread(values)["median"], at_least=AT_LEAST),
            }
            for name, values in ratios.items()
        },
        "events_a_second": {name: spread(values) for name, values in found.items()},
        "memory_mb": memory.peak_mb,
    }


def _processes() -> list[int]:
    """This one and those that fold for it, without the database that it may have started."""
    return [os.getpid(), *(child.pid for child in active_children() if child.pid is not None)]


def _copy_out(database_url: str) -> float:
    """The raw COPY, drained by a client that looks at nothing."""
    with connect_as_owner(database_url) as conn, conn.cursor() as cursor:
        count, began = 0, time.perf_counter()
        with cursor.copy("COPY events TO STDOUT") as copy:
            for _ in copy:
                count += 1
        return count / (time.perf_counter() - began)


def _compare(database_url: str) -> float:
    """Everything folded and compared with the live rows, as `rebuild --check` does."""
    folded = [0]
    with connect_as_owner(database_url) as conn, conn.transaction():
        began = time.perf_counter()
        found = repair.compare(conn, folded.append)
        seconds = time.perf_counter() - began
    if found.total:
        raise ValueError("the read models of the bench are not what the events say")
    return sum(folded) / seconds


def fold_some(database_url: str) -> float:
    """Read, decoded and folded into rows that go nowhere, by one process, of some numbers."""
    with connect_as_owner(database_url) as conn, conn.transaction():
        row = conn.execute(COUNT).fetchone()
        assert row is not None
        share = max(1, row[1] // FOLDED)
        count, began = 0, time.perf_counter()
        within = Range(None, UUID(int=(1 << 128) // share - 1))
        with closing(read_streams(conn, within=within)) as streams:
            for stream in streams:
                count += len(stream.events)
                for _ in rows_of(stream.events):
                    pass
        return count / (time.perf_counter() - began)


def _write(database_url: str) -> float:
    """Every row written again, as `rebuild` does where the read models are lost."""
    folded = [0]
    with connect_as_owner(database_url) as conn:
        conn.execute(EMPTY)
        with conn.transaction():
            began = time.perf_counter()
            repair.rebuild(conn, folded.append)
        return sum(folded) / (time.perf_counter() - began)
