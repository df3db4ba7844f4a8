"""Which user runs PostgreSQL's programs: the service's own, or another when that one is root.

PostgreSQL refuses to be root. As root, its programs run as the cluster's owner, at first `postgres`
or `nobody`, with no user added and no permission widened: `Programs.reach` gets them into folders
that this user cannot enter, and what keeps it out keeps its other processes out too.

A sandbox may have no user but root. There the programs run in a user namespace that calls root by
another number, which gives them no right that the sandbox lacks.
"""

import ctypes
import os
import pwd
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNTS = ("postgres", "nobody")  # Both exist almost everywhere; fewer services share the first.
PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NO_OTHER_USER = "PostgreSQL cannot run as root: start the service as another user"

_libc = ctypes.CDLL(None, use_errno=True)


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be found, created or started; the text is one line."""


@dataclass(frozen=True)
class Account:
    """Who runs the programs when the service is root; `namespaced`: root, under this number."""

    name: str
    uid: int
    gid: int
    namespaced: bool = False


def account_for(cluster: Path) -> Account:
    """The owner of the cluster, or one of ACCOUNTS while it has none or root is the owner."""
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(f"user {owner.st_uid}", owner.st_uid, owner.st_gid)
    for name in ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(NO_OTHER_USER)


def identity(account: Account | None) -> dict[str, Any]:
    """What Popen needs to become the account, in a folder that every user may enter."""
    if account is None or account.namespaced:
        return {"cwd": "/"}
    return {"cwd": "/", "user": account.uid, "group": account.gid, "extra_groups": []}


def prepare(account: Account | None, parent: int) -> None:
    """Tie the child to the thread that started it; runs between the fork and the program.

    By then the child has changed its user, which would clear the signal. Away from Linux no signal
    comes: a killed service leaves its server running, and the next start fails until it is stopped.
    """
    if account and account.namespaced:
        _enter_namespace(account)
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    # For a parent that died before the line above, no signal comes either.
    if os.getppid() != parent:
        os._exit(1)


def _enter_namespace(account: Account) -> None:
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{account.uid} 0 1")
    Path("/proc/self/gid_map").write_text(f"{account.gid} 0 1")
