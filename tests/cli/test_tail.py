"""The events as they are recorded, and the erasure of a person, on the command line."""

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Dev, Process, cli, running

CARA = "+14155550163"
DORA = "+14155550164"


def says(dev: Dev, number: str, text: str) -> None:
    """A contact texts."""
    said = dev.cli("simulate-inbound", "--from", number, "--body", text)
    assert said.returncode == 0, said.stderr


@pytest.fixture
def tail(dev: Dev) -> Iterator[Process]:
    """A tail that has begun: it shows what comes after a first event."""
    process = Process("tail", "--output", "json", "--data-dir", dev.folder)
    with running(process):
        time.sleep(2)
        yield process


def test_what_is_recorded_is_shown_until_ctrl_c(dev: Dev, tail: Process) -> None:
    """From now on, in order, without a number; Ctrl-C is no failure."""
    says(dev, CARA, "STOP")
    first = json.loads(tail.line())
    says(dev, CARA, "START")
    second: dict[str, Any] = first
    while second["data"]["type"] != "StartReceived":
        line = tail.line()
        assert CARA[2:] not in line
        second = json.loads(line)
    assert first["data"]["type"] == "StopReceived"
    assert first["subject"] == second["subject"]
    assert int(first["position"]) < int(second["position"])
    assert tail.end(signal.SIGINT) == 0


def test_a_tail_can_begin_earlier_and_leave_out_the_rest(dev: Dev) -> None:
    """For people: one line an event."""
    says(dev, CARA, "STOP")
    options = ("--since", "0", "--type", "StopReceived", "--data-dir", dev.folder)
    with running(Process("tail", *options)) as process:
        position, recorded_at, kind, number_id, who = process.line().split()
    assert position.isdigit()
    assert recorded_at.endswith("Z")
    assert (kind, who) == ("StopReceived", "contact")
    assert len(number_id) == 36


def test_what_an_account_did_is_shown_without_a_number(dev: Dev) -> None:
    """The first events of a ledger are of the account's set-up."""
    with running(Process("tail", "--since", "0", "--data-dir", dev.folder)) as process:
        _, _, kind, number_id, _ = process.line().split()
    assert (kind, number_id) == ("AccountOpened", "-")


def test_a_tail_that_cannot_be_is_one_line(dev: Dev) -> None:
    """A kind that no event has."""
    done = dev.cli("tail", "--type", "Nonsense")
    assert done.returncode == 2
    assert "unknown-type" in done.stderr


def test_a_person_is_erased_and_stays_opted_out(dev: Dev) -> None:
    """By number, which is given on standard input if it is not to be seen."""
    says(dev, DORA, "STOP")
    asked = ("erase", "-", "--yes", "--output", "json", "--data-dir", dev.folder)
    done = cli(*asked, said=f"{DORA}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["recorded"] == ["PersonalDataErased"]
    assert dev.cli("check", DORA, "--purpose", "recall").returncode == 1
    assert dev.cli("erase", DORA, "--yes").stdout.startswith("erased: ")
    # Off the report again, whose other tests know every number on it.
    says(dev, DORA, "START")
    assert dev.cli("check", DORA, "--purpose", "recall").returncode == 0


def test_nobody_is_erased_by_mistake(dev: Dev) -> None:
    """Without --yes a person has to be there to be asked; an unknown number is said to be one."""
    says(dev, CARA, "STOP")
    before = dev.cli("history", CARA, "--output", "json").stdout
    done = dev.cli("erase", CARA)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
    assert dev.cli("history", CARA, "--output", "json").stdout == before
    unknown = dev.cli("erase", "+14155550165", "--yes")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "4155" not in unknown.stderr
