"""Times as texts name them: RFC 3339, leap seconds, the edges of the calendar."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.render import instant
from consent_ledger.moments import instant_of, moment_of


def read(text: str) -> int | None:
    """The instant that a text names, if it names one."""
    try:
        return instant_of(moment_of(text))
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T18:59:60.25-05:00", "2017-01-01T00:00:00.250000Z"),
        ("2016-12-31t23:59:59z", "2016-12-31T23:59:59Z"),
        ("2026-03-04T10:00:00.123456789Z", "2026-03-04T10:00:00.123456Z"),
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00Z"),
    ],
)
def test_a_time_of_rfc_3339_is_read(text: str, told: str) -> None:
    """As it is told again."""
    assert instant(read(text)) == told


@pytest.mark.parametrize(
    "text",
    [
        *("", "60", "yesterday", "2026-02-30T00:00:00Z", "2026-03-04T10:60:00Z"),
        *("2026-03-04T10:00:61Z", "2026-03-04T23:59:600Z", "9999-12-31T23:59:60Z"),
        *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "\u0662026-03-04T10:00:00Z"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """A time that could be kept and never told is none."""
    assert read(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_is_read_as_it_was_written(moment: datetime) -> None:
    """To the microsecond, through all years that the calendar has."""
    at = instant_of(moment)
    assert read(str(instant(at))) == at
