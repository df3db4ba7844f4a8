"""`consent-ledger` as a person starts it: a process of its own, asked by other processes."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from consent_ledger.store.postgres_cluster import until
from tests import forked

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = "api.cli"
SECONDS: Final = 30
"""A command that takes longer hangs."""


def environment(**more: str) -> dict[str, str]:
    """The environment without what would answer for an option."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith("CONSENT_LEDGER_")}
    return kept | more


def cli(*arguments: str | Path, said: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return forked.run(PROGRAM, [*map(str, arguments)], environment(**env), said, SECONDS)


class Process:
    """A command that runs until it is ended."""

    def __init__(self, *arguments: str | Path, **env: str) -> None:
        self.process = forked.start(PROGRAM, [*map(str, arguments)], environment(**env))

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(self.process.stderr.read())
        return line

    def end(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal; the exit status."""
        self.process.send_signal(kind)
        self.process.communicate(timeout=SECONDS)
        return self.process.wait()


class Dev(Process):
    """A `dev` that is ready; `said` is its first line."""

    def __init__(self, *options: str | Path) -> None:
        super().__init__("dev", "--port", "0", "--output", "json", *options)
        self.said: dict[str, Any] = json.loads(self.line())
        self.folder = Path(self.said["data_dir"])

    def pids(self) -> list[int]:
        """Every process of it and its database."""
        postmaster = (self.folder / "postgres" / "postmaster.pid").read_text().split()[0]
        with psycopg.connect(self.said["database_url"]) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
        return [self.process.pid, int(postmaster), *(row[0] for row in rows)]

    def cli(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command against it."""
        return cli(command, *arguments, "--data-dir", self.folder)


@contextmanager
def running(process: Process) -> Iterator[Process]:
    """Ends a process that a test has not ended."""
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end()


def is_alive(pid: int) -> bool:
    """A zombie is not: it ended, and only its parent has not asked yet."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def all_end(pids: list[int]) -> bool:
    """Whether none of these processes is left, after a while."""
    return until(lambda: not any(map(is_alive, pids)), SECONDS)


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A `dev` with the demo, for tests that leave each other's numbers alone."""
    started = Dev("--data-dir", tmp_path_factory.mktemp("dev"))
    with running(started):
        yield started


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A `dev` without the demo, for tests that say themselves how the account is set up."""
    started = Dev("--no-demo", "--data-dir", tmp_path_factory.mktemp("bare"))
    with running(started):
        yield started
