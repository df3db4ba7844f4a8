"""Row 14: the permitted hours, at the contact's local time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from consent_ledger.decision import next_permitted
from consent_ledger.policy import Hours, amended
from consent_ledger.words import Answer, Reason
from tests.story import T0, given, instant

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02T12:59:59", "2026-03-02T13:00:00"),  # 7:59 in the morning
        ("2026-03-02T13:00:00", "2026-03-02T13:00:00"),
        ("2026-03-03T01:59:59", "2026-03-03T01:59:59"),  # 20:59 in the evening
        ("2026-03-03T02:00:00", "2026-03-03T13:00:00"),  # 21:00 is too late
        ("2026-03-08T14:00:00", "2026-03-08T16:00:00"),  # Sunday; the clocks went forward
        ("2026-11-01T15:00:00", "2026-11-01T17:00:00"),  # Sunday; the clocks went back
        ("2026-03-08T02:30:00", "2026-03-08T16:00:00"),  # Saturday evening, before the change
    ],
)
def test_permitted_hours_are_the_contacts_local_ones(now: str, opens: str) -> None:
    """Row 14: [8, 21) and Sundays from noon, at local time, also when the clocks change."""
    hours = Hours(8, 21, sunday_start=12)
    assert next_permitted(_utc(now), hours, NEW_YORK) == _utc(opens)


def test_a_sunday_that_never_opens_waits_for_monday() -> None:
    """Row 14: a Sunday start at the end of the day closes the Sunday."""
    closed = Hours(8, 21, sunday_start=21)
    assert next_permitted(_utc("2026-03-08T03:00:00"), closed, NEW_YORK) == _utc(
        "2026-03-09T12:00:00"
    )


def test_quiet_hours_name_the_instant_they_end() -> None:
    """Row 14: a defer with `not_before`, that time lifts."""
    rules = amended(
        "recalls", {"time_zone": "UTC", "purposes": {"recall": {"hours": {"start": 12}}}}
    )
    found = given(rules=rules).asked("recall", at=T0).answers(Reason.QUIET_HOURS, Answer.DEFER)
    assert found.decision.not_before == instant(hours=2)
    given(rules=rules).asked("recall", at=instant(hours=2)).answers(Reason.NO_CONSENT_NEEDED)


def _utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000
