"""Whatever happened, the rows that committed with the events are those that the events make."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Final

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consent_ledger import commands as c
from consent_ledger.decision import Question
from consent_ledger.ledger import Receipt, Submission, UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.connection import connector
from consent_ledger.store.writer import Writer
from consent_ledger.words import ActorKind, Basis, Level, Method, Preference, Source
from projections.inline import PROJECTIONS
from projections.repair import Differences, Progress, compare, rebuild
from tests.store import drive as d
from tests.store.histories import HOUR, RULES, batches, now, submission
from tests.store.rebuilt import live_rows, rebuilt_rows

EXAMPLES: Final = int(os.environ.get("REBUILD_EXAMPLES", "150"))
"""Histories tried; the suite's own number is the same ones each time."""

Batch = Sequence[tuple[int, c.Command]]


class Store:
    """A writer that lives for many histories, each on numbers of its own."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.url = url
        self.topics: set[str] = set()
        self._runner = runner
        self._conn = psycopg.connect(url, autocommit=True)
        self._writer = Writer(connector(url), AccountCache(), PROJECTIONS)
        self._accounts = {rules: runner.run(d.open_account(url, rules)) for rules in RULES}
        self._task = runner.get_loop().create_task(self._writer.run())

    def tell(self, rules: str, history: Sequence[Batch]) -> None:
        """Records a history, refusals and all; after each batch the rows are what they should."""
        numbers, start = d.fresh(2), now() - 48 * HOUR
        for batch in history:
            handed_in = [
                submission(self._accounts[rules], numbers[n], each, start) for n, each in batch
            ]
            self._runner.run(self._record(handed_in))
            assert live_rows(self._conn, numbers) == rebuilt_rows(self._conn, numbers)

    def close(self) -> None:
        """Ends the writer."""
        self._conn.close()
        self._task.cancel()
        self._runner.run(asyncio.wait([self._task]))

    async def _record(self, handed_in: list[Submission]) -> None:
        for result in await d.all_of(self._writer, handed_in):
            assert not isinstance(result, UnavailableError)
            if isinstance(result, Receipt):
                self.topics.update(result.recorded)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The store that a test's histories are told to."""
    with asyncio.Runner() as runner:
        store = Store(database_url, runner)
        try:
            yield store
        finally:
            store.close()


ASK: Final = c.AskMessage(d.SENDER, "m1", Question("conversation"))
RELEASE: Final = c.ReleaseMessage(d.SENDER, "m1", "a")


def said(word: str, at: int | None = None) -> c.ReceiveText:
    """The contact's word, at hours of the history or now."""
    told = c.Told(d.CONTACT.actor, d.CONTACT.channel, at=None if at is None else at * HOUR)
    return c.ReceiveText(told, word, word, "1")


SOME_HELP: Final[list[tuple[int, c.Command]]] = [(0, said("help", n)) for n in range(2, 10)]
GRANT: Final = c.GiveConsent(
    c.Told(ActorKind.SENDER, at=HOUR, basis=Basis.PROVIDER), ("recall",), Level.EXPRESS, Method.WEB
)
"""Consent of the very instant of a STOP, told when that has left the window."""


@given(st.sampled_from(RULES), st.lists(batches, max_size=8))
@example("consent-first", [[(0, ASK), (0, said("consent")), (0, RELEASE)], [(0, said("stop"))]])
@example("consent-first", [[(0, ASK)], [(0, said("consent"))], [(0, c.OptOut(d.ADMIN))]])
@example("consent-first", [[(0, ASK)], [(0, said("stop")), (0, said("start")), (0, ASK)]])
@example("consent-first", [[(0, said("help", n)) for n in range(1, 12)], [(0, said("stop", 0))]])
@example("consent-first", [[(0, said("stop", 1)), *SOME_HELP], [(0, GRANT)]])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="REBUILD_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def _check_random_histories(store: Store, rules: str, history: Sequence[Batch]) -> None:
    store.tell(rules, history)


def test_rows_are_what_the_events_make(store: Store) -> None:
    """Random histories of all commands: late facts, held texts and their fates, retractions,
    erasures; several commands on a number in one batch. The rows agree byte for byte."""
    _check_random_histories(store)
    d.check_ledger(store.url)
    with psycopg.connect(store.url) as conn:
        assert compare(conn) == []
    expected = {"MessageReleased", "MessageCancelled", "FactRetracted", "PersonalDataErased"}
    assert expected <= store.topics


WRONG: Final = "UPDATE consent_status SET do_not_text = NOT do_not_text"
WAITS: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""
DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def test_what_is_told_during_a_rebuild_is_kept(database_url: str) -> None:
    """R-O4: a STOP that comes when its number is folded already waits for the end; the rows that
    are put right then are not those from before it."""

    async def main() -> None:
        account, (number,) = await d.open_account(database_url), d.fresh(1)
        async with d.writing(database_url) as writer:
            await writer.record(d.texted(account, number, "help"))
            d.run(database_url, WRONG)
            loop = asyncio.get_running_loop()
            stops: list[Future[Receipt]] = []

            def tell(_: int) -> None:
                told = writer.record(d.texted(account, number, "stop"))
                stops.append(asyncio.run_coroutine_threadsafe(told, loop))
                while not stops[0].done() and d.query(database_url, WAITS) == [(0,)]:
                    time.sleep(0.01)

            found = await asyncio.to_thread(_rebuild, database_url, tell)
            assert [each.what for each in found] == ["different"]
            (stop,) = stops
            assert (await asyncio.wrap_future(stop)).recorded == ("StopReceived",)

    asyncio.run(main())
    d.check_ledger(database_url)
    # Nor did it hold anything that the rebuild had to wait for.
    assert d.query(database_url, DEADLOCKS) == [(0,)]
    with psycopg.connect(database_url) as conn:
        assert compare(conn) == []


def _rebuild(url: str, progress: Progress) -> Differences:
    with psycopg.connect(url) as conn, conn.transaction():
        return rebuild(conn, progress)


def test_a_long_history_in_one_batch_or_many(store: Store) -> None:
    """The same commands one at a time, a few at a time and all at once leave rows that agree."""
    story: list[tuple[int, c.Command]] = [
        (0, ASK),
        (0, c.RecordPreference(d.ADMIN, "pms", Preference.UNREADABLE)),
        (0, said("consent")),
        (0, c.OptOut(d.ADMIN)),
        (0, RELEASE),
        (0, c.OptIn(d.ADMIN)),
        (0, c.AskMessage(d.SENDER, "m2", Question("marketing"))),
        (0, RELEASE),
        (0, c.OptOut(d.ADMIN, Source.SYSTEM)),
        (0, said("stop")),
        (0, c.ErasePerson(d.ADMIN)),
        (0, said("start")),
    ]
    for size in (1, 3, len(story)):
        store.tell("consent-first", [story[i : i + size] for i in range(0, len(story), size)])
