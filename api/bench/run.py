"""One run of the bench: every path beside its peers, in turn, several rounds.

Rates of one machine say little; the ratios of a round say more, as its noise falls on both sides.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from api.auth import issue_key
from api.bench import library, peers, pgbench, releases
from api.bench.bars import MEMORY_MB, PAIRS, bar, judged
from api.bench.growth import messages
from api.bench.load import FIRST_NUMBER, WARM_UP
from api.bench.processes import Memory, Server, serving
from api.bench.reading import copy_events, read_events
from api.bench.spreads import spread
from consent_ledger.keyring import Keyring
from consent_ledger.store.embedded import find_binaries
from consent_ledger.words import Role

CHECK_CONNECTIONS: Final = 16
COMMAND_CONNECTIONS: Final = 48
PGBENCH_CLIENTS: Final = 16
NUMBERS: Final = 10_000
BATCH_ITEMS: Final = 10_000
SCRUB_ROWS: Final = 200_000
"""Rows of a list: enough that its processes work at the same time."""
MANY: Final = 100_000
"""Messages of the number that is beside one with a few."""
LOAD_GRACE: Final = 30
"""Seconds that a load may take to begin and to end."""

CHECK: Final = '{"number":"NUMBER","purpose":"conversation"}'
MESSAGE: Final = '{"message_id":"ID","number":"NUMBER","purpose":"recall"}'
SCRUB: Final = "/v1/scrubs?purpose=conversation"
STOP: Final = '{"from":"NUMBER","to":"+14155550199","body":"STOP","message_id":"ID"}'

Path_ = Callable[[], dict[str, Any]]
"""One measurement of a path: its rate, and what else is known."""


class Bench:
    """The servers of a run, and one measurement at a time."""

    def __init__(self, database_url: str, account_id: UUID, keyring: Keyring) -> None:
        self.database_url = database_url
        self._keyring = keyring
        with psycopg.connect(database_url, autocommit=True) as conn:
            self._key = issue_key(conn, keyring, account_id, Role.SENDER, "bench")[1]
        self._servers: dict[str, Server] = {}
        self._fresh = 0

    @contextlib.contextmanager
    def servers(self, *, with_peers: bool = True) -> Iterator[None]:
        """All servers, until the run is over."""
        settings = {
            "CONSENT_LEDGER_DATABASE_URL": self.database_url,
            "CONSENT_LEDGER_KEY": self._keyring.dump(),
            "CONSENT_LEDGER_LOG_LEVEL": "warning",
            "BENCH_KEY": self._key,
        }
        modules = {"service": ("api.bench.server", "service")}
        if with_peers:
            modules |= {
                "empty": ("api.bench.server", "empty"),
                "peers": ("api.bench.peers", "peers"),
            }
        self._servers = {
            name: Server(module, settings | {"BENCH_SERVER": which})
            for name, (module, which) in modules.items()
        }
        with serving(self._servers):
            yield

    def port(self, server: str) -> int:
        """Where a server listens."""
        return self._servers[server].port

    def watched(self, server: str = "service") -> AbstractContextManager[Memory]:
        """What a server and its processes hold of memory, until the block ends."""
        return self._servers[server].watched()

    def load(
        self,
        path: str,
        template: str,
        connections: int,
        seconds: float,
        *,
        unique: bool = False,
        server: str = "service",
        warm_up: float = WARM_UP,
        content_type: str = "application/json",
        numbers: int = NUMBERS,
        **more: Any,
    ) -> dict[str, Any]:
        """Load on one path: rate, p50 and p99, and the peak of the server's memory."""
        self._fresh += 1
        spec = {
            "port": self.port(server),
            "path": path,
            "template": template,
            "connections": connections,
            "seconds": seconds,
            "key": self._key,
            "numbers": numbers,
            "unique": unique,
            "offset": self._fresh * 1_000_000 if unique else 0,
            "warm_up": warm_up,
            "content_type": content_type,
            "run": f"{os.getpid()}-{self._fresh}",
            **more,
        }
        with self.watched(server) as memory:
            done = subprocess.run(
                [sys.executable, "-m", "api.bench.load"],
                input=json.dumps(spec),
                capture_output=True,
                text=True,
                check=True,
                timeout=seconds + LOAD_GRACE,
            )
        found: dict[str, Any] = json.loads(done.stdout)
        found["memory_mb"] = memory.peak_mb
        return found

    def one_stop(self) -> UUID:
        """A number that said STOP, as the load says it; for pgbench to write the like of."""
        self.load("/v1/inbound-messages", STOP, 1, 0.05, unique=True)
        with psycopg.connect(self.database_url) as conn:
            return self._last(conn)

    def pgbench(self, script: str, seconds: float) -> dict[str, Any]:
        """What the database alone can do with a statement."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            binaries = find_binaries(os.environ.get("CONSENT_LEDGER_POSTGRES_BIN"))
            rate = pgbench.run(
                binaries, self.database_url, Path(file.name), PGBENCH_CLIENTS, seconds
            )
        return {"rate": rate}

    def numbers_with(self, more: int) -> dict[str, str]:
        """A number with few messages and one with many."""
        numbers = {}
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            for name, extra in (("few", 0), ("many", more)):
                self._fresh += 1
                number = f"+1{FIRST_NUMBER + 900_000_000 + self._fresh}"
                asked = MESSAGE.replace("NUMBER", number)
                self.load("/v1/messages", asked, 1, 0.0, unique=True, warm_up=0.1)
                if extra:
                    messages.grow(conn, self._last(conn), extra)
                numbers[name] = number
        return numbers

    def _last(self, conn: psycopg.Connection[Any]) -> UUID:
        row = conn.execute(
            "SELECT number_id FROM consent_status ORDER BY position DESC LIMIT 1"
        ).fetchone()
        assert row is not None
        found: UUID = row[0]
        return found

    def script(self) -> str:
        """The rows of one STOP as a pgbench script."""
        number_id = self.one_stop()
        with psycopg.connect(self.database_url) as conn:
            return pgbench.script_like(conn, number_id)


def batch_body() -> str:
    """A batch check of the numbers that the bench loaded."""
    items = [{"number": f"+1{FIRST_NUMBER + i}"} for i in range(BATCH_ITEMS)]
    return json.dumps({"purpose": "conversation", "items": items})


def scrub_body() -> str:
    """A list to scrub, which begins with the numbers that the bench loaded."""
    rows = (f"Ann,+1{FIRST_NUMBER + i}\n" for i in range(SCRUB_ROWS))
    return "name,number\n" + "".join(rows)


def measure(
    bench: Bench, rounds: int, seconds: float, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Every path beside its peers: medians of the ratios of each round, and of the rates."""
    progress("loading numbers")
    for _ in range(2):
        bench.load("/v1/inbound-messages", STOP.replace('"ID"', '"seed-ID"'), 48, 2.0)
    with psycopg.connect(bench.database_url, autocommit=True) as conn:
        peers.prepare(conn, FIRST_NUMBER, NUMBERS)
    app = library.application(bench.database_url, PGBENCH_CLIENTS)
    try:
        paths = _paths(bench, app, seconds)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in paths}
        for turn in range(rounds):
            for name, run in paths.items():
                progress(f"round {turn + 1} of {rounds}: {name}")
                found[name].append(run())
    finally:
        app.close()
        with psycopg.connect(bench.database_url, autocommit=True) as conn:
            peers.forget(conn)
    return _summary(found)


