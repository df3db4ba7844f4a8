"""An import that is stopped in the middle: it goes on, and each number counts once."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
import uvloop
from pydantic import SecretStr

from api.importing.office import Office
from api.settings import Settings
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import ServiceConnection, connector
from tests.api.together import workers_of
from tests.conftest import new_database
from tests.service import Running, running
from tests.store.drive import check_ledger

ROWS: Final = 9_000
LAST_UNIT: Final = 1_000
"""Rows of the last unit, which are not committed when the service is killed."""
SECONDS: Final = 60.0
LIST: Final = b"number,sms_opt_out\n" + b"".join(b"+1415%07d,TRUE\n" % n for n in range(ROWS))


def follow(
    service: Running, answer: dict[str, Any], headers: dict[str, str], rows: int
) -> dict[str, Any]:
    """The import, when it has come to a row."""
    until = time.monotonic() + SECONDS
    while answer["rows"] < rows or (rows == ROWS and answer["state"] != "done"):
        assert answer["state"] in ("waiting", "running", "done"), answer
        assert time.monotonic() < until, answer
        time.sleep(0.05)
        answer = service.http.get(f"/v1/imports/{answer['import_id']}", headers=headers).json()
    return answer


def killed_in_the_middle(
    service: Running, account_id: UUID, headers: dict[str, str]
) -> dict[str, Any]:
    """The service is killed while the last unit waits for somebody who holds one of its numbers."""
    held = service.keyring.number_id(account_id, f"+1415{ROWS - 1:07d}")
    with psycopg.connect(service.database_url) as conn:
        conn.execute("INSERT INTO events VALUES (%s, 1, %s, 1, 1, 'X', '')", (held, account_id))
        begun = service.http.post("/v1/imports", content=LIST, headers=headers).json()
        begun = follow(service, begun, headers, ROWS - LAST_UNIT)
        assert begun["state"] == "running"
        service.kill()
        conn.rollback()
    return begun


def test_a_killed_import_goes_on_and_each_number_counts_once(
    server_url: str, template: str
) -> None:
    """Another process finishes what was not committed; sending the file again is no second one."""
    keyring = Keyring.generate()
    with new_database(server_url, template) as url:
        with running(url, keyring) as first:
            account_id = first.open_account("opt-out", {}, "US")
            key = first.issue_keys(account_id)["admin"]
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
            begun = killed_in_the_middle(first, account_id, headers)
        with running(url, keyring) as second:
            again = second.http.post("/v1/imports", content=LIST, headers=headers).json()
            assert again["same_as"] == begun["import_id"] or (
                again["import_id"] == begun["import_id"]
            )
            place = f"/v1/imports/{begun['import_id']}"
            found = second.http.get(place, headers=headers).json()
            found = follow(second, found, headers, ROWS)
            assert (found["rows"], found["accepted"], found["rejected"]) == (ROWS, ROWS, 0)
            counted = second.rows(
                "SELECT count(*), count(DISTINCT originator_id) FROM events"
                " WHERE topic = 'OptedOut'"
            )
            assert counted == [(ROWS, ROWS)]
            assert second.rows("SELECT count(*) FROM import_parts") == [(0,)]
            assert second.rows("SELECT numbers FROM opt_out_counts") == [(ROWS,)]
        check_ledger(url)


HOLD: Final = "SELECT FROM consent_status WHERE number_id = %s FOR UPDATE"
TOPICS: Final = "SELECT topic, count(*), count(DISTINCT originator_id) FROM events WHERE topic LIKE"
FEW: Final = 1_500
"""Rows of a list about numbers on record, which takes several transactions."""
AGAIN: Final = b"\n".join(LIST.split(b"\n")[: FEW + 1])


def killed_at(
    service: Running, account_id: UUID, headers: dict[str, str], number: int, path: str, list: bytes
) -> str:
    """The service is killed while a list waits for somebody who holds one of its numbers; its
    import's id."""
    held = service.keyring.number_id(account_id, f"+1415{number:07d}")
    with psycopg.connect(service.database_url) as conn:
        conn.execute(HOLD, (held,))
        begun: dict[str, str] = service.http.post(path, content=list, headers=headers).json()
        until = time.monotonic() + SECONDS
        while not service.rows("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert time.monotonic() < until, begun
            time.sleep(0.02)
        service.kill()
        conn.rollback()
    return begun["import_id"]


def ended(service: Running, import_id: str, headers: dict[str, str]) -> dict[str, Any]:
    """The import, when another process has come to its end."""
    until = time.monotonic() + SECONDS
    while True:
        found: dict[str, Any] = service.http.get(f"/v1/imports/{import_id}", headers=headers).json()
        if found["state"] in ("done", "undone", "failed"):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.05)


def test_a_killed_dry_run_begins_anew_and_a_killed_undo_goes_on(
    server_url: str, template: str
) -> None:
    """The one records nothing, and the other takes each fact back once."""
    keyring = Keyring.generate()
    with new_database(server_url, template) as url:
        with running(url, keyring) as first:
            account_id = first.open_account("opt-out", {}, "US")
            key = first.issue_keys(account_id)["admin"]
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
            done = first.http.post("/v1/imports", content=AGAIN, headers=headers).json()
            assert ended(first, done["import_id"], headers)["accepted"] == FEW
            place = "/v1/imports?dry_run=true"
            more = AGAIN + b"\n+14155550131,TRUE\n"
            tried = killed_at(first, account_id, headers, FEW - 1, place, more)
        with running(url, keyring) as second:
            told = ended(second, tried, headers)
            counts = told["rows"], told["accepted"], told["unchanged"], told["would_opt_out"]
            assert counts == (FEW + 1, 1, FEW, 1)
            assert second.rows(f"{TOPICS} 'OptedOut' GROUP BY 1") == [("OptedOut", FEW, FEW)]
            place = f"/v1/imports/{done['import_id']}/undo"
            killed_at(second, account_id, headers, FEW - 1, place, b"")
        with running(url, keyring) as third:
            assert ended(third, done["import_id"], headers)["state"] == "undone"
            found = third.rows(f"{TOPICS} 'FactRetracted' GROUP BY 1")
            assert found == [("FactRetracted", FEW, FEW)]
            assert third.rows("SELECT count(*) FROM opt_out_report") == [(0,)]
        check_ledger(url)


