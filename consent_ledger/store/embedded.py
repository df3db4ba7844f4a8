"""A PostgreSQL of our own: it starts with the service, stops with it and is never left behind.

`EmbeddedPostgres(data_dir)` owns `data_dir/postgres` (the cluster), `data_dir/postgres.log` and
`data_dir/lock`; other files in the folder are not touched. It listens on a unix socket only, in the
folder that `lock` names while it runs.

Who may connect is decided by the file system: the socket lies in a 0700 folder of the service's
user, so the cluster itself can trust whoever gets there. `peer` would not do, since the server and
the service are two users when the service is root; a password would only be one more file to keep.
The programs and their user: `postgres_programs.py` and `postgres_user.py`.
"""

import os
import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from consent_ledger.store.postgres_cluster import (
    SUPERUSER,
    create_cluster,
    end,
    open_folder,
    try_lock,
    until,
)
from consent_ledger.store.postgres_programs import Programs, find_binaries
from consent_ledger.store.postgres_socket import PORT, socket_folder
from consent_ledger.store.postgres_user import EmbeddedPostgresError

__all__ = ["DATABASE", "EmbeddedPostgres", "EmbeddedPostgresError", "find_binaries"]

DATABASE = "consent_ledger"
START_SECONDS = 300.0  # After a power cut it first replays up to max_wal_size, 1 GB.
ORPHAN_SECONDS = 30.0  # A killed service's server stops too: it writes at most 128 MB of buffers.
LOG_BYTES = 10_000_000  # Years of starts and stops; checked at each start, one old log is kept.

SETTINGS = {
    "cluster_name": DATABASE,
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    # Nothing replicates an embedded cluster, so its log need only survive a crash.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The caller gets every ERROR itself; in the log its text or DETAIL could show a phone number.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
}
# For tests: a crash of the machine may lose the cluster, a crash of the server loses nothing.
UNSAFE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One cluster in one folder, running between `start()` and `stop()`, or inside a `with`.

    `settings` are PostgreSQL's own, by name, and win over ours. `fsync=False` is for tests.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: Path | None = None,
        fsync: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._cluster = self.data_dir / "postgres"
        self._binaries = binaries
        self._fsync = fsync
        self._settings = SETTINGS | ({} if fsync else UNSAFE_SETTINGS) | dict(settings or {})
        self._resources = ExitStack()
        self._running: tuple[subprocess.Popen[bytes], Path] | None = None

    def start(self) -> Self:
        """Start the server, creating cluster and database when missing; returns when it is ready.

        Call it from the main thread: the kernel ends the server with the thread that started it.
        Raises EmbeddedPostgresError, at once when another service holds the folder.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedPostgresError("start the embedded PostgreSQL from the main thread")
        try:
            with ExitStack() as resources:
                self._bring_up(resources)
                self._resources = resources.pop_all()
        except (OSError, psycopg.Error) as error:
            reason = " ".join(str(error).split())
            raise EmbeddedPostgresError(f"cannot use {self.data_dir}: {reason}") from error
        return self

    def stop(self) -> None:
        """Stop the server, cutting its connections, and release the folder. Twice is harmless."""
        self._resources.close()

    def revive(self) -> bool:
        """Start the server again, at the same URL, where it died; whether it had.

        From the main thread, like `start`. What was acknowledged is in the log that it replays.
        """
        process, folder = self._require_running()
        if process.poll() is None:
            return False
        programs = self._programs()
        process = self._launch(programs, folder)
        self._resources.callback(end, process)
        self._await_ready(process, programs)
        self._running = process, folder
        return True

    @property
    def url(self) -> str:
        """The libpq URL of the service's database, as the cluster's superuser."""
        return self.url_for(DATABASE)

    def url_for(self, database: str) -> str:
        """The libpq URL of any database of this cluster; it changes with every start."""
        _, folder = self._require_running()
        host = quote(str(folder), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={PORT}"

    @property
    def pid(self) -> int:
        """The process id of the server's first process, the postmaster."""
        process, _ = self._require_running()
        return process.pid

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _require_running(self) -> tuple[subprocess.Popen[bytes], Path]:
        if self._running is None:
            raise EmbeddedPostgresError("the embedded PostgreSQL is not running")
        return self._running

    def _bring_up(self, resources: ExitStack) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self.data_dir / "lock"
        resources.callback(os.close, _lock_file(lock))
        programs = self._programs()
        if self._cluster.exists():
            programs.adopt(self._cluster)
        else:
            create_cluster(programs, self._cluster, sync=self._fsync)
        folder = resources.enter_context(socket_folder(programs, lock))
        process = self._launch(programs, folder)
        resources.callback(end, process)
        self._await_ready(process, programs)
        self._running = process, folder
        resources.callback(setattr, self, "_running", None)
        self._create_database()

    def _programs(self) -> Programs:
        log = self.data_dir / "postgres.log"
        _rotate(log)
        return Programs.for_cluster(self._cluster, self._binaries or find_binaries(), log)

    def _launch(self, programs: Programs, folder: Path) -> subprocess.Popen[bytes]:
        with open_folder(self._cluster) as cluster, open_folder(folder) as socket:
            # Every process of the server inherits this lock: it is free when the last one is gone.
            if not until(lambda: try_lock(cluster), ORPHAN_SECONDS):
                raise EmbeddedPostgresError(f"an earlier server still runs in {self._cluster}")
            # So its process is gone, and by now another one may have the number noted here.
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
            settings = {
                **self._settings,
                "unix_socket_directories": programs.reach(folder, socket),
            }
            options = [part for pair in settings.items() for part in ("-c", "=".join(pair))]
            reached = programs.reach(self._cluster, cluster)
            return programs.spawn("postgres", ["-D", reached, *options], [cluster, socket])

    def _await_ready(self, process: subprocess.Popen[bytes], programs: Programs) -> None:
        def settled() -> bool:
            return process.poll() is not None or self._says_ready(process.pid)

        if not until(settled, START_SECONDS):
            raise EmbeddedPostgresError(f"PostgreSQL is not ready after {START_SECONDS:.0f} s")
        if process.returncode is not None:
            raise EmbeddedPostgresError(f"PostgreSQL did not start: {programs.complaint()}")

    def _says_ready(self, pid: int) -> bool:
        """Read it from `postmaster.pid`: connecting too early would fill the log with refusals."""
        try:
            words = (self._cluster / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return words[:1] == [str(pid)] and words[-1] == "ready"

    def _create_database(self) -> None:
        with psycopg.connect(self.url_for("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute("CREATE DATABASE consent_ledger")


def _lock_file(path: Path) -> int:
    """The descriptor of a locked file; closing it, or the end of the process, is the release."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not try_lock(descriptor):
        os.close(descriptor)
        raise EmbeddedPostgresError(f"another service is using {path.parent}")
    return descriptor


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
