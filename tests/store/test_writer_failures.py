"""The writer when the database goes away: nothing is acknowledged that is not there afterwards."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from consent_ledger.ledger import NotRecordedError, Receipt, Submission, UnavailableError
from consent_ledger.store import lane
from consent_ledger.store import writer as module
from consent_ledger.store.connection import connector
from consent_ledger.store.writer import Writer
from tests.store import drive as d

CUTTING_SECONDS: Final = 2.0


def test_more_than_may_wait_is_answered_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue says unavailable without waiting; what is in it is recorded all the same."""
    monkeypatch.setattr(module, "QUEUE", 4)

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.writing(database_url, running=False) as writer:
            stops = [d.texted(account, number, "stop") for number in d.fresh(7)]
            waiting = [asyncio.create_task(writer.record(stop)) for stop in stops]
            await asyncio.sleep(0)
            assert [task.done() for task in waiting] == [False] * 4 + [True] * 3
            running = asyncio.create_task(writer.run())
            results = await asyncio.gather(*waiting, return_exceptions=True)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert [type(result) for result in results] == [Receipt] * 4 + [UnavailableError] * 3

    asyncio.run(main())
    assert d.query(database_url, "SELECT count(*) FROM consent_status") == [(4,)]


def test_texts_to_be_sent_leave_room_for_what_contacts_say(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Senders are told to wait before a STOP is: their texts can, and it must not be lost."""
    monkeypatch.setattr(module, "ASKED", 2)
    monkeypatch.setattr(module, "QUEUE", 4)

    async def main() -> None:
        account, numbers = await d.open_account(database_url), d.fresh(3)
        asked = [d.asked(account, number, f"m-{number}") for number in numbers]
        stops = [d.texted(account, number, "stop") for number in numbers]
        release = d.released(account, numbers[0], f"m-{numbers[0]}", "a")
        async with d.writing(database_url, running=False) as writer:
            waiting = [
                asyncio.create_task(writer.record(each)) for each in (*asked, release, *stops)
            ]
            await asyncio.sleep(0)
            refused = [task.done() for task in waiting]
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        assert refused == [False, False, True, True, False, False, True]

    asyncio.run(main())


def test_what_waits_when_the_writer_stops_is_unavailable(database_url: str) -> None:
    """A service that stops leaves no caller waiting, nor one that believes it was recorded."""

    async def main() -> None:
        account = await d.open_account(database_url)
        (number,) = d.fresh(1)
        async with d.writing(database_url, running=False) as writer:
            running = asyncio.create_task(writer.run())
            await writer.record(d.texted(account, number, "help"))
            async with await AsyncConnection.connect(database_url) as holder:
                await holder.execute("SELECT 1 FROM consent_status FOR UPDATE")
                taken = asyncio.create_task(writer.record(d.texted(account, number, "stop")))
                await asyncio.sleep(0.05)
                queued = asyncio.create_task(writer.record(d.texted(account, number, "stop")))
                await asyncio.sleep(0)
                running.cancel()
                ends = await asyncio.gather(taken, queued, running, return_exceptions=True)
        kinds = [UnavailableError, UnavailableError, asyncio.CancelledError]
        assert [type(end) for end in ends] == kinds

    asyncio.run(main())
    d.check_ledger(database_url)


def test_a_caller_who_goes_away_does_not_disturb_the_rest(database_url: str) -> None:
    """A cancelled request stands in the queue like any other, and nobody waits for its answer."""

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.writing(database_url, running=False) as writer:
            stops = [d.texted(account, number, "stop") for number in d.fresh(3)]
            waiting = [asyncio.create_task(writer.record(stop)) for stop in stops]
            await asyncio.sleep(0)
            waiting[1].cancel()
            running = asyncio.create_task(writer.run())
            results = await asyncio.gather(*waiting, return_exceptions=True)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert [type(r) for r in results] == [Receipt, asyncio.CancelledError, Receipt]

    asyncio.run(main())
    d.check_ledger(database_url)


def test_a_connection_that_was_lost_meanwhile_costs_nobody_an_answer(database_url: str) -> None:
    """A batch that meets it has written nothing yet, so it goes on a new one without a doubt."""

    async def main() -> None:
        account = await d.open_account(database_url)
        numbers = d.fresh(5)
        async with d.writing(database_url) as writer:
            await writer.record(d.texted(account, numbers[0], "stop"))
            assert d.query(database_url, d.CUT) == [(True,)]
            again = await d.all_of(writer, [d.texted(account, n, "stop") for n in numbers])
            assert [r.version for r in again if isinstance(r, Receipt)] == [2, 1, 1, 1, 1]

    asyncio.run(main())
    d.check_ledger(database_url)


def test_a_database_that_does_not_answer_is_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told so in time, and nothing that comes later hangs behind them."""
    monkeypatch.setattr(lane, "WRITE_SECONDS", 0.3)

    async def main() -> None:
        account = await d.open_account(database_url)
        numbers = d.fresh(2)
        async with d.writing(database_url) as writer:
            await writer.record(d.texted(account, numbers[0], "help"))
            with psycopg.connect(database_url) as other:
                other.execute("SELECT FROM consent_status FOR UPDATE")
                for _ in range(2):
                    stop = d.texted(account, numbers[0], "stop")
                    (told,) = await asyncio.wait_for(d.all_of(writer, [stop]), 3)
                    assert isinstance(told, UnavailableError)
            for number in numbers:
                await writer.record(d.texted(account, number, "stop"))

    asyncio.run(main())
    d.check_ledger(database_url)


def test_a_database_that_is_away_is_unavailable(database_url: str) -> None:
    """No connection can be had for a while: every command is told so, and then it works again."""
    connect, away = connector(database_url), [True]

    async def sometimes() -> AsyncConnection[Any]:
        if away:
            raise psycopg.OperationalError("away")
        return await connect()

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.writing(database_url, sometimes) as writer:
            for _ in range(3):
                stops = [d.texted(account, number, "stop") for number in d.fresh(5)]
                lost = await d.all_of(writer, stops)
                assert {type(result) for result in lost} == {UnavailableError}
            away.clear()
            assert {type(result) for result in await d.all_of(writer, stops)} == {Receipt}

    asyncio.run(main())


def test_no_answer_leaves_before_the_commit(database_url: str) -> None:
    """While the commit hangs, the events are written and nobody has been told."""
    d.run(
        database_url,
        """
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(1);
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.topic = 'StopReceived') EXECUTE FUNCTION wait()""",
    )

    async def main() -> None:
        account = await d.open_account(database_url)
        (number,) = d.fresh(1)
        with psycopg.connect(database_url, autocommit=True) as gate:
            gate.execute("SELECT pg_advisory_lock(1)")
            async with d.writing(database_url) as writer:
                told = asyncio.create_task(writer.record(d.texted(account, number, "stop")))
                while not d.query(database_url, "SELECT 1 FROM pg_locks WHERE NOT granted"):
                    await asyncio.sleep(0.01)
                assert not told.done()
                assert d.query(database_url, "SELECT 1 FROM consent_status") == []
                gate.execute("SELECT pg_advisory_unlock(1)")
                assert (await told).version == 1
                assert d.query(database_url, "SELECT version FROM consent_status") == [(1,)]

    asyncio.run(main())


def test_a_commit_that_a_replica_may_lack_is_neither_acknowledged_nor_repeated(
    database_url: str,
) -> None:
    """A cancelled wait for a synchronous replica returns success, with a warning."""
    d.run(
        database_url,
        """
        CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE WARNING 'canceling wait for synchronous replication';
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.topic = 'StopReceived') EXECUTE FUNCTION warn()""",
    )

    async def main() -> None:
        account = await d.open_account(database_url)
        numbers = d.fresh(3)
        async with d.writing(database_url) as writer:
            stops = [d.texted(account, number, "stop") for number in numbers]
            told = await d.all_of(writer, stops)
            assert {type(result) for result in told} == {UnavailableError}
            found = d.query(database_url, "SELECT version FROM consent_status")
            assert found == [(1,)] * len(numbers)
            await writer.record(d.texted(account, numbers[0], "help"))

    asyncio.run(main())


def test_a_commit_that_fails_is_not_acknowledged(database_url: str) -> None:
    """What the database takes back at the very end was never recorded, and nobody was told so."""
    d.run(
        database_url,
        """
        CREATE FUNCTION choke() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'at the end';
        END $$;
        CREATE CONSTRAINT TRIGGER choke AFTER INSERT ON words DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION choke()""",
    )

    async def main() -> None:
        account = await d.open_account(database_url)
        one, two = d.fresh(2)
        async with d.writing(database_url) as writer:
            batch = [d.texted(account, one, "stop"), d.texted(account, two, "stop", words="stop")]
            results = await d.all_of(writer, batch)
        assert [type(result) for result in results] == [Receipt, NotRecordedError]
        assert d.query(database_url, "SELECT number_id FROM consent_status") == [(one,)]

    asyncio.run(main())


async def _cut_now_and_then(url: str, cuts: list[bool]) -> None:
    dice, end = random.Random(3), time.monotonic() + CUTTING_SECONDS
    async with await AsyncConnection.connect(url, autocommit=True) as killer:
        while time.monotonic() < end:
            await asyncio.sleep(dice.uniform(0.005, 0.1))
            cuts.extend(row[0] for row in await (await killer.execute(d.CUT)).fetchall())


async def _until_recorded(
    record: Callable[[Submission], Awaitable[Receipt]], submission: Submission
) -> tuple[Receipt, int]:
    end = time.monotonic() + CUTTING_SECONDS + 20
    for attempt in itertools.count():
        try:
            return await record(submission), attempt
        except UnavailableError:
            assert time.monotonic() < end, "the writer does not recover"
            await asyncio.sleep(0.01)
    raise AssertionError


def test_what_was_acknowledged_is_there_however_often_connections_are_cut(
    database_url: str,
) -> None:
    """Backends killed in mid flight for two seconds: what was acknowledged is there, and what was
    repeated until it was, under one claim, is there once."""

    async def one(writer: Writer, submission: Submission, after: float) -> tuple[Receipt, int]:
        await asyncio.sleep(after)
        return await _until_recorded(writer.record, submission)

    async def main() -> list[tuple[Receipt, int]]:
        account = await d.open_account(database_url)
        hot = d.fresh(10)
        cuts: list[bool] = []
        async with d.writing(database_url) as first, d.writing(database_url) as second:
            killer = asyncio.create_task(_cut_now_and_then(database_url, cuts))
            dice = random.Random(5)
            work = [
                one(
                    dice.choice((first, second)),
                    d.texted(
                        account, dice.choice([*hot, uuid4()]), "help", claims=d.claimed(f"k{i}")
                    ),
                    dice.uniform(0, CUTTING_SECONDS),
                )
                for i in range(2000)
            ]
            done = await asyncio.gather(*work)
            await killer
        assert len(cuts) > 10
        return done

    done = asyncio.run(main())
    assert sum(attempts > 0 for _, attempts in done) > 10
    d.check_acknowledged(database_url, [receipt for receipt, _ in done])
    places = {(receipt.number_id, receipt.version) for receipt, _ in done}
    assert len(places) == len(done)
    d.check_ledger(database_url)
    found = d.query(
        database_url,
        "SELECT originator_id, originator_version FROM events WHERE originator_id <> account_id",
    )
    assert set(found) == places
