"""A policy that changes between the sending of a list and the writing of its rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from api.importing.lanes import LANES
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open
from tests.api.test_imports import came_to, codes, imports, rows_of
from tests.api.test_imports_again import far_apart
from tests.api.test_imports_together import UNDER_WAY
from tests.api.together import holding

VIP = {"purposes": {"vip": {"needs_consent": True}}}
HEADER = "number,sms_opt_out,consent,occurred_at,purposes"


def meanwhile(clinic: Clinic, text: str, number: str, act: Callable[[], object]) -> Answer:
    """A list is written up to a number that somebody holds, until something else happened."""
    held = clinic.service.keyring.number_id(clinic.account_id, number)
    with ThreadPoolExecutor() as pool:
        with holding(clinic.service, UNDER_WAY, held, clinic.account_id) as until_waiting:
            sent = pool.submit(imports, clinic, text)
            until_waiting(1)
            act()
        return sent.result()


def test_rows_of_a_purpose_that_went_meanwhile_are_refused_and_no_others(open_clinic: Open) -> None:
    """Each row tells what it came to; none that was recorded is left without a word."""
    clinic = open_clinic("consent-first", **VIP)
    first, last = f"{ANN},,granted,,vip", f"{BEN},,granted,,vip conversation"
    # Those units that are written beside the first are written under its policy.
    text = far_apart(first, last, HEADER, LANES).replace(",,,\n", ",,granted,,conversation\n")
    done = meanwhile(clinic, text, ANN, lambda: clinic.adopts("consent-first"))
    assert (done["state"], done["failed_because"], done["rejected"]) == ("done", None, 1)
    assert done["accepted"] == done["rows"] - 1
    (row,) = rows_of(clinic, done, status="rejected")
    assert codes(row) == [("purposes", "unknown-purpose")]
    assert clinic.facts(ANN) == ["ConsentGranted"]
    clinic.is_unknown(BEN)


def test_a_list_of_numbers_on_record_is_read_again_too(open_clinic: Open) -> None:
    """They go the careful way, number by number."""
    clinic = open_clinic("consent-first", **VIP)
    clinic.consents(ANN)
    number_id = clinic.number_id(ANN)
    lock = "SELECT FROM consent_status WHERE number_id = %s FOR UPDATE"
    text = f"number,consent,purposes\n{ANN},declined,vip\n"
    with ThreadPoolExecutor() as pool:
        with holding(clinic.service, lock, number_id) as until_waiting:
            sent = pool.submit(imports, clinic, text)
            until_waiting(1)
            clinic.adopts("consent-first")
        assert came_to(sent.result()) == (1, 0, 0, 1)
