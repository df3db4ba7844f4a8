"""Long answers when the service ends: cut off, seen to be, and nothing stays behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from consent_ledger.store.postgres_cluster import until
from tests.cli.conftest import SECONDS, Dev, Process, all_end, cli, running
from tests.service import LOCAL

ROWS = 20_000
LIST = b"note,number\n" + b"".join(b"%b,+1416%07d\n" % (b"x" * 1_000, i) for i in range(ROWS))
"""More bytes than the connections hold on their way."""
FILL = f"""
WITH given AS (
    INSERT INTO numbers (number_id, account_id, e164)
    SELECT gen_random_uuid(), %s, '+1415' || (5000000 + i) FROM generate_series(1, {ROWS}) AS i
    RETURNING number_id, account_id
), said AS (
    INSERT INTO words SELECT number_id, 1, account_id, repeat('why ', 300) FROM given
)
INSERT INTO opt_out_report (number_id, source, account_id, since, version, by, channel, shown)
SELECT number_id, 'agent', account_id, 1772618400000000, 1, 'agent-7', 'api', true FROM given"""
"""A report of as many."""


@contextmanager
def reading(url: str, key: str, what: str) -> Iterator[Iterator[bytes]]:
    """A long answer, of which the first part has come."""
    headers = {"Authorization": f"Bearer {key}"}
    asked: dict[str, Any] = {"url": f"{url}/v1/reports/opt-outs", "json": {}}
    if what == "scrub":
        asked = {"url": f"{url}/v1/scrubs?purpose=recall", "content": LIST}
    else:
        headers["Accept"] = "text/csv"
    with (
        httpx2.Client(timeout=SECONDS, **LOCAL) as http,
        http.stream("POST", headers=headers | _typed(what), **asked) as response,
    ):
        assert response.status_code == 200, response.read()
        parts = response.iter_bytes()
        assert next(parts)
        yield parts


def _typed(what: str) -> dict[str, str]:
    return {"Content-Type": "text/csv"} if what == "scrub" else {}


def started_by(pid: int) -> list[int]:
    """The processes that another one has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def test_a_service_that_is_told_to_end_cuts_long_answers() -> None:
    """After its grace; the client cannot take what it has for the whole, and no process stays."""
    with running(Dev("--ephemeral", "--no-demo")) as dev, ExitStack() as stack:
        assert isinstance(dev, Dev)
        with psycopg.connect(dev.said["database_url"]) as conn:
            conn.execute(FILL.encode(), (dev.said["account_id"],))
        key = dev.said["keys"]["admin"]
        answers = [
            stack.enter_context(reading(dev.said["url"], key, what)) for what in ("scrub", "report")
        ]
        left = started_by(dev.process.pid)
        dev.process.send_signal(signal.SIGTERM)
        assert all_end(left)
        for parts in answers:
            with pytest.raises(httpx2.TransportError):
                b"".join(parts)
        dev.process.communicate(timeout=2 * SECONDS)
        assert dev.process.returncode == 0


@pytest.mark.parametrize("what", ["scrub", "report"])
def test_the_processes_of_a_killed_service_end_by_themselves(database_url: str, what: str) -> None:
    """Their pipes close; the database is theirs no longer."""
    ring = cli("keys", "generate").stdout.strip()
    env = {"CONSENT_LEDGER_DATABASE_URL": database_url, "CONSENT_LEDGER_KEY": ring}
    opened = ("keys", "bootstrap", "--account-name", "Clinic", "--preset", "opt-out")
    admin = cli(*opened, **env).stdout.strip()
    with psycopg.connect(database_url) as conn:
        account_id = conn.execute("SELECT account_id FROM account_status").fetchone()
        conn.execute(FILL.encode(), account_id)
    with running(Process("serve", "--port", "0", **env)) as server:
        url = server.line().split()[-1]
        with reading(url, admin, what) as parts:
            left = started_by(server.process.pid)
            assert left
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.communicate(timeout=SECONDS)
            assert all_end(left)
            with pytest.raises(httpx2.TransportError):
                b"".join(parts)
    with psycopg.connect(database_url, autocommit=True) as conn:
        rest = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'consent-ledger' AND datname = current_database()"
        )
        assert until(lambda: conn.execute(rest).fetchone() == (0,), SECONDS)
