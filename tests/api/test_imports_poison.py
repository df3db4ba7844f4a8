"""A list that kills whoever works on it: it is given up, and tells so; restarts fail no list."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from api.importing.tries import CRASHES, TRIES
from api.importing.worker import OOM
from consent_ledger.store.importing import UNIT
from consent_ledger.store.plans import LOCKED
from tests.api.answer import Answer
from tests.api.clinic import ANN, Clinic
from tests.api.receiver import eventually
from tests.api.test_imports import CSV, came_to, ended, imports, undone
from tests.api.test_imports_together import UNDER_WAY
from tests.api.together import GATE, WAITING, holding, workers_of
from tests.conftest import new_database
from tests.service import Running, running

Call = Callable[[], None]
LIST: Final = "number,sms_opt_out\n" + "".join(f"+1415{n:07d},TRUE\n" for n in range(5 * UNIT))
NOTHING: Final = f"number\n{ANN}\n"
"""A list that records nothing."""
FEW: Final = 5 * LOCKED
"""Rows of a list that is taken back in as many transactions as the other has units."""
SHORT: Final = "".join(LIST.splitlines(keepends=True)[: FEW + 1])
GATES: Final = f"""
CREATE TABLE gates (line bigint, undone bigint);
INSERT INTO gates VALUES (0, 0);
GRANT SELECT ON gates TO PUBLIC;
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.first_line > (SELECT line FROM gates) OR NEW.undone > (SELECT undone FROM gates) THEN
        PERFORM ({GATE});
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wait_at_the_gate BEFORE INSERT OR UPDATE ON import_units FOR EACH ROW
    EXECUTE FUNCTION wait_at_the_gate()"""
"""What lies below a line, and what is taken back beyond so many facts, waits at the gate."""
NO_GATES: Final = """
DROP TRIGGER wait_at_the_gate ON import_units; DROP FUNCTION wait_at_the_gate; DROP TABLE gates"""
OPEN_TO: Final = "UPDATE gates SET line = %s, undone = %s"
CUT: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""
"""The database hears of the killed worker only when it has what it waits for."""
RESTED: Final = "UPDATE imports SET rests_until = 0"
PARTS: Final = "SELECT count(*) FROM import_parts WHERE import_id = %s"
RECORDED: Final = """
SELECT count(*), count(DISTINCT originator_id) FROM events WHERE account_id = %s AND topic = %s"""
TRIED: Final = "SELECT attempts, crashes FROM imports WHERE import_id = %s"
LONG_REST: Final = "UPDATE imports SET rests_until = rests_until + 3600000000 WHERE import_id = %s"
ATTEMPTS: Final = "UPDATE imports SET attempts = %s WHERE import_id = %s"
RESTS: Final = """
SELECT rests_until > extract(epoch FROM clock_timestamp()) * 1000000 FROM imports
WHERE import_id = %s"""


def sent(clinic: Clinic, text: str, query: str = "") -> Answer:
    """An admin sends a list, and does not wait for its end."""
    return clinic.call("POST", f"/v1/imports{query}", "admin", text.encode(), Content_Type=CSV)


@contextmanager
def gated(service: Running, line: int, undone: int = 0) -> Iterator[None]:
    """What lies beyond is not committed, by whichever process."""
    with psycopg.connect(service.database_url, autocommit=True) as conn:
        conn.execute(GATES.encode())
        conn.execute(OPEN_TO, (line, undone))
        try:
            with holding(service, GATE):
                yield
        finally:
            conn.execute(NO_GATES.encode())


def open_to(service: Running, line: int, undone: int = 0) -> None:
    """Opens the gate so far."""
    service.database.execute(OPEN_TO, (line, undone))


def cut(service: Running) -> None:
    """Ends what waits at the gate."""
    service.rows(CUT)
    eventually(lambda: service.rows(WAITING) == [(0,)])


def kill_worker(service: Running, kind: signal.Signals = signal.SIGKILL) -> None:
    """Kills the worker when it has come to the gate, as Linux would before it kills the service."""
    eventually(lambda: service.rows(WAITING) == [(1,)])
    (worker,) = workers_of(service.process.pid)
    pids = (worker, service.process.pid)
    scores = [int(Path(OOM.replace("self", str(pid))).read_text()) for pid in pids]
    assert scores[0] > scores[1]
    os.kill(worker, kind)
    eventually(lambda: worker not in workers_of(service.process.pid))
    cut(service)


@pytest.fixture
def call(clinic: Clinic) -> Call:
    """Has a worker called now, who would be called at the next look, and no list rest before."""
    path = f"/v1/imports/{undone(clinic, imports(clinic, NOTHING))['import_id']}/undo"

    def call() -> None:
        clinic.service.database.execute(RESTED)
        assert clinic.post(path)["state"] == "undone"

    return call


def kill_with_service(service: Running) -> None:
    """Kills all when the worker has come to the gate, as a deployment or a lost machine does."""
    eventually(lambda: service.rows(WAITING) == [(1,)])
    (worker,) = workers_of(service.process.pid)
    service.kill()
    os.kill(worker, signal.SIGKILL)
    cut(service)


def tries_of(service: Running, answer: Answer) -> tuple[int, int]:
    """Its tries since it last came further, and how many of them it ended by itself."""
    ((attempts, crashes),) = service.rows(TRIED, answer["import_id"])
    return attempts, crashes


def recorded(clinic: Clinic, topic: str = "OptedOut") -> int:
    """Of how many numbers something is on record, of each once."""
    ((events, numbers),) = clinic.service.rows(RECORDED, clinic.account_id, topic)
    assert events == numbers
    return int(numbers)


def test_a_list_that_kills_its_worker_each_time_is_given_up(clinic: Clinic, call: Call) -> None:
    """It tells where, and that what it recorded by then stays; the rest is recorded by nobody."""
    with gated(clinic.service, UNIT + 1):
        begun = sent(clinic, LIST)
        for _ in range(CRASHES - 1):
            kill_worker(clinic.service)
            call()
        kill_worker(clinic.service)
        done = ended(clinic, begun)
    assert (done["state"], came_to(done)) == ("failed", (UNIT, UNIT, 0, 0))
    assert done["failed_because"] == (
        f"The work on it broke off {CRASHES} times below line {UNIT + 1};"
        " the rows so far are recorded."
    )
    assert recorded(clinic) == UNIT
    assert clinic.service.rows(PARTS, done["import_id"]) == [(0,)]


def test_lists_behind_one_that_kills_its_worker_get_their_turn(clinic: Clinic) -> None:
    """Those of its own account and of others, while it rests; it is tried again after that."""
    other = Clinic(clinic.service, "opt-out", {})
    with gated(clinic.service, 1), ThreadPoolExecutor() as pool:
        begun = sent(clinic, LIST)
        for _ in range(CRASHES - 1):
            kill_worker(clinic.service)
        open_to(clinic.service, 2)
        behind = [pool.submit(imports, each, NOTHING) for each in (clinic, other)]
        assert [came_to(each.result()) for each in behind] == [(1, 0, 1, 0)] * 2
        eventually(lambda: tries_of(clinic.service, begun) == (CRASHES - 1, CRASHES - 1))
        open_to(clinic.service, 1)
        clinic.service.database.execute(RESTED)
        kill_worker(clinic.service)
        done = ended(clinic, begun)
    assert (done["state"], came_to(done)) == ("failed", (0, 0, 0, 0))
    assert done["failed_because"] == (
        f"The work on it broke off {CRASHES} times at its beginning; nothing of it is recorded."
    )
    assert recorded(clinic) == 0


def test_a_list_that_gets_further_between_kills_goes_on(clinic: Clinic, call: Call) -> None:
    """However often: each number counts once at its end."""
    with gated(clinic.service, 1):
        begun = sent(clinic, LIST)
        for units in range(1, 6):
            kill_worker(clinic.service)
            open_to(clinic.service, units * UNIT + 1)
            call()
        done = ended(clinic, begun)
    assert (done["state"], came_to(done)) == ("done", (5 * UNIT, 5 * UNIT, 0, 0))
    assert recorded(clinic) == 5 * UNIT


def test_an_undo_that_gets_further_between_kills_goes_on(clinic: Clinic, call: Call) -> None:
    """The same holds for it."""
    done = imports(clinic, SHORT)
    with gated(clinic.service, len(LIST)):
        begun = clinic.post(f"/v1/imports/{done['import_id']}/undo")
        for parts in range(1, 6):
            kill_worker(clinic.service)
            open_to(clinic.service, len(LIST), parts * LOCKED)
            call()
        assert ended(clinic, begun)["state"] == "undone"
    assert recorded(clinic, "FactRetracted") == FEW


def test_an_undo_that_kills_its_worker_each_time_is_given_up(clinic: Clinic, call: Call) -> None:
    """Who undoes it again has the rest taken back, and each fact once."""
    done = imports(clinic, SHORT)
    with gated(clinic.service, len(LIST), LOCKED):
        begun = clinic.post(f"/v1/imports/{done['import_id']}/undo")
        for _ in range(CRASHES - 1):
            kill_worker(clinic.service)
            call()
        kill_worker(clinic.service)
        failed = ended(clinic, begun)
        assert failed["state"] == "failed"
        assert failed["failed_because"] == (
            f"To take it back broke off {CRASHES} times, before all of it was;"
            " undo it again for the rest."
        )
        open_to(clinic.service, len(LIST), FEW)
        again = clinic.post(f"/v1/imports/{done['import_id']}/undo")
        assert ended(clinic, again)["state"] == "undone"
    assert recorded(clinic, "FactRetracted") == FEW


def test_a_worker_that_somebody_ends_is_not_the_lists_fault(clinic: Clinic) -> None:
    """Such as whoever stops all processes of the service one by one."""
    with gated(clinic.service, 0):
        begun = sent(clinic, LIST)
        kill_worker(clinic.service, signal.SIGTERM)
        eventually(lambda: clinic.service.rows(WAITING) == [(1,)])
        assert tries_of(clinic.service, begun) == (2, 0)
        open_to(clinic.service, len(LIST))
        cut(clinic.service)
        clinic.service.database.execute(RESTED)
        assert ended(clinic, begun)["state"] == "done"


def test_restarts_within_a_minute_fail_no_list(server_url: str, template: str) -> None:
    """Nobody outlived the worker who could say that the list ended it."""
    with new_database(server_url, template) as url, ExitStack() as gate:
        with running(url) as service:
            clinic = Clinic(service, "opt-out", {})
            gate.enter_context(gated(service, 0))
            begun = sent(clinic, LIST)
            kill_with_service(service)
            assert tries_of(service, begun) == (1, 0)
        for each in range(2, CRASHES + 1):
            with running(url, clinic.service.keyring) as service:
                service.database.execute(RESTED)
                kill_with_service(service)
                assert tries_of(service, begun) == (each, 0)
        gate.close()
        with running(url, clinic.service.keyring) as clinic.service:
            clinic.service.database.execute(RESTED)
            assert came_to(ended(clinic, begun)) == (5 * UNIT, 5 * UNIT, 0, 0)


def test_a_list_with_which_the_service_dies_each_time_is_given_up_in_the_end(
    server_url: str, template: str
) -> None:
    """A container whose memory is full is ended as a whole, and nobody is left to tell why."""
    with new_database(server_url, template) as url:
        with running(url) as service:
            clinic = Clinic(service, "opt-out", {})
            with gated(service, 0):
                begun = sent(clinic, LIST)
                kill_with_service(service)
            service.database.execute(ATTEMPTS, (TRIES, begun["import_id"]))
        with running(url, clinic.service.keyring) as clinic.service:
            done = ended(clinic, begun)
    assert done["state"] == "failed"
    assert done["failed_because"].startswith(f"The work on it broke off {TRIES} times ")


def test_a_service_that_is_told_to_end_counts_no_try(server_url: str, template: str) -> None:
    """However often it is deployed."""
    with new_database(server_url, template) as url, running(url) as service:
        clinic = Clinic(service, "opt-out", {})
        held = clinic.number_id("+14150000000")
        with holding(service, UNDER_WAY, held, clinic.account_id) as until_waiting:
            begun = sent(clinic, LIST)
            until_waiting(1)
            assert tries_of(service, begun) == (1, 0)
            service.process.terminate()
            service.process.wait(20)
        assert tries_of(service, begun) == (0, 0)
        assert service.rows(RESTS, begun["import_id"]) == [(False,)]


FAILS: Final = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no' USING ERRCODE = '%s';
END $$;
CREATE TRIGGER fails BEFORE INSERT ON import_units FOR EACH ROW
    WHEN (NEW.first_line > %d) EXECUTE FUNCTION fails()"""
