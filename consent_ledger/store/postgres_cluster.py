"""Making a cluster, and the waiting, stopping and locking that its supervisor needs too."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from consent_ledger.store.postgres_programs import Programs
from consent_ledger.store.postgres_user import EmbeddedPostgresError

SUPERUSER = "postgres"

POLL_SECONDS = 0.002  # A warm start takes 70 ms, so a longer nap would be most of the wait.
CREATE_SECONDS = 120.0  # initdb takes 0.7 s here; a slow disk syncs its 1,000 files in a minute.
FAST_STOP_SECONDS = 30.0  # A fast stop writes at most 128 MB of shared buffers.
IMMEDIATE_STOP_SECONDS = 10.0  # The postmaster kills what ignores it for 5 seconds.
KILL_SECONDS = 5.0  # The kernel's own work; the server's other processes see it and end.

# How PostgreSQL's programs stop, from the kindest on: after any of them no commit is lost.
STOPS = (
    (signal.SIGINT, FAST_STOP_SECONDS),
    (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS),
    (signal.SIGKILL, KILL_SECONDS),
)


def create_cluster(programs: Programs, cluster: Path, *, sync: bool) -> None:
    """Build the cluster aside and rename it, so that a crash leaves none half made.

    Raises EmbeddedPostgresError when initdb fails; the folder is then as before.
    """
    for leftover in cluster.parent.glob(f"{cluster.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{cluster.name}.new-", dir=cluster.parent))
    try:
        programs.give(fresh)
        _initdb(programs, fresh, sync=sync)
        fresh.rename(cluster)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    # Until the new name is on disk, a power cut could bring back a folder without the cluster.
    with open_folder(cluster.parent) as folder:
        os.fsync(folder)


def _initdb(programs: Programs, fresh: Path, *, sync: bool) -> None:
    options = ["--username", SUPERUSER, "--auth-local", "trust", "--auth-host", "reject"]
    options += ["--encoding", "UTF8", "--locale", "C", "--data-checksums", "--no-instructions"]
    options += [] if sync else ["--no-sync"]
    with open_folder(fresh) as folder:
        reached = programs.reach(fresh, folder)
        process = programs.spawn("initdb", ["-D", reached, *options], [folder])
    try:
        until(lambda: process.poll() is not None, CREATE_SECONDS)
    finally:
        end(process)
    if process.returncode != 0:
        raise EmbeddedPostgresError(f"PostgreSQL made no cluster: {programs.complaint()}")


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for the condition; False when it does not hold after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a program: SIGINT is PostgreSQL's fast stop, SIGQUIT its immediate one."""
    for kind, seconds in STOPS:
        process.send_signal(kind)
        if until(lambda: process.poll() is not None, seconds):
            return


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file or folder; False when someone else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """A descriptor of the folder, closed at the end; a program it was passed to keeps its own."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
