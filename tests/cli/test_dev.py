"""`dev` answers when it says so, keeps what it was told and leaves nothing behind."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from api.demo.cast import EXAMPLE
from consent_ledger.store.postgres_cluster import until
from tests.cli.conftest import ROOT, SECONDS, Dev, Process, all_end, cli, environment, running
from tests.service import LOCAL

UNKNOWN = "+14155550142"


def test_it_answers_when_it_says_so(dev: Dev) -> None:
    """The first line has a URL that answers, and a key for each role that may ask there."""
    said = dev.said
    assert set(said["keys"]) == {"sender", "agent", "admin", "auditor"}
    assert said["url"].startswith("http://127.0.0.1:")
    with httpx2.Client(base_url=said["url"], **LOCAL) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get(said["docs_url"]).status_code == 200
        for key in said["keys"].values():
            answer = client.post(
                "/v1/checks",
                json={"number": EXAMPLE, "purpose": "appointment_reminder"},
                headers={"Authorization": f"Bearer {key}"},
            )
            assert answer.json()["may_text"] is True


def test_the_admin_link_works_once(dev: Dev) -> None:
    """It opens the page, is not left in the address, and is refused afterwards."""
    link = dev.said["admin_url"]
    with httpx2.Client(**LOCAL, follow_redirects=True) as client:
        page = client.get(link)
        assert page.status_code == 200
        assert "See the numbers" in page.text
        assert "token" not in str(page.url)
        assert client.get(str(page.url)).status_code == 200
    assert httpx2.get(link, **LOCAL).status_code == 403


def test_what_it_keeps_is_for_its_owner_alone(dev: Dev) -> None:
    """Who reads the key or the API keys can do everything."""
    assert stat.S_IMODE(dev.folder.stat().st_mode) == 0o700
    for name in ("key", "account.json", "running.json"):
        assert stat.S_IMODE((dev.folder / name).stat().st_mode) == 0o600


def test_a_simulated_stop_makes_the_answer_no(dev: Dev) -> None:
    """A STOP as Twilio would deliver it is answered in TwiML, and nobody may text from then on."""
    asked = ("check", UNKNOWN, "--purpose", "appointment_reminder")
    assert dev.cli(*asked).returncode == 0
    stop = dev.cli("simulate-inbound", "--from", UNKNOWN, "--body", "STOP")
    assert (stop.returncode, stop.stdout[:26]) == (0, "reply: Main Street Clinic:")
    no = dev.cli(*asked)
    assert no.returncode == 1
    assert no.stdout.startswith("deny: opted_out_by_contact\n")
    history = dev.cli("history", UNKNOWN, "--output", "json")
    assert [event["type"] for event in json.loads(history.stdout)] == [
        "StopReceived",
        "ReplyIssued",
    ]


def test_a_number_can_come_from_standard_input(dev: Dev) -> None:
    """So that it is in no list of processes; the answer is the same."""
    found = cli("check", "-", "--data-dir", dev.folder, "--output", "json", said=f"{EXAMPLE}\n")
    assert found.returncode == 0
    assert json.loads(found.stdout)["reason"] == "consented"


def test_a_later_start_keeps_data_and_keys(tmp_path: Path) -> None:
    """What was told is known again, the keys are shown again, and what is printed can be pasted.

    Another preset holds from then on. A lost key is never replaced: with a new one every opted-out
    number would look new.
    """
    first = Dev("--data-dir", tmp_path, "--no-demo", "--preset", "recalls")
    with running(first):
        assert presets(first) == ["recalls"]
        assert first.cli("simulate-inbound", "--from", EXAMPLE, "--body", "stop").returncode == 0
        pids = first.pids()
        assert first.end(signal.SIGINT) == 0
    assert all_end(pids)
    assert not (tmp_path / "running.json").exists()
    options = ("--data-dir", tmp_path, "--no-demo", "--preset", "opt-out")
    second = Process("dev", "--port", "0", *options)
    with running(second):
        page = "".join(iter(second.line, "Ctrl-C stops the service and its database.\n"))
        assert all(f" {key}\n" in page for key in first.said["keys"].values())
        lines = [line.strip() for line in page.splitlines()]
        if shutil.which("curl"):
            asked = _paste(next(line for line in lines if line.startswith("curl ")))
            assert json.loads(asked)["reason"] == "opted_out_by_contact"
        simulation = next(line for line in lines if line.startswith("consent-ledger "))
        assert cli(*simulation.split()[1:]).stdout == "no reply\n"
        (tmp_path / "key").rename(tmp_path / "elsewhere")
    found = cli("dev", "--port", "0", "--data-dir", tmp_path)
    message = f"the key of this database is missing: put {tmp_path / 'key'} back"
    assert (found.returncode, found.stderr) == (2, f"consent-ledger: {message}\n")
    (tmp_path / "elsewhere").rename(tmp_path / "key")
    with running(third := Dev("--data-dir", tmp_path, "--no-demo")):
        assert presets(third) == ["recalls", "opt-out"]


def presets(dev: Dev) -> list[str]:
    """The policies that the account has had, the first one first."""
    headers = {"Authorization": f"Bearer {dev.said['keys']['admin']}"}
    policy = httpx2.get(f"{dev.said['url']}/v1/policy", headers=headers, **LOCAL).json()
    return [each["preset"] for each in policy["versions"]]


def _paste(line: str) -> str:
    env = environment(no_proxy="127.0.0.1")
    return subprocess.run(line, shell=True, env=env, capture_output=True, text=True).stdout


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_behind(kind: signal.Signals) -> None:
    """Service and database end together; a folder of its own goes too, unless it was killed."""
    started = Dev("--ephemeral", "--no-demo")
    with running(started):
        pids = started.pids()
        assert started.end(kind) == (0 if kind != signal.SIGKILL else -kind)
    assert all_end(pids)
    assert started.folder.exists() == (kind == signal.SIGKILL)
    shutil.rmtree(started.folder, ignore_errors=True)


def test_a_busy_port_is_said_in_a_line(dev: Dev, tmp_path: Path) -> None:
    """Nothing is started, no folder is made, and the way out is named."""
    port = dev.said["url"].rpartition(":")[2]
    found = cli("dev", "--port", port, "--data-dir", tmp_path / "new")
    taken = f"cannot listen on port {port}: address already in use"
    message = f"consent-ledger: {taken}; --port names another, and 0 picks a free one\n"
    assert (found.returncode, found.stderr) == (2, message)
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_said_in_a_line(dev: Dev) -> None:
    """Two services cannot share a folder."""
    found = cli("dev", "--port", "0", "--data-dir", dev.folder)
    assert found.returncode == 2
    assert found.stderr == f"consent-ledger: another service is using {dev.folder}\n"


def test_help_is_quick() -> None:
    """Help loads neither the service nor the database's driver."""
    loaded = (
        "import sys, api.cli.main; print({'fastapi', 'psycopg', 'phonenumbers'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", loaded]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_a_killed_database_is_started_again_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    """PostgreSQL ended by kill -9 comes back at the same URL; a STOP from before still counts."""
    dev = Dev("--data-dir", tmp_path / "data", "--no-demo")
    client = httpx2.Client(base_url=dev.said["url"], **LOCAL)
    with running(dev), client:
        client.headers["Authorization"] = f"Bearer {dev.said['keys']['sender']}"
        text = {"from": UNKNOWN, "to": EXAMPLE, "body": "STOP", "message_id": "m-1"}
        assert client.post("/v1/inbound-messages", json=text).status_code == 200
        noted = dev.folder / "postgres" / "postmaster.pid"
        killed = noted.read_text().split()[0]
        os.kill(int(killed), signal.SIGKILL)
        question = {"number": UNKNOWN, "purpose": "recall"}

        def revived() -> bool:
            started = noted.exists() and noted.read_text().split()[:1] not in ([], [killed])
            return started and client.post("/v1/checks", json=question).status_code == 200

        assert until(revived, SECONDS)
        answer = client.post("/v1/checks", json=question).json()
        assert answer["reason"] == "opted_out_by_contact"