def _paths(bench: Bench, app: library.Phones, seconds: float) -> Mapping[str, Path_]:
    """What is measured, peers next to what they are beside."""
    script = bench.script()
    check = partial(bench.load, template=CHECK, connections=CHECK_CONNECTIONS, seconds=seconds)
    stop = partial(
        bench.load, template=STOP, connections=COMMAND_CONNECTIONS, seconds=seconds, unique=True
    )
    paths: dict[str, Path_] = {
        "check": lambda: check("/v1/checks"),
        "constant": lambda: check("/bench/constant"),
        "empty": lambda: check("/empty", server="empty"),
        "plain select": lambda: check("/select", server="peers"),
        "table check": lambda: check("/checks", server="peers"),
        "command": lambda: stop("/v1/inbound-messages"),
        "pgbench same rows": lambda: bench.pgbench(script, seconds),
        "pgbench insert": lambda: bench.pgbench(peers.PGBENCH_INSERT, seconds),
        "table insert": lambda: stop("/inbound-messages", server="peers"),
        "app.save": lambda: library.saves(app, PGBENCH_CLIENTS, seconds),
        "release": lambda: releases.release_each(bench.load),
        "release next": lambda: releases.release_next(bench.load),
        "table release next": lambda: releases.table_release_next(bench.load, bench.database_url),
        "batch": _list(bench, "/v1/checks/batch", batch_body(), seconds, BATCH_ITEMS),
        "scrub": _list(bench, SCRUB, scrub_body(), seconds, SCRUB_ROWS, content_type="text/csv"),
        "log": lambda: read_events(bench.database_url, seconds),
        "copy out": lambda: copy_events(bench.database_url, seconds),
    }
    for name, number in bench.numbers_with(MANY).items():
        asked, checked = MESSAGE.replace("NUMBER", number), CHECK.replace("NUMBER", number)
        paths[f"command, {name} messages"] = _alone(bench, "/v1/messages", asked, seconds)
        paths[f"check, {name} messages"] = _alone(bench, "/v1/checks", checked, seconds)
    return paths


def _list(bench: Bench, path: str, body: str, seconds: float, items: int, **more: Any) -> Path_:
    """A list over one connection: its rate is that of its items."""

    def run() -> dict[str, Any]:
        found = bench.load(path, body, 1, seconds, **more)
        return {**found, "rate": found["rate"] * items}

    return run


def _alone(bench: Bench, path: str, body: str, seconds: float) -> Path_:
    """Load on one number over one connection: its latency is its cost."""
    return lambda: bench.load(path, body, 1, seconds, unique=True)


def _summary(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rates = {name: [run["rate"] for run in runs] for name, runs in found.items()}
    p99 = {name: [run.get("p99_ms", 0.0) for run in runs] for name, runs in found.items()}
    return {
        "ratios": {pair.name: judged(pair, rates, p99) for pair in PAIRS},
        "paths": {name: _path(runs) for name, runs in found.items()},
    }


def _path(runs: list[dict[str, Any]]) -> dict[str, Any]:
    path = {
        "rate": spread([run["rate"] for run in runs]),
        "p50_ms": spread([run.get("p50_ms", 0.0) for run in runs]),
        "p99_ms": spread([run.get("p99_ms", 0.0) for run in runs]),
        "errors": sum(run.get("errors", 0) for run in runs),
    }
    peaks = [run["memory_mb"] for run in runs if run.get("memory_mb")]
    if peaks:
        path["memory_mb"] = round(max(peaks))
        path["memory_bar"] = bar(max(peaks), at_most=MEMORY_MB)
    return path
