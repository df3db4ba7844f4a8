"""A number's events and the rows beside them come together, whatever a fetch holds."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection

from consent_ledger.keyring import Keyring
from consent_ledger.store import streams
from projections.folding import fold_range
from projections.rebuild import EVERYTHING
from tests.cli.test_demo import tell

PUT = """INSERT INTO opt_out_report (number_id, account_id, source, since, version, channel)
SELECT %s, gen_random_uuid(), source, 1, 1, 'api'
FROM unnest(ARRAY['agent', 'contact']) AS source"""
LOST = UUID(int=0), uuid4(), UUID(int=2**128 - 1)
"""Numbers with rows and without events: before all others, amid them and after them."""


def _folded(url: str) -> tuple[int, list[tuple[Any, ...]]]:
    found = list(fold_range(url, EVERYTHING))
    return sum(count for count, _ in found), sorted(
        (each.table, *each.key, each.what) for _, differs in found for each in differs
    )


@pytest.mark.parametrize("size", [1, 2, 7, 2_000])
def test_rows_meet_their_events(
    database_url: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few rows a fetch holds, only rows without events are left over."""
    monkeypatch.setattr(streams, "AT_A_TIME", size)
    tell(database_url, Keyring.generate(), "consent-first")
    with psycopg.connect(database_url) as conn:
        for number in LOST:
            conn.execute(PUT.encode(), (number,))
        row = conn.execute("SELECT count(*) FROM events").fetchone()
    expected = sorted(
        ("opt_out_report", number, source, "extra")
        for number in LOST
        for source in ("agent", "contact")
    )
    assert row is not None
    assert _folded(database_url) == (row[0], expected)


def test_all_is_read_as_of_one_instant(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others commit between two tables is not seen in either."""
    tell(database_url, Keyring.generate(), "consent-first")
    late: list[int] = []
    until = streams._Beside.until

    def disturbed(self: Any, raw_id: bytes) -> Any:
        if not late:
            late.append(_disturb(database_url))
        return until(self, raw_id)

    monkeypatch.setattr(streams._Beside, "until", disturbed)
    assert _folded(database_url)[1] == []
    assert late[0] > 0
    assert _folded(database_url)[1] != []


def _disturb(url: str) -> int:
    with psycopg.connect(url) as conn:
        changed: Connection[Any] = conn
        return changed.execute("UPDATE consent_status SET do_not_text = NOT do_not_text").rowcount
