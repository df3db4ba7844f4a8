"""A contact's other number that nothing was known of when the key was rotated (R-M5)."""

from collections.abc import Iterator

import pytest

from consent_ledger.keyring import Keyring
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.test_imports import came_to, imports
from tests.service import running

DAN = "+14155550134"


@pytest.fixture
def rotated(database_url: str) -> Iterator[Clinic]:
    """A text for Ann waits that is also about Ben's number, of whom nobody had heard; then the key
    was rotated."""
    ring = Keyring.generate()
    with running(database_url, ring) as service:
        clinic = Clinic(service, "consent-first", {}, "US")
        clinic.sends(ANN, message_id="text-1", contact_numbers=[BEN]).is_("deferred")
        clinic.hears(ANN, "CONSENT")
    with running(database_url, ring.rotated()) as service:
        clinic.service = service
        yield clinic


def test_a_stop_on_it_holds_the_text_back(rotated: Clinic) -> None:
    """Its stream begins under the id by which the text named it."""
    rotated.hears(BEN, "STOP")
    rotated.asks(ANN, contact_numbers=[BEN]).is_denied("opted_out_on_other_number")
    assert rotated.releasable() == []
    found = rotated.releases("text-1").problem(409, "not-releasable")
    assert found["reason"] == "opted_out_on_other_number"


def test_an_opt_out_of_a_list_holds_it_back_too(rotated: Clinic) -> None:
    """However the number's first fact comes."""
    rows = "".join(f"{each},yes,contact\n" for each in (BEN, CARA))
    sent = imports(rotated, f"number,sms_opt_out,opt_out_source\n{rows}")
    assert came_to(sent) == (2, 2, 0, 0)
    for each in (BEN, CARA):
        rotated.asks(each).is_denied("opted_out_by_contact")
    assert rotated.releasable() == []
    rotated.releases("text-1").problem(409, "not-releasable")


def test_a_later_text_names_it_by_the_same_id(rotated: Clinic) -> None:
    """One id for both, or one of them would not hear of the STOP."""
    rotated.sends(ANN, message_id="text-2", contact_numbers=[BEN, DAN])
    rotated.sends(CARA, message_id="text-3", contact_numbers=[BEN]).is_("deferred")
    rotated.hears(CARA, "CONSENT")
    rotated.hears(BEN, "STOP")
    for message_id in ("text-1", "text-3"):
        rotated.releases(message_id).problem(409, "not-releasable")