FAILS_NOT: Final = "DROP TRIGGER fails ON import_units; DROP FUNCTION fails()"


@contextmanager
def failing(service: Running, state: str, line: int) -> Iterator[None]:
    """What lies below a line fails by this state of SQL."""
    service.database.execute((FAILS % (state, line)).encode())
    try:
        yield
    finally:
        service.database.execute(FAILS_NOT.encode())


def test_a_dry_run_that_fails_below_its_first_rows_ends(clinic: Clinic) -> None:
    """It begins anew each time, so that what it came to before is no progress."""
    with failing(clinic.service, "23514", UNIT + 1):
        done = imports(clinic, LIST, query="?dry_run=true")
    assert done["state"] == "failed"
    assert done["failed_because"] == "The ledger failed; a dry run records nothing."
    assert recorded(clinic) == 0


def test_a_list_that_rests_goes_on_when_it_is_sent_again(clinic: Clinic) -> None:
    """Whoever runs the same command again wants it done now."""
    service = clinic.service
    with failing(service, "53100", 2 * UNIT):
        begun = sent(clinic, LIST)
        eventually(lambda: service.rows(RESTS, begun["import_id"]) == [(True,)])
        service.database.execute(LONG_REST, (begun["import_id"],))
    again = sent(clinic, LIST)
    assert again["import_id"] == begun["import_id"]
    assert came_to(ended(clinic, again)) == (5 * UNIT, 5 * UNIT, 0, 0)


def test_a_database_that_is_short_of_room_fails_no_list(clinic: Clinic) -> None:
    """What it answers is nobody's fault, however often; other lists get their turn meanwhile."""
    service = clinic.service
    with failing(service, "53100", 2 * UNIT):
        begun = sent(clinic, LIST)
        service.database.execute(ATTEMPTS, (TRIES - 1, begun["import_id"]))
        for times in range(2):
            eventually(lambda: service.rows(RESTS, begun["import_id"]) == [(True,)])
            assert came_to(imports(clinic, NOTHING + "\n" * times))[0] == 1
            service.database.execute(RESTED)
    assert came_to(ended(clinic, begun)) == (5 * UNIT, 5 * UNIT, 0, 0)