FAILS_ONCE: Final = """
CREATE SEQUENCE commits;
GRANT USAGE ON commits TO PUBLIC;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('commits') = 2 THEN
        PERFORM pg_sleep(0.5);
        RAISE EXCEPTION 'the second commit fails';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER fail_once AFTER INSERT ON import_units
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_once()"""
"""The second unit fails as it commits, when the one after it is written already."""


def test_a_unit_whose_commit_fails_takes_those_after_it_along(database_url: str) -> None:
    """What is committed is always a beginning of the file: the rest is done again, and once."""
    with running(database_url) as service:
        account_id = service.open_account("opt-out", {}, "US")
        key = service.issue_keys(account_id)["admin"]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
        service.database.execute(FAILS_ONCE)
        answer = service.http.post("/v1/imports", content=LIST, headers=headers).json()
        found = follow(service, answer, headers, ROWS)
        assert (found["rows"], found["accepted"]) == (ROWS, ROWS)
        assert "import_failed" in service.log_since()
        units = service.rows("SELECT first_line, last_line FROM import_units ORDER BY 1")
        assert [first for first, _ in units] == [2, *(last + 1 for _, last in units[:-1])]
        assert service.rows("SELECT last_value FROM commits") == [(len(units) + 1,)]
    check_ledger(database_url)


NOT_DROPPED: Final = """
CREATE SEQUENCE drops;
GRANT USAGE ON drops TO PUBLIC;
CREATE FUNCTION not_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('drops') = 1 THEN
        RAISE EXCEPTION 'not now';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER not_dropped BEFORE DELETE ON import_parts
    FOR EACH ROW EXECUTE FUNCTION not_dropped()"""


def test_a_list_that_was_stopped_at_its_very_end_leaves_no_file(database_url: str) -> None:
    """It is done only when its file is forgotten: a list of numbers is kept no longer."""
    with running(database_url) as service:
        account_id = service.open_account("opt-out", {}, "US")
        key = service.issue_keys(account_id)["admin"]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
        service.database.execute(NOT_DROPPED)
        answer = service.http.post("/v1/imports", content=AGAIN, headers=headers).json()
        found = ended(service, answer["import_id"], headers)
        assert (found["state"], found["accepted"]) == ("done", FEW)
        assert service.rows("SELECT count(*) FROM import_parts") == [(0,)]
    check_ledger(database_url)


def test_a_worker_that_cannot_be_started_is_left_to_the_next_look(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as for want of memory: whoever sent the list is told that it goes on, and who looks for
    what was left behind does not end by it."""

    @asynccontextmanager
    async def connection() -> AsyncIterator[ServiceConnection]:
        async with await connector(database_url)() as conn:
            yield conn

    keyring = Keyring.generate()
    settings = Settings(database_url=database_url, key=SecretStr(keyring.dump()))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    asyncio.run(Office(settings, keyring, connection).call())


KILLS: Final = 40
"""One in six falls into the moment when the pipe is known to be closed, and the end of its process
is not."""
CALLS: Final = 100
"""Until both are known."""


def test_a_worker_that_dies_while_it_is_called_is_replaced(database_url: str) -> None:
    """Neither whoever sent a list is told of it, nor does the look for what was left behind end."""
    keyring = Keyring.generate()
    settings = Settings(database_url=database_url, key=SecretStr(keyring.dump()))

    @asynccontextmanager
    async def connection() -> AsyncIterator[ServiceConnection]:
        async with await connector(database_url)() as conn:
            yield conn

    async def call_the_dying() -> None:
        office = Office(settings, keyring, connection)
        looking = asyncio.create_task(office.run())
        for _ in range(KILLS):
            # One that has just died may seem to have heard.
            while not (found := workers_of(os.getpid())):
                await office.call()
                await asyncio.sleep(0)
            os.kill(found[0], signal.SIGKILL)
            for _ in range(CALLS):
                await office.call()
                await asyncio.sleep(0)
        assert not looking.done()
        looking.cancel()
        await asyncio.wait([looking])

    uvloop.run(call_the_dying())


def test_a_list_that_a_process_cannot_read_any_more_is_left_to_one_that_can(
    database_url: str,
) -> None:
    """The key was rotated while it came: under the old one its numbers would look new."""
    ring = Keyring.generate()
    with running(database_url, ring) as old:
        account_id = old.open_account("opt-out", {}, "US")
        headers = {
            "Authorization": f"Bearer {old.issue_keys(account_id)['admin']}",
            "Content-Type": "text/csv",
        }
        with running(database_url, ring.rotated()) as new:
            begun = old.http.post("/v1/imports", content=LIST, headers=headers).json()
            assert follow(new, begun, headers, ROWS)["accepted"] == ROWS
    check_ledger(database_url)
