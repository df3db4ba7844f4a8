"""The folder of the server's socket: short, private, and gone when the server is."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consent_ledger.store.postgres_programs import Programs

PORT = 5432  # Only a part of the socket's file name: nothing listens on the network.
PREFIX = "consent-ledger-"
SOCKET_PATH_BYTES = 107  # sun_path holds 108 bytes on Linux, one of them the closing zero.


@contextmanager
def socket_folder(programs: Programs, note: Path) -> Iterator[Path]:
    """A folder that the server may write to, inside one that only the service's user may enter.

    Its path stands in the file `note` meanwhile, for `psql -h`, and for the next start to remove
    the folder if this process is killed.
    """
    _remove(Path(note.read_text()).parent)
    outer = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_parent()))
    inner = outer / "s"
    try:
        note.write_text(str(inner))
        inner.mkdir(mode=0o700)
        programs.give(inner)
        yield inner
    finally:
        _remove(outer)
        note.write_text("")


def _short_parent() -> str:
    longest = SOCKET_PATH_BYTES - len(f"/{PREFIX}12345678/s/.s.PGSQL.{PORT}")
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= longest else "/tmp"


def _remove(outer: Path) -> None:
    # The note lies in a folder that may be another user's: it is believed for folders like ours.
    if outer.name.startswith(PREFIX) and outer.is_dir() and outer.stat().st_uid == os.geteuid():
        shutil.rmtree(outer, ignore_errors=True)
