"""Imported rows in the ledger: what is copied is what the events make, and races lose nothing."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from consent_ledger import commands as c
from consent_ledger.account_facts import LocationDefined
from consent_ledger.importing.rows import Row
from consent_ledger.importing.wishes import Wish
from consent_ledger.keyring import Keyring
from consent_ledger.store.accounts import AccountCache, change_account
from consent_ledger.store.codec import decode_account
from consent_ledger.store.connection import connector
from consent_ledger.store.importing import FRESH, ImportWriter
from consent_ledger.store.plans import LOCKED, look, make_plan
from consent_ledger.store.units import Job, Unit, Verdict
from consent_ledger.words import Level, Source
from projections.inline import PROJECTIONS
from projections.repair import compare
from tests.store import drive as d
from tests.store.histories import now

KEYS: Final = Keyring.generate()
HOUR: Final = 3_600_000_000
WISHES: Final = (
    Wish(Source.CONTACT),
    Wish(Source.AGENT),
    Wish(Source.SYSTEM),
    Wish(Source.AGENT, declined=True),
    Wish(declined=True),
    Wish(granted=("conversation", "recall")),
    Wish(granted=("marketing",), level=Level.EXPRESS_WRITTEN),
    Wish(),
)


def number(n: int) -> str:
    """A number by its place."""
    return f"+1415{5550000 + n}"


def rows(wishes: Sequence[Wish], start: int = 0, at: int | None = None) -> list[Row]:
    """A row for each wish, about a number of its own."""
    return [
        Row(line, None, (number(start + line),), wish, at, ())
        for line, wish in enumerate(wishes, 2)
    ]


class Store:
    """A database with an account, and what writes imports to it."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.url = url
        self.run = runner.run
        self.account_id: UUID = runner.run(d.open_account(url, "consent-first"))
        # Names of people that COPY must not take for ends of cells.
        self.job = self.another_job("ab")
        self._writer = ImportWriter(KEYS, AccountCache(), PROJECTIONS)

    def another_job(self, digest: str = "cd") -> Job:
        """An import of another file, which comes now."""
        return Job(uuid4(), self.account_id, digest * 32, now(), "a\tb\\c%d\n")

    def write(self, given: Sequence[Row], *, copies: bool = True) -> list[Verdict]:
        """Writes rows in as many units as they need; the verdicts of all."""
        found: list[Verdict] = []
        left = list(given)
        while left:
            unit, left = self.run(self._unit(left, copies))
            found += unit.verdicts()
        return found

    def told_after_a_copy(self, given: Sequence[Row]) -> Any:
        """What the report's triggers are told later in the transaction that copied rows."""
        return self.run(self._told_after_a_copy(given))

    async def _told_after_a_copy(self, given: Sequence[Row]) -> Any:
        conn = await connector(self.url)()
        try:
            cells = self._writer.cells(self.account_id, given)
            plan = make_plan(self.job, given, cells, {})
            async with conn.transaction():
                await self._writer.write(conn, self.job, plan)
                asked = await conn.execute("SELECT current_setting('consent_ledger.filled')")
                return (await asked.fetchone() or (None,))[0]
        finally:
            await conn.close()

    async def _unit(self, given: list[Row], copies: bool) -> tuple[Unit, list[Row]]:
        conn = await connector(self.url)()
        try:
            cells = self._writer.cells(self.account_id, given)
            known = await look(conn, self.account_id, cells)
            plan = make_plan(self.job, given, cells, known, copies=copies)
            async with conn.transaction():
                await self._writer.write(conn, self.job, plan)
            return plan.unit, plan.later
        finally:
            await conn.close()

    def turn_the_key(self) -> None:
        """From now on new numbers get their ids under a newer key."""
        self._writer = ImportWriter(KEYS.rotated(), AccountCache(), PROJECTIONS)

    def retract(self, verdicts: Sequence[Verdict]) -> None:
        """Takes back all that was recorded."""
        facts = [
            (UUID(bytes=number_id), version)
            for verdict in verdicts
            for number_id, first, count in verdict.facts
            for version in range(first, first + count)
        ]
        self.run(self._retract(facts))

    async def _retract(self, facts: list[tuple[UUID, int]]) -> None:
        conn = await connector(self.url)()
        try:
            async with conn.transaction():
                await self._writer.retract(conn, self.job, facts)
        finally:
            await conn.close()

    def check(self) -> None:
        """The read models are what the events make, byte for byte."""
        d.check_ledger(self.url)
        with psycopg.connect(self.url) as conn:
            assert compare(conn) == []

    def events(self) -> list[tuple[Any, ...]]:
        """All events of numbers, without what differs from write to write."""
        return d.query(
            self.url,
            "SELECT originator_id, originator_version, topic,"
            " convert_from(state, 'UTF8')::json #>> '{0,o}',"
            " convert_from(state, 'UTF8')::json #>> '{0,e}' FROM events"
            " WHERE originator_id <> account_id ORDER BY 1, 2",
        )


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store."""
    with asyncio.Runner() as runner:
        yield Store(database_url, runner)


@pytest.mark.parametrize("copies", [True, False], ids=["copied", "one by one"])
@pytest.mark.parametrize("ago", [None, 0, 1, 400_000], ids=["untimed", "now", "1h", "1980"])
def test_the_rows_of_new_numbers_are_those_that_the_events_make(
    store: Store, copies: bool, ago: int | None
) -> None:
    """Copied from a sample or handled one by one; of every kind, at any time."""
    at = None if ago is None else store.job.instant - ago * HOUR
    verdicts = store.write(rows(WISHES * 3, at=at), copies=copies)
    assert [each.status for each in verdicts] == (["accepted"] * 7 + ["unchanged"]) * 3
    store.check()
    assert len(store.events()) == 3 * 8
    assert {row[0] for row in d.query(store.url, "SELECT e164 FROM numbers")} == {
        number(row.line) for row in rows(WISHES * 3) if row.wish != Wish()
    }


def test_after_a_copy_the_report_follows_by_its_triggers_again(store: Store) -> None:
    """What they are told holds for the copied rows alone, not for the rest of the transaction."""
    assert store.told_after_a_copy(rows(WISHES)) == ""
    store.check()


def test_both_ways_record_the_same(store: Store) -> None:
    """The same events under the same ids, whichever way a number took."""
    store.write(rows(WISHES))
    copied = store.events()
    d.run(store.url, "ALTER TABLE events DISABLE TRIGGER events_are_for_ever")
    d.run(store.url, "DELETE FROM events WHERE originator_id <> account_id")
    for table in ("consent_status", "opt_out_report", "numbers"):
        d.run(store.url, f"DELETE FROM {table}")
    store.write(rows(WISHES), copies=False)
    assert store.events() == copied


def test_numbers_on_record_change_in_units_of_bounded_size(store: Store) -> None:
    """No more are locked at once than the writer locks; what changes nothing records nothing."""
    count = LOCKED + 50
    store.write(rows([Wish(granted=("conversation",))] * count))
    before = len(store.events())
    store.job = store.another_job()
    verdicts = store.write(rows([Wish(Source.CONTACT)] * count))
    assert {each.status for each in verdicts} == {"accepted"}
    assert len(store.events()) == before + count
    again = store.write(rows([Wish(Source.CONTACT)] * count))
    assert {each.status for each in again} == {"unchanged"}
    assert len(store.events()) == before + count
    store.check()


def test_what_is_taken_back_leaves_the_rest(store: Store) -> None:
    """Every fact is compensated; the rows agree, and what stood before stands again."""
    first = store.write(rows([Wish(Source.AGENT)] * 5))
    second = store.write(rows([Wish(Source.CONTACT)] * 10))
    store.retract(second)
    store.check()
    sources = d.query(store.url, "SELECT opt_out_source FROM consent_status ORDER BY 1")
    assert sources == [("agent",)] * 5 + [(None,)] * 5
    store.retract(first)
    store.check()
    assert d.query(store.url, "SELECT count(*) FROM opt_out_report") == [(0,)]


def test_a_number_that_was_not_new_any_more_fails_the_unit_alone(store: Store) -> None:
    """COPY meets a number that came in meanwhile: nothing of the unit is there, and the careful
    way then writes it."""
    given = rows([Wish(Source.CONTACT)] * 3)
    (taken,) = given[1].numbers
    number_id = KEYS.number_id(store.account_id, taken)
    d.run(store.url, "INSERT INTO numbers VALUES (%s, %s, %s)", number_id, store.account_id, taken)
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.write(given)
    assert store.events() == []
    assert {each.status for each in store.write(given, copies=False)} == {"accepted"}
    store.check()


def test_a_live_command_between_the_look_and_the_lock_is_seen(store: Store) -> None:
    """A yes of the list that was planned before a STOP is looked at again under the lock."""
    store.write(rows([Wish(granted=("recall",))]))
    given = rows([Wish(granted=("conversation",))])

    async def race() -> Verdict:
        conn = await connector(store.url)()
        writer = store._writer
        try:
            cells = writer.cells(store.account_id, given)
            known = await look(conn, store.account_id, cells)
            plan = make_plan(store.job, given, cells, known)
            assert plan.changing
            async with d.writing(store.url) as live:
                number_id = next(iter(plan.changing))
                stop = c.OptOut(d.ADMIN, Source.CONTACT)
                await live.record(d.told(store.account_id, number_id, stop))
            async with conn.transaction():
                await writer.write(conn, store.job, plan)
            return plan.unit.verdicts()[0]
        finally:
            await conn.close()

    assert store.run(race()).status == "unchanged"
    store.check()


def test_values_of_any_length_fill_their_gaps(store: Store) -> None:
    """Numbers, lines and times of every width, mixed in one unit, and all of them as the events
    make them; their positions follow each other in the order of the ids."""
    given = [
        Row(10**place + n, None, (f"+{country}{n}{'5' * digits}",), wish, at, ())
        for n, wish in enumerate(WISHES[:7])
        for place, (country, digits, at) in enumerate(
            (
                ("4930", 4, None),
                ("1415", 6, 1 << 33),
                ("4479", 7, 10**15 - 1),
                ("4915", 8, 10**15),
                ("8613", 8, store.job.instant),
            )
        )
    ]
    assert {each.status for each in store.write(given)} == {"accepted"}
    store.check()
    places = d.query(
        store.url,
        "SELECT position FROM events WHERE originator_id <> account_id"
        " ORDER BY originator_id, originator_version",
    )
    first = places[0][0]
    assert places == [(first + n,) for n in range(len(places))]


def test_what_was_made_ready_is_written_only_while_it_holds(store: Store) -> None:
    """Neither under a set-up of the account that is no longer, nor with a time long past: then the
    rows are made anew, and told once."""
    given = rows(WISHES)

    async def late(ago: int, change: bool) -> tuple[bool, list[Verdict]]:
        conn, writer = await connector(store.url)(), store._writer
        try:
            account = decode_account(d.query(store.url, "SELECT state FROM account_status")[0][0])
            cells = writer.cells(store.account_id, given)
            known = await look(conn, store.account_id, cells)
            plan = make_plan(store.job, given, cells, known)
            ready = writer.ready(store.job, plan, account, now() - ago)
            if change:
                moved = [LocationDefined("elsewhere", "Elsewhere")]
                await change_account(conn, store.account_id, lambda account, at: moved, None)
            async with conn.transaction(force_rollback=not change):
                as_it_was = await writer.write(conn, store.job, plan, ready)
            return as_it_was, plan.unit.verdicts()
        finally:
            await conn.close()

    for ago, change, expected in ((0, False, True), (FRESH, False, False), (0, True, False)):
        as_it_was, verdicts = store.run(late(ago, change))
        assert as_it_was is expected
        assert [len(each.facts) for each in verdicts] == [1] * 7 + [0]
    store.check()
    versions = d.query(
        store.url,
        "SELECT DISTINCT convert_from(state, 'UTF8')::json #>> '{0,a}' FROM events"
        " WHERE originator_id <> account_id",
    )
    assert versions == d.query(store.url, "SELECT version::text FROM account_status")


def test_a_number_keeps_the_id_of_its_first_key(store: Store) -> None:
    """Under a new key of the deployment, a number on record is found, and none is there twice."""
    store.write(rows([Wish(Source.CONTACT)] * 2))
    store.turn_the_key()
    verdicts = store.write(rows([Wish(Source.CONTACT)] * 3))
    assert [each.status for each in verdicts] == ["unchanged", "unchanged", "accepted"]
    assert len(store.events()) == 3
    store.check()
