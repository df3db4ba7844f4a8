"""Ctrl-C while a list is imported: what goes on is said, and how to follow it and to undo it."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.conftest import SECONDS, Process, cli, running
from tests.cli.fake_service import FakeService, answering

IMPORT_ID: Final = "0b9a2c1e-5d6f-4a3b-8c7d-9e0f1a2b3c4d"
LIST: Final = "number,sms_opt_out\n+14155557001,TRUE\n"
COMMAND: Final = "consent-ledger import"
GOES_ON: Final = (
    f"consent-ledger: the import goes on: `{COMMAND} --follow {IMPORT_ID}` shows how far it is, "
    f"and `{COMMAND} --undo {IMPORT_ID}` takes it back once it has ended\n"
)
TOLD: Final = f"import {IMPORT_ID} is under way\n"


def state(name: str, **more: Any) -> dict[str, Any]:
    """An import as the service tells it."""
    counts = dict.fromkeys(("rows", "accepted", "unchanged", "rejected", "partly_rejected"), 0)
    told = {"import_id": IMPORT_ID, "state": name, "dry_run": False, "same_as": None}
    return {**told, **counts, "failed_because": None, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A list."""
    path = tmp_path / "leads.csv"
    path.write_text(LIST)
    return path


@pytest.fixture
def slow() -> Iterator[FakeService]:
    """A service whose imports never end."""
    with answering(lambda *_: (202, state("running"))) as service:
        yield service


def interrupted(process: Process) -> tuple[int, str, str]:
    """Presses Ctrl-C: the exit status, and what was said on both streams."""
    process.process.send_signal(signal.SIGINT)
    out, errors = process.process.communicate(timeout=SECONDS)
    return process.process.wait(), out, errors


def test_an_import_under_way_has_its_id_told_and_goes_on(slow: FakeService, file: Path) -> None:
    """The id as soon as there is one; at Ctrl-C a line that says how to follow and to undo."""
    with running(Process("import", file, *slow.options)) as process:
        assert process.process.stderr is not None
        assert process.process.stderr.readline() == TOLD
        assert interrupted(process) == (130, "", GOES_ON)
    assert [body.decode() for body in slow.whole if body] == [LIST]


def test_a_trial_is_said_to_record_nothing(file: Path) -> None:
    """The id is no part of the JSON on standard output."""
    options = ("--dry-run", "--output", "json")
    with (
        answering(lambda *_: (202, state("running", dry_run=True))) as service,
        running(Process("import", file, *options, *service.options)) as process,
    ):
        assert process.process.stderr is not None
        assert process.process.stderr.readline() == TOLD
        status, out, errors = interrupted(process)
    assert (status, out) == (130, "")
    assert errors.startswith("consent-ledger: the dry run goes on, and records nothing: ")
    assert f"--follow {IMPORT_ID}" in errors
    assert "--undo" not in errors


def test_a_list_that_was_cut_off_was_not_imported(slow: FakeService, tmp_path: Path) -> None:
    """Nothing of it was applied, and that is what is said."""
    pipe = tmp_path / "leads.csv"
    os.mkfifo(pipe)
    with running(Process("import", pipe, *slow.options)) as process, pipe.open("w") as opened:
        opened.write(LIST)
        opened.flush()
        found = interrupted(process)
    assert found == (130, "", "consent-ledger: the list was not sent whole: nothing was imported\n")
    assert slow.whole == []


def test_a_list_that_has_no_answer_yet_may_be_imported(file: Path) -> None:
    """It was sent whole, so nobody can say that nothing happens."""
    ended = threading.Event()

    def answer(*_: Any) -> tuple[int, Any]:
        ended.wait(SECONDS)
        return 202, state("running")

    with answering(answer) as service:
        with running(Process("import", file, *service.options)) as process:
            assert service.heard.wait(SECONDS)
            status, out, errors = interrupted(process)
        ended.set()
    assert (status, out) == (130, "")
    assert errors == (
        "consent-ledger: the list was sent whole, and its import may go on: "
        "the same command again tells its id\n"
    )


def test_an_undo_goes_on_too() -> None:
    """It is told to be one."""
    with (
        answering(lambda *_: (202, state("undoing"))) as service,
        running(Process("import", "--undo", IMPORT_ID, *service.options)) as process,
    ):
        assert process.process.stderr is not None
        assert process.process.stderr.readline() == f"import {IMPORT_ID} is being taken back\n"
        status, out, errors = interrupted(process)
    assert (status, out) == (130, "")
    assert errors == (
        "consent-ledger: the import is being taken back still: "
        f"`consent-ledger import --follow {IMPORT_ID}` shows how far it is\n"
    )


def test_an_import_is_followed_to_its_end() -> None:
    """Without the list; the exit status is that of the import."""
    states = [state("running"), state("running"), state("done", rows=3, accepted=3)]
    with answering(lambda *_: (200, states.pop(0))) as service:
        done = cli("import", "--follow", IMPORT_ID, *service.options)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"import {IMPORT_ID}: done")
    assert set(service.asked) == {f"GET /v1/imports/{IMPORT_ID}"}


def test_a_list_comes_from_standard_input() -> None:
    """CSV unless --format says otherwise."""
    with answering(lambda *_: (200, state("done", rows=1, accepted=1))) as service:
        done = cli("import", "-", *service.options, said=LIST)
        other = cli("import", "-", "--format", "ndjson", *service.options, said="{}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert (other.returncode, other.stderr) == (0, "")
    assert service.whole == [LIST.encode(), b"{}\n"]
