"""Where a command writes what was asked for."""

import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.output import write_file


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was there before stays where the new one breaks off, and nothing lies beside it."""

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    file = tmp_path / "list.csv"
    file.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_file(broken(), file)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("list.csv", b"old")]
    write_file([b"ne", b"w"], file)
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_stays_where_the_program_is_told_to_end(tmp_path: Path) -> None:
    """A list of customers would lie there, under a name that nobody looks for."""

    def ended() -> Iterator[bytes]:
        os.kill(os.getpid(), signal.SIGTERM)
        yield b"new"

    with pytest.raises(SystemExit):
        write_file(ended(), tmp_path / "list.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that it names is the one that was meant."""
    target, link = tmp_path / "a.csv", tmp_path / "b.csv"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_file([b"new"], link)
    assert (link.is_symlink(), target.read_bytes()) == (True, b"new")


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    """A pipe has a reader, and /dev/null is for all of the machine."""
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_file([b"one", b"two"], pipe)
    reader.join(10)
    assert read == [b"onetwo"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
