"""Row 14: the permitted hours, at the contact's local time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from consent_ledger import commands as c
from consent_ledger import facts as f
from consent_ledger.decision import Question
from consent_ledger.hours import next_permitted
from consent_ledger.policy import Hours, amended
from consent_ledger.words import ActorKind, Answer, Reason
from tests.story import T0, at, given, instant, staff

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


def test_the_numbers_own_zone_is_the_surer_one() -> None:
    """Row 14: what the sender says of this text, else what is recorded, else the account's."""
    rules = amended(
        "recalls", {"time_zone": "UTC", "purposes": {"recall": {"hours": {"start": 8}}}}
    )
    early = instant(hours=-1)  # 09:00 in London, 03:00 in Chicago, 18:00 in Tokyo, 23:00 in Apia
    story = given(rules=rules)
    story.asked("recall", at=early).answers(Reason.NO_CONSENT_NEEDED)
    story.given(f.TimeZoneRecorded("America/Chicago"))
    found = story.asked("recall", at=early).answers(Reason.QUIET_HOURS, Answer.DEFER).decision
    assert found.not_before == instant(hours=4)
    assert found.detail is not None
    assert "America/Chicago" in found.detail
    tokyo = Question("recall", time_zone="Asia/Tokyo")
    story.asked(tokyo, at=early).answers(Reason.NO_CONSENT_NEEDED)
    story.given(f.TimeZoneRecorded())
    story.asked("recall", at=early).answers(Reason.NO_CONSENT_NEEDED)
    apia = Question("recall", time_zone="Pacific/Apia")
    story.asked(apia, at=early).answers(Reason.QUIET_HOURS)


def test_the_latest_word_on_the_zone_counts_until_the_number_is_another_persons() -> None:
    """R-O2, R-F8: by the time it was true, whenever it is learnt."""
    late = at(instant(hours=1), f.TimeZoneRecorded("Asia/Tokyo"))
    story = given(at(instant(hours=2), f.TimeZoneRecorded("America/Chicago")), late)
    assert story.standing.time_zone == "America/Chicago"
    story.given(f.NumberReassigned("2026-03-03", instant(days=2)))
    assert story.standing.time_zone is None


def test_a_held_text_keeps_the_zone_it_was_asked_with() -> None:
    """Row 14: at its release the hours are those of the zone that the sender named."""
    rules = amended(
        "recalls", {"time_zone": "UTC", "purposes": {"recall": {"hours": {"start": 8}}}}
    )
    question = Question("recall", time_zone="America/Chicago")
    sender = staff(kind=ActorKind.SENDER)
    story = given(rules=rules).when(c.AskMessage(sender, "m1", question), at=T0)
    story.when(c.ReleaseMessage(sender, "m1", "w"), at=instant(hours=3)).then()
    story.when(c.ReleaseMessage(sender, "m1", "w"), at=instant(hours=4)).then(f.MessageReleased)


def _utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000
