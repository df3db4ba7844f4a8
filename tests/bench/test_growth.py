"""Ledgers that are filled to be measured hold what real ones of that size would."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from api.bench.growth import filling, people
from api.bench.growth.cloning import TABLES
from api.bench.growth.database import report_pages, sizes
from api.bench.growth.stories import STORIES, story_of
from api.cli.opening import open_account
from api.submit import digest
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import MESSAGE_CLAIM
from consent_ledger.store.connection import connect_as_owner, connector
from projections.repair import compare

TOLD, TOTAL = 100, 300
RING = Keyring.generate()

WRITTEN = """
SELECT tablename FROM pg_tables JOIN pg_attribute ON attrelid = tablename::regclass
WHERE schemaname = 'public' AND attname IN ('number_id', 'originator_id')"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
OUT_OF_ORDER = """
SELECT count(*) FROM events AS e JOIN events AS before
    ON before.originator_id = e.originator_id
    AND before.originator_version = e.originator_version - 1
WHERE before.position >= e.position"""


@pytest.fixture(params=["one by one", "without indexes"])
def filled(
    database_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[tuple[Connection[Any], UUID]]:
    """A ledger of some hundred numbers, a third of them told and the others repeated."""
    monkeypatch.setattr(filling, "TOLD", TOLD)
    monkeypatch.setattr(filling, "MANY", 1 if request.param == "without indexes" else TOTAL + 1)
    account_id = uuid4()

    async def prepare() -> None:
        async with await connector(database_url)() as conn:
            await open_account(conn, account_id, "Grown", "US", "consent-first")

    asyncio.run(prepare())
    conn = connect_as_owner(database_url)
    before = conn.execute(INDEXES).fetchall()
    filling.fill(database_url, RING, account_id, TOTAL, lambda text: None)
    assert conn.execute(INDEXES).fetchall() == before
    yield conn, account_id
    conn.close()


def test_a_filled_ledger_is_a_true_one(filled: tuple[Connection[Any], UUID]) -> None:
    """Its rows are what its events make, every number answers to its digits, and the log has one
    place for each event, in the order of each number's versions."""
    conn, account_id = filled
    with conn.transaction():
        assert compare(conn) == []
    found = {row[0] for row in conn.execute("SELECT number_id FROM consent_status")}
    asked = {RING.number_id(account_id, people.e164(i, TOTAL)) for i in range(TOTAL)}
    assert found == asked
    counts = conn.execute("SELECT count(*), count(DISTINCT position) FROM events").fetchone()
    assert counts is not None
    assert counts[0] == counts[1] > 3 * TOTAL
    settled = conn.execute("SELECT max(position) < ledger_horizon() FROM events").fetchone()
    assert settled == (True,)
    assert conn.execute(OUT_OF_ORDER).fetchone() == (0,)


def test_a_text_of_any_number_is_found_by_its_id(filled: tuple[Connection[Any], UUID]) -> None:
    """As the routes make the claim of a message's id."""
    conn, account_id = filled
    texts = conn.execute("SELECT message_id, number_id FROM deferred_messages").fetchall()
    claims = dict(
        conn.execute(
            "SELECT key, number_id FROM claims WHERE account_id = %s AND kind = %s",
            (account_id, MESSAGE_CLAIM),
        ).fetchall()
    )
    assert len({number_id for _, number_id in texts}) > TOLD * 5 // 100
    assert {number_id: claims[digest(text.encode())] for text, number_id in texts} == {
        number_id: number_id for _, number_id in texts
    }


def test_every_table_of_numbers_is_filled(database_url: str) -> None:
    """A table that joins the schema joins the filled ledgers, or they were no true ones."""
    with connect_as_owner(database_url) as conn:
        assert {row[0] for row in conn.execute(WRITTEN)} == {each.table for each in TABLES}


def test_what_is_measured_of_a_filled_ledger(
    filled: tuple[Connection[Any], UUID], database_url: str
) -> None:
    """Its sizes, and the time of the report's pages inside the database."""
    conn, account_id = filled
    found = sizes(conn)
    assert found["bytes_per_number"] > found["bytes_per_event"] > found["of_which_indexes"] > 0
    assert all(value > 0 for value in report_pages(database_url, account_id).values())


def test_nine_in_ten_numbers_are_opted_out() -> None:
    """So that the report of a large ledger is full."""
    assert sum(times for times, _ in STORIES) == 100
    assert {story_of(place) for place in range(100)} == {story for _, story in STORIES}


def test_the_reports_own_rows_are_those_of_the_opt_outs(
    filled: tuple[Connection[Any], UUID],
) -> None:
    """Triggers keep them as a ledger is used; a repetition and a count keep them here."""
    conn, _ = filled
    shown = "SELECT count(*), count(e164), count(DISTINCT e164) FROM opt_outs_shown"
    stand = "SELECT count(*) FROM opt_out_report WHERE shown"
    expected = conn.execute(stand).fetchone()
    assert expected is not None
    assert conn.execute(shown).fetchone() == (expected[0],) * 3
    assert conn.execute("SELECT sum(numbers) FROM opt_out_counts").fetchone() == expected
