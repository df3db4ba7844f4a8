"""One run of the bench: every path beside its baselines, in turn, several rounds.

Rates of one machine say little; the ratios of a round say more, as its noise falls on both sides.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from api.auth import issue_key
from api.bench import growth, pgbench
from api.bench.load import FIRST_NUMBER, WARM_UP
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
START_SECONDS: Final = 30
LOAD_GRACE: Final = 30
"""Seconds that a load may take to begin and to end."""

CHECK: Final = '{"number":"NUMBER","purpose":"conversation"}'
MESSAGE: Final = '{"message_id":"ID","number":"NUMBER","purpose":"recall"}'
SCRUB: Final = "/v1/scrubs?purpose=conversation"
STOP: Final = '{"from":"NUMBER","to":"+14155550199","body":"STOP","message_id":"ID"}'


class Bench:
    """The servers of a run, and one measurement at a time."""

    def __init__(self, database_url: str, account_id: UUID, keyring: Keyring) -> None:
        self._database_url = database_url
        self._keyring = keyring
        with psycopg.connect(database_url, autocommit=True) as conn:
            self._key = issue_key(conn, keyring, account_id, Role.SENDER, "bench")[1]
        self._ports = {which: _free_port() for which in ("service", "empty")}
        self._fresh = 0

    @contextlib.contextmanager
    def servers(self) -> Iterator[None]:
        """Both servers, until the run is over."""
        running = [self._start(which) for which in self._ports]
        try:
            for port in self._ports.values():
                _await_port(port)
            yield
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(10)

    def _start(self, which: str) -> subprocess.Popen[bytes]:
        settings = {
            "BENCH_SERVER": which,
            "BENCH_PORT": str(self._ports[which]),
            "CONSENT_LEDGER_DATABASE_URL": self._database_url,
            "CONSENT_LEDGER_KEY": self._keyring.dump(),
            "CONSENT_LEDGER_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "api.bench.server"]
        return subprocess.Popen(command, env={**os.environ, **settings})

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
    ) -> dict[str, Any]:
        """Load on one path: rate, p50 and p99."""
        self._fresh += 1
        spec = {
            "port": self._ports[server],
            "path": path,
            "template": template,
            "connections": connections,
            "seconds": seconds,
            "key": self._key,
            "numbers": NUMBERS,
            "unique": unique,
            "offset": self._fresh * 1_000_000 if unique else 0,
            "warm_up": warm_up,
            "content_type": content_type,
            "run": f"{os.getpid()}-{self._fresh}",
        }
        command = [sys.executable, "-m", "api.bench.load"]
        done = subprocess.run(
            command,
            input=json.dumps(spec),
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + LOAD_GRACE,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def one_stop(self) -> UUID:
        """A number that said STOP, as the load says it; for pgbench to write the like of."""
        self.load("/v1/inbound-messages", STOP, 1, 0.05, unique=True)
        with psycopg.connect(self._database_url) as conn:
            return self._last(conn)

    def pgbench(self, script: str, seconds: float) -> dict[str, Any]:
        """What the database alone can do with the same rows."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            binaries = find_binaries(os.environ.get("CONSENT_LEDGER_POSTGRES_BIN"))
            rate = pgbench.run(
                binaries, self._database_url, Path(file.name), PGBENCH_CLIENTS, seconds
            )
        return {"rate": rate}

    def numbers_with(self, more: int) -> dict[str, str]:
        """Bodies about a number with few messages and about one with many."""
        bodies = {}
        with psycopg.connect(self._database_url, autocommit=True) as conn:
            for name, extra in (("few", 0), ("many", more)):
                self._fresh += 1
                number = f"+1{FIRST_NUMBER + 900_000_000 + self._fresh}"
                asked = MESSAGE.replace("NUMBER", number)
                self.load("/v1/messages", asked, 1, 0.0, unique=True, warm_up=0.1)
                if extra:
                    growth.grow(conn, self._last(conn), extra)
                bodies[name] = number
        return bodies

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
        with psycopg.connect(self._database_url) as conn:
            return pgbench.script_like(conn, number_id)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _await_port(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("a server of the bench did not start")


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
    """Every path beside its baselines: medians of the rates, and of the ratios of each round."""
    progress("loading numbers")
    for _ in range(2):
        bench.load("/v1/inbound-messages", STOP.replace('"ID"', '"seed-ID"'), 48, 2.0)
    script = bench.script()
    batch, rows = batch_body(), scrub_body()
    paths: dict[str, Callable[[], dict[str, Any]]] = {
        "check": lambda: bench.load("/v1/checks", CHECK, CHECK_CONNECTIONS, seconds),
        "constant": lambda: bench.load("/bench/constant", CHECK, CHECK_CONNECTIONS, seconds),
        "empty": lambda: bench.load("/empty", CHECK, CHECK_CONNECTIONS, seconds, server="empty"),
        "command": lambda: bench.load(
            "/v1/inbound-messages", STOP, COMMAND_CONNECTIONS, seconds, unique=True
        ),
        "pgbench": lambda: bench.pgbench(script, seconds),
        "batch": lambda: bench.load("/v1/checks/batch", batch, 1, seconds),
        "scrub": lambda: bench.load(SCRUB, rows, 1, seconds, content_type="text/csv"),
    }
    for name, number in bench.numbers_with(MANY).items():
        asked, checked = MESSAGE.replace("NUMBER", number), CHECK.replace("NUMBER", number)
        paths[f"command, {name} messages"] = _bound(bench, "/v1/messages", asked, seconds)
        paths[f"check, {name} messages"] = _bound(bench, "/v1/checks", checked, seconds)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in paths}
    for turn in range(rounds):
        for name, run in paths.items():
            progress(f"round {turn + 1} of {rounds}: {name}")
            found[name].append(run())
    return _summary(found)


def _bound(bench: Bench, path: str, body: str, seconds: float) -> Callable[[], dict[str, Any]]:
    """Load on one number over one connection: its latency is its cost."""
    return lambda: bench.load(path, body, 1, seconds, unique=True)


def _summary(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rates = {name: [run["rate"] for run in runs] for name, runs in found.items()}
    rates["batch"] = [rate * BATCH_ITEMS for rate in rates["batch"]]
    rates["scrub"] = [rate * SCRUB_ROWS for rate in rates["scrub"]]
    p99 = {name: [run.get("p99_ms", 0.0) for run in runs] for name, runs in found.items()}
    p50 = {name: [run.get("p50_ms", 0.0) for run in runs] for name, runs in found.items()}
    pairs = [
        ("check", "constant"),
        ("check", "empty"),
        ("command", "pgbench"),
        ("batch", "check"),
        ("scrub", "batch"),
        ("command, many messages", "command, few messages"),
        ("check, many messages", "check, few messages"),
    ]
    return {
        "paths": {
            name: {
                "rate": spread(rates[name]),
                "p50_ms": spread(p50[name]),
                "p99_ms": spread(p99[name]),
                "errors": sum(run.get("errors", 0) for run in found[name]),
            }
            for name in found
        },
        "ratios": {
            f"{one} / {other}": {
                "rate": spread([a / b for a, b in zip(rates[one], rates[other], strict=True)]),
                "p99": spread(
                    [a / b if b else 0.0 for a, b in zip(p99[one], p99[other], strict=True)]
                ),
            }
            for one, other in pairs
        },
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }
