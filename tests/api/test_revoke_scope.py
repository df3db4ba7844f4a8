"""How far a STOP reaches, and permitted hours by the number's own clock, over HTTP (section 8)."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.api.clinic import ANN, BEN, DESK, Clinic, ahead
from tests.api.conftest import Open
from tests.api.test_imports import came_to, imports

REMINDERS: Final = "+14155550191"


@pytest.fixture
def practice(open_clinic: Open) -> Clinic:
    """Two sending numbers, one for talks and one for reminders, and a scope by purpose."""
    clinic = open_clinic("opt-out", revoke_scope="purpose")
    clinic.opens_location("main", "conversation", "marketing", number=DESK)
    clinic.opens_location("main", "appointment_reminder", "recall", number=REMINDERS)
    return clinic


def test_a_stop_to_one_number_ends_what_it_serves(practice: Clinic) -> None:
    """Section 8, `revoke_scope: purpose`: the rest goes on; every answer says which is which."""
    practice.hears(ANN, "stop", to=REMINDERS).recorded("StopReceived", "ReplyIssued")
    denied = practice.asks(ANN, "recall").is_denied("opted_out_by_contact")
    assert (denied["opted_out"], denied["do_not_text"]) == (True, True)
    allowed = practice.asks(ANN, "conversation").is_allowed("no_consent_needed")
    assert (allowed["opted_out"], allowed["do_not_text"]) == (False, False)
    found = practice.post("/v1/numbers/lookup", number=ANN)
    assert (found["opted_out"], found["opt_out_source"]) == (True, "contact")
    assert found["stopped_purposes"] == ["appointment_reminder", "recall"]
    assert found["status_labels"]["recall"] == "Revoked"
    assert practice.post("/v1/contacts/check", "sender", numbers=[ANN])["opted_out"] is True
    assert practice.history(ANN)[0]["data"]["purposes"] == ["appointment_reminder", "recall"]
    practice.hears(ANN, "start").replied("start_confirmation")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_a_stop_to_a_number_nobody_knows_ends_everything(practice: Clinic) -> None:
    """Section 8, strict by default: what cannot be narrowed is not narrowed."""
    practice.hears(ANN, "stop", to="+14155550192")
    for purpose in ("conversation", "recall", "marketing"):
        practice.asks(ANN, purpose).is_denied("opted_out_by_contact")


def test_a_list_that_says_everything_says_more_than_a_stop_from_some_purposes(
    practice: Clinic,
) -> None:
    """R-V1: the row is news, to the dry run too, and what the STOP left open is closed."""
    practice.hears(ANN, "stop", to=REMINDERS)
    text = f"number,sms_opt_out\n{ANN},TRUE\n"
    told = imports(practice, text, query="?dry_run=true")
    assert (told["would_opt_out"], came_to(told)) == (1, (1, 1, 0, 0))
    assert came_to(imports(practice, text)) == (1, 1, 0, 0)
    practice.asks(ANN, "conversation").is_denied("opted_out_by_contact")


def test_revoke_all_from_a_date_on(practice: Clinic) -> None:
    """Section 8: the policy that holds when the STOP is said decides, not the one of today."""
    practice.adopts("opt-out", changes={"revoke_scope": "all"}, effective_from=ahead(days=70))
    practice.hears(ANN, "stop", to=REMINDERS)
    practice.asks(ANN, "conversation").is_allowed("no_consent_needed")
    practice.adopts("opt-out", changes={"revoke_scope": "all"})
    practice.hears(BEN, "stop", to=REMINDERS)
    practice.asks(BEN, "conversation").is_denied("opted_out_by_contact")
    # What was said under the old rules keeps the reach it had.
    practice.asks(ANN, "conversation").is_allowed("no_consent_needed")


def test_a_scope_that_is_none_is_refused(open_clinic: Open) -> None:
    """Contract section 2: 422, and nothing changed."""
    clinic = open_clinic()
    with clinic.unchanged():
        clinic.adopts("opt-out", changes={"revoke_scope": "some"}).problem(422, "policy-refused")


def _hours() -> tuple[dict[str, int], str, str]:
    """Hours that are open now in one zone, and closed now in another twelve hours away."""
    now = datetime.now(UTC)
    here = now.hour
    start = max(0, here - 1)
    open_now = {"start": start, "end": min(24, start + 3)}
    away = (now + timedelta(hours=12)).hour
    assert not open_now["start"] <= away < open_now["end"]
    return open_now, "Etc/GMT", "Etc/GMT+12"


def test_permitted_hours_are_read_on_the_numbers_own_clock(open_clinic: Open) -> None:
    """Row 14: the sender's word on the text, else what is recorded, else the account's zone."""
    hours, here, away = _hours()
    clinic = open_clinic("recalls", time_zone=here, purposes={"recall": {"hours": hours}})
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.post("/v1/time-zones", "sender", number=ANN, time_zone=away).recorded("TimeZoneRecorded")
    late = clinic.asks(ANN, "recall").is_deferred("quiet_hours")
    assert late["not_before"] > late["answered_at"]
    assert late["lifted_by"] == "time"
    assert away in late["explanation"]
    assert clinic.post("/v1/numbers/lookup", number=ANN)["time_zone"] == away
    clinic.asks(ANN, "recall", time_zone=here).is_allowed("no_consent_needed")
    items = [{"number": ANN}, {"number": ANN, "time_zone": here}, {"number": BEN}]
    found = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)
    assert [each["decision"] for each in found["results"]] == ["defer", "allow", "allow"]
    clinic.sends(ANN, "recall", "m1").is_("deferred", "quiet_hours")
    clinic.sends(ANN, "recall", "m2", time_zone=here).is_("permitted", "no_consent_needed")
    clinic.post("/v1/time-zones", "admin", number=ANN, time_zone=None).recorded("TimeZoneRecorded")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "x" * 65, "", "\u0000"])
def test_a_zone_that_is_none_is_refused(clinic: Clinic, zone: str) -> None:
    """Contract section 2: 422 by its field."""
    with clinic.unchanged():
        clinic.post("/v1/time-zones", "sender", number=ANN, time_zone=zone).problem(
            422, "invalid-body", "/time_zone"
        )
        clinic.asks(ANN, "recall", time_zone=zone).problem(422, "invalid-body", "/time_zone")
