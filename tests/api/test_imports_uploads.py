"""The way of a list to the service: cut off, slow, repeated, or refused at its end."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import httpx2
import pytest

from api.importing.staging import PIECE
from tests.api.clinic import ANN, Clinic
from tests.api.conftest import Open
from tests.api.receiver import eventually
from tests.api.test_imports import CSV, came_to, ended, imports
from tests.api.test_imports_together import EARLIER, STATES, UNDER_WAY, begun
from tests.api.together import holding
from tests.service import running

LAST: Final = f"{ANN},TRUE\n".encode()
ROWS: Final = 3 * PIECE // 14 + 2
BEGIN: Final = b"number,sms_opt_out\n" + b"+14155550170,\n" * (ROWS - 1)
"""Two pieces and more, so that they are kept while the rest is still to come."""
LATEST: Final = "SELECT import_id, state FROM imports WHERE account_id = %s ORDER BY instant DESC"
PARTS: Final = """
SELECT count(*) FROM import_parts WHERE import_id IN
    (SELECT import_id FROM imports WHERE account_id = %s)"""
FORGET_IT: Final = """
WITH gone AS (UPDATE imports SET state = 'failed' WHERE import_id = %s RETURNING import_id)
DELETE FROM import_parts USING gone WHERE import_parts.import_id = gone.import_id"""
NOT_NOW: Final = """
CREATE SEQUENCE accepted;
GRANT USAGE ON accepted TO PUBLIC;
CREATE FUNCTION not_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('accepted') = 1 THEN
        RAISE EXCEPTION 'not now';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER not_now BEFORE UPDATE ON imports FOR EACH ROW
    WHEN (OLD.file_digest IS NULL AND NEW.file_digest IS NOT NULL) EXECUTE FUNCTION not_now()"""
NOW: Final = "DROP TRIGGER not_now ON imports; DROP FUNCTION not_now(); DROP SEQUENCE accepted"


class CutOffError(Exception):
    """The sender's program ends."""


def in_two(clinic: Clinic, between: Callable[[], None]) -> Iterator[bytes]:
    """A list in two parts, and what happens when the first was kept."""
    yield BEGIN
    eventually(lambda: clinic.service.rows(PARTS, clinic.account_id)[0][0] >= 2)
    between()
    yield LAST


@contextmanager
def failing_once(clinic: Clinic) -> Iterator[None]:
    """The first list that has come whole cannot be accepted."""
    clinic.service.database.execute(NOT_NOW.encode())
    try:
        yield
    finally:
        clinic.service.database.execute(NOW.encode())


def uploads(clinic: Clinic, between: Callable[[], None]) -> httpx2.Response:
    """An admin sends a list in two parts."""
    headers = {"Authorization": f"Bearer {clinic.keys['admin']}", "Content-Type": CSV}
    content = in_two(clinic, between)
    return clinic.service.http.post("/v1/imports", content=content, headers=headers)


def test_an_upload_that_breaks_off_is_forgotten_at_once(open_clinic: Open) -> None:
    """Nothing of it counts, and nothing of it is kept."""
    clinic = open_clinic("opt-out")

    def ends() -> None:
        raise CutOffError

    with pytest.raises(CutOffError):
        uploads(clinic, ends)
    eventually(lambda: clinic.service.rows(LATEST, clinic.account_id)[0][1] == "failed")
    assert clinic.service.rows(PARTS, clinic.account_id) == [(0,)]
    (import_id, _), *_ = clinic.service.rows(LATEST, clinic.account_id)
    found = clinic.get(f"/v1/imports/{import_id}")
    assert (found["failed_because"], found["rows"]) == ("The upload did not end.", 0)


def test_a_slow_upload_is_not_forgotten_while_it_comes(open_clinic: Open) -> None:
    """It began hours ago, and its last piece came just now."""
    clinic = open_clinic("opt-out")

    def hours_go_by() -> None:
        (import_id, _), *_ = clinic.service.rows(LATEST, clinic.account_id)
        clinic.service.database.execute(EARLIER, (3 * 3_600_000_000, import_id))
        left = begun(clinic.service, clinic.account_id, 61)
        with running(clinic.service.database_url, clinic.service.keyring):
            # Another process looks for what was left behind as it starts.
            eventually(lambda: clinic.service.rows(STATES, left) == [("failed", 0)])
        assert clinic.service.rows(STATES, import_id)[0][0] == "receiving"

    response = uploads(clinic, hours_go_by)
    assert response.status_code in (200, 202), response.text
    done = ended(clinic, clinic.get(f"/v1/imports/{response.json()['import_id']}"))
    assert came_to(done)[:2] == (ROWS, 1)
    clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_an_upload_that_was_forgotten_is_refused_at_its_end(open_clinic: Open) -> None:
    """What came before is gone: the rest alone may not pass for the list."""
    clinic = open_clinic("opt-out")

    def is_forgotten() -> None:
        (import_id, _), *_ = clinic.service.rows(LATEST, clinic.account_id)
        clinic.service.database.execute(FORGET_IT, (import_id,))

    response = uploads(clinic, is_forgotten)
    assert (response.status_code, response.json()["code"]) == (422, "import-unreadable")
    assert clinic.service.rows(PARTS, clinic.account_id) == [(0,)]
    assert clinic.service.rows(LATEST, clinic.account_id)[0][1] == "failed"


def test_a_list_that_was_not_accepted_is_by_its_repetition(open_clinic: Open) -> None:
    """Its Idempotency-Key counts from the moment that the list does."""
    clinic = open_clinic("opt-out")
    text = f"number,sms_opt_out\n{ANN},TRUE\n".encode()
    headers = {"Content_Type": CSV, "Idempotency_Key": "k"}
    with failing_once(clinic):
        failed = clinic.call("POST", "/v1/imports", "admin", text, **headers)
        failed.problem(500, "internal-error")
        again = ended(clinic, clinic.call("POST", "/v1/imports", "admin", text, **headers))
    assert (again["state"], came_to(again)) == ("done", (1, 1, 0, 0))


def test_each_repetition_is_answered_with_the_import_that_was_under_way(
    open_clinic: Open,
) -> None:
    """The first answer named the import of the same file, and so do those after it."""
    clinic = open_clinic("opt-out")
    text = f"number,sms_opt_out\n{ANN},TRUE\n".encode()
    held = clinic.service.keyring.number_id(clinic.account_id, ANN)
    with ThreadPoolExecutor() as pool:
        with holding(clinic.service, UNDER_WAY, held, clinic.account_id) as until_waiting:
            sent = pool.submit(imports, clinic, text)
            until_waiting(1)
            headers = {"Content_Type": CSV, "Idempotency_Key": "k"}
            first, second = (
                clinic.call("POST", "/v1/imports", "admin", text, **headers) for _ in range(2)
            )
        done = sent.result()
    assert first["import_id"] == second["import_id"] == done["import_id"]
