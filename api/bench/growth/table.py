"""The growth table: what each path costs on ledgers of different sizes, side by side."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import psycopg

from api.bench.bars import bar
from api.bench.growth import people
from api.bench.growth.database import report_pages, sizes
from api.bench.growth.ledgers import Ledger, ledger_of
from api.bench.reading import read_events
from api.bench.rebuilding import fold_some
from api.bench.run import (
    CHECK,
    CHECK_CONNECTIONS,
    COMMAND_CONNECTIONS,
    STOP,
    Bench,
)
from api.bench.spreads import spread

CHECK_AT_MOST: Final = 1.3
"""How much more a check may cost on the largest ledger than on the smallest."""
REPORT_MS: Final = 20
"""Database time of a page of the report on the largest ledger."""


def measure_growth(
    folder: Path,
    totals: Sequence[int],
    rounds: int,
    seconds: float,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Every path on every ledger, in turn, with numbers taken at random from all of them."""
    with ExitStack() as running:
        grown: dict[int, tuple[Ledger, Bench]] = {}
        for total in sorted(totals):
            ledger = running.enter_context(ledger_of(folder / str(total), total, progress))
            bench = Bench(ledger.database_url, ledger.account_id, ledger.keyring)
            running.enter_context(bench.servers(with_peers=False))
            grown[total] = ledger, bench
        found: dict[int, list[dict[str, Any]]] = {
            total: [{} for _ in range(rounds)] for total in grown
        }
        # Path by path: what a command leaves to be written out would fall on the checks after it.
        for name, path in PATHS.items():
            for turn in range(rounds + 1):
                for total, (ledger, bench) in grown.items():
                    progress(f"{name}, round {turn} of {rounds}: {total:,} numbers")
                    measured = path(ledger, bench, seconds)
                    # The first one warms the caches, as a ledger in use has them.
                    if turn:
                        found[total][turn - 1][name] = measured
        return _table(grown, found)


def _anywhere(ledger: Ledger) -> dict[str, Any]:
    """Each request is about any of the ledger's numbers."""
    return {
        "random": True,
        "numbers": ledger.total,
        "first": people.FIRST,
        "step": people.step(ledger.total),
    }


def _check(ledger: Ledger, bench: Bench, seconds: float) -> dict[str, Any]:
    return bench.load("/v1/checks", CHECK, CHECK_CONNECTIONS, seconds, **_anywhere(ledger))


def _command(ledger: Ledger, bench: Bench, seconds: float) -> dict[str, Any]:
    path = "/v1/inbound-messages"
    return bench.load(path, STOP, COMMAND_CONNECTIONS, seconds, **_anywhere(ledger))


def _report(ledger: Ledger, bench: Bench, seconds: float) -> dict[str, Any]:
    return report_pages(ledger.database_url, ledger.account_id)


def _log(ledger: Ledger, bench: Bench, seconds: float) -> dict[str, Any]:
    return read_events(ledger.database_url, seconds)


def _rebuild(ledger: Ledger, bench: Bench, seconds: float) -> dict[str, Any]:
    return {"rate": fold_some(ledger.database_url)}


PATHS: Final = {
    "check": _check,
    "report": _report,
    "log": _log,
    "rebuild": _rebuild,
    "command": _command,
}
"""What is measured on each ledger."""


def _table(
    grown: dict[int, tuple[Ledger, Bench]], found: dict[int, list[dict[str, Any]]]
) -> dict[str, Any]:
    smallest, largest = min(found), max(found)
    table = {}
    for total, rounds in found.items():
        with psycopg.connect(grown[total][0].database_url) as conn:
            table[str(total)] = sizes(conn) | _columns(rounds, found[smallest])
    dearest = max(table[str(largest)]["report_ms"].values())
    dearer = table[str(largest)]["check_beside_smallest"]["median"]
    return {
        "growth": table,
        "bars": {
            "a check on the largest ledger costs, beside the smallest": {
                "value": dearer,
                **bar(dearer, at_most=CHECK_AT_MOST),
            },
            "database time of a page of the report on the largest ledger, ms": {
                "value": dearest,
                **bar(dearest, at_most=REPORT_MS),
            },
        },
    }


def _columns(rounds: list[dict[str, Any]], smallest: list[dict[str, Any]]) -> dict[str, Any]:
    pages = rounds[0]["report"]
    return {
        "check_a_second": spread([each["check"]["rate"] for each in rounds]),
        "check_p50_ms": spread([each["check"]["p50_ms"] for each in rounds]),
        "check_p99_ms": spread([each["check"]["p99_ms"] for each in rounds]),
        "check_beside_smallest": spread(
            [
                one["check"]["rate"] / each["check"]["rate"]
                for one, each in zip(smallest, rounds, strict=True)
            ]
        ),
        "command_a_second": spread([each["command"]["rate"] for each in rounds]),
        "command_p99_ms": spread([each["command"]["p99_ms"] for each in rounds]),
        "report_ms": {page: max(each["report"][page] for each in rounds) for page in pages},
        "log_a_second": spread([each["log"]["rate"] for each in rounds]),
        "rebuild_a_second": spread([each["rebuild"]["rate"] for each in rounds]),
        "errors": sum(each[path]["errors"] for each in rounds for path in ("check", "command")),
    }
