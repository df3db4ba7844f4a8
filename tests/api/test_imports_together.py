"""Lists that come at the same time: a file is one import, and an import is one process's."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from api.importing.book import OPEN_IMPORT
from api.importing.staging import PUT
from consent_ledger.store.importing import UNIT
from tests.api.answer import Answer
from tests.api.clinic import ANN, Clinic
from tests.api.receiver import eventually
from tests.api.test_imports import came_to, imports, undone
from tests.api.together import GATE, NUMBER, WAITING, holding
from tests.service import Running, running

A_LIST: Final = f"number,sms_opt_out\n{ANN},TRUE\n"
AT_THE_GATE: Final = f"""
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ({GATE});
    RETURN NEW;
END $$;
CREATE TRIGGER wait_at_the_gate BEFORE UPDATE ON imports FOR EACH ROW
    WHEN (OLD.file_digest IS NULL AND NEW.file_digest IS NOT NULL)
    EXECUTE FUNCTION wait_at_the_gate()"""
"""Whoever accepts a file waits after it was looked for, and before it is to be found."""
NO_GATE: Final = "DROP TRIGGER wait_at_the_gate ON imports; DROP FUNCTION wait_at_the_gate()"
UNDER_WAY: Final = "INSERT INTO events VALUES (%s, 1, %s, 1, 1, 'X', '')"
"""Somebody is about to begin the number, so that the list has to wait for them."""
EARLIER: Final = "UPDATE imports SET instant = instant - %s WHERE import_id = %s"
IDLE: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'"""
CUT_WORKER: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'consent-ledger'
    AND (state = 'idle in transaction' OR wait_event_type = 'Lock')"""
STATES: Final = """
SELECT state, (SELECT count(*) FROM import_parts parts WHERE parts.import_id = imports.import_id)
FROM imports WHERE import_id = %s"""


@contextmanager
def gated(service: Running) -> Iterator[None]:
    """Files are accepted only once the gate is open."""
    service.database.execute(AT_THE_GATE.encode())
    try:
        yield
    finally:
        service.database.execute(NO_GATE.encode())


def test_the_same_file_twice_at_once_is_one_import(clinic: Clinic) -> None:
    """An admin who presses the button twice is told of one import, which is done once."""
    with ThreadPoolExecutor() as pool, gated(clinic.service):
        with holding(clinic.service, GATE) as until_waiting:
            sent = [pool.submit(imports, clinic, A_LIST) for _ in range(2)]
            until_waiting(2)
        first, second = (each.result() for each in sent)
    originals = {each["same_as"] or each["import_id"] for each in (first, second)}
    assert len(originals) == 1
    assert first["state"] == second["state"] == "done"
    assert clinic.facts(ANN) == ["OptedOut"]


@pytest.fixture
def two(database_url: str) -> Iterator[tuple[Running, Running]]:
    """Two processes of one deployment, each with a worker of its own."""
    with running(database_url) as one, running(database_url, one.keyring) as other:
        yield one, other


def test_a_list_that_one_process_is_at_is_left_alone_by_another(
    two: tuple[Running, Running],
) -> None:
    """The other one passes it over, and does what nobody is at."""
    here, there = two
    slow, quick = Clinic(here, "opt-out", {}), Clinic(there, "opt-out", {})
    held = here.keyring.number_id(slow.account_id, ANN)
    with ThreadPoolExecutor() as pool:
        with holding(here, UNDER_WAY, held, slow.account_id) as until_waiting:
            sent = pool.submit(imports, slow, A_LIST)
            until_waiting(1)
            assert came_to(imports(quick, A_LIST)) == (1, 1, 0, 0)
            until_waiting(1)
        done = sent.result()
    assert came_to(done) == (1, 1, 0, 0)
    assert slow.facts(ANN) == ["OptedOut"]


def test_a_list_and_a_command_that_wait_for_each_other_both_go_on(clinic: Clinic) -> None:
    """Two units are written at a time, and the second waits for the first with its numbers locked:
    it lets go of them where somebody else holds what the first waits for."""
    numbers = [f"+1415{n:07d}" for n in range(2 * UNIT)]
    text = "number,sms_opt_out\n" + "".join(f"{number},TRUE\n" for number in numbers)
    in_first, in_second = (
        clinic.service.keyring.number_id(clinic.account_id, number)
        for number in (numbers[0], numbers[-1])
    )
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(clinic.service.database_url) as conn,
    ):
        conn.execute(UNDER_WAY, (in_first, clinic.account_id))
        sent = pool.submit(imports, clinic, text)
        # The first waits for the command, and the second for the first.
        eventually(lambda: clinic.service.rows(WAITING) == [(1,)])
        eventually(lambda: clinic.service.rows(IDLE) == [(2,)])
        conn.execute("SET LOCAL statement_timeout = '20s'")
        conn.execute(UNDER_WAY, (in_second, clinic.account_id))
        assert not sent.done()
        conn.rollback()
        done = sent.result()
    assert came_to(done) == (2 * UNIT, 2 * UNIT, 0, 0)
    assert clinic.facts(numbers[0]) == clinic.facts(numbers[-1]) == ["OptedOut"]


def test_units_whose_connections_are_cut_are_done_again_and_tell_of_it_in_a_word(
    clinic: Clinic,
) -> None:
    """Several fail then at once, and none is told of by the database's own text, which may hold the
    row that it refused."""
    text = "number,sms_opt_out\n" + "".join(f"+1415{n:07d},TRUE\n" for n in range(2 * UNIT))
    held = clinic.service.keyring.number_id(clinic.account_id, "+14150000000")
    begun = clinic.service.log_size
    with ThreadPoolExecutor() as pool:
        with holding(clinic.service, UNDER_WAY, held, clinic.account_id) as until_waiting:
            sent = pool.submit(imports, clinic, text)
            until_waiting(1)
            eventually(lambda: clinic.service.rows(IDLE) == [(2,)])
            clinic.service.rows(CUT_WORKER)
            eventually(lambda: "import_interrupted" in clinic.service.log_since(begun))
        done = sent.result()
    assert came_to(done) == (2 * UNIT, 2 * UNIT, 0, 0)
    assert "Traceback" not in clinic.service.log_since(begun)


@pytest.mark.parametrize("undoes", [False, True])
def test_a_list_about_numbers_that_are_never_at_rest_comes_to_its_end(
    clinic: Clinic, undoes: bool
) -> None:
    """Whoever overtakes its transaction makes it begin anew; it then takes fewer numbers at once,
    until nobody does."""
    numbers = [f"+1415{n:07d}" for n in range(200)]
    first, last = sorted((numbers[0], numbers[-1]), key=clinic.number_id)
    numbers[0], numbers[-1] = first, last
    text = "number,sms_opt_out\n" + "".join(f"{number},TRUE\n" for number in numbers)
    done, begun = imports(clinic, text), clinic.service.log_size

    def act() -> Answer:
        return undone(clinic, done) if undoes else imports(clinic, text + "\n")

    assert overtaking(clinic, first, last, act)["state"] in ("done", "undone")
    assert "import_failed" not in clinic.service.log_since(begun)


def overtaking(clinic: Clinic, first: str, last: str, act: Callable[[], Answer]) -> Answer:
    """Does something while whoever locks two numbers waits for the first, and then finds that the
    last was written to by a transaction that began later."""
    url, held, waiting = clinic.service.database_url, clinic.number_id(first), clinic.service.rows

    def hold() -> psycopg.Connection[Any]:
        conn = psycopg.connect(url)
        conn.execute(NUMBER, (held,))
        return conn

    holders = [hold()]
    with ThreadPoolExecutor() as pool:
        try:
            sent = pool.submit(act)
            while not sent.done():
                eventually(lambda: sent.done() or waiting(WAITING) == [(1,)])
                following = pool.submit(hold)
                eventually(lambda: sent.done() or waiting(WAITING) == [(2,)])
                clinic.hears(last, "STOP")
                holders.pop().close()
                holders.append(following.result())
            return sent.result()
        finally:
            for holder in holders:
                holder.close()


def test_an_upload_that_did_not_end_is_forgotten_after_an_hour(database_url: str) -> None:
    """Its sender is gone, and nobody else may have the file; one that still comes is kept."""
    with running(database_url) as service:
        account_id = service.open_account("opt-out", {}, "US")
        left, coming = (begun(service, account_id, minutes) for minutes in (61, 59))
    with running(database_url, service.keyring) as again:
        eventually(lambda: again.rows(STATES, left) == [("failed", 0)])
        assert again.rows(STATES, coming) == [("receiving", 1)]


def begun(service: Running, account_id: UUID, minutes: int) -> UUID:
    """An upload of which a first piece came so many minutes ago."""
    import_id = uuid4()
    params = (import_id, account_id, False, "csv", None)
    service.database.execute(OPEN_IMPORT.encode(), params)
    service.database.execute(PUT, (import_id, 0, b"a piece"))
    service.database.execute(EARLIER, (minutes * 60_000_000, import_id))
    return import_id
