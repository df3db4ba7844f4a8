"""Permitted hours: when a text may go, on the contact's clock (rulebook section 3, row 14)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from consent_ledger.policy import Hours
from consent_ledger.standing import MICROSECONDS


def next_permitted(at: int, hours: Hours, zone: ZoneInfo) -> int:
    """The first instant from `at` on that lies in the permitted local hours, microseconds."""
    local = datetime.fromtimestamp(at / MICROSECONDS, UTC).astimezone(zone)
    for days in range(3):
        day = local.date() + timedelta(days=days)
        sunday = day.weekday() == 6 and hours.sunday_start is not None
        start = hours.sunday_start if sunday and hours.sunday_start is not None else hours.start
        opens = _instant(day.year, day.month, day.day, start, zone)
        closes = _instant(day.year, day.month, day.day, hours.end, zone)
        if at < closes and start < hours.end:
            return max(at, opens)
    return at


def _instant(year: int, month: int, day: int, hour: int, zone: ZoneInfo) -> int:
    local = datetime(year, month, day, tzinfo=zone) + timedelta(hours=hour)
    return round(local.timestamp()) * MICROSECONDS
