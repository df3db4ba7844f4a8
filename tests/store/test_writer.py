"""Group commit: what waits is written together, and each command still stands for itself."""

import asyncio
import random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import AsyncConnection

from consent_ledger import commands as c
from consent_ledger.decision import UnknownPurposeError
from consent_ledger.ledger import ClaimReusedError, Receipt, Submission, UnavailableError
from consent_ledger.phone_number import RefusedError
from consent_ledger.store import loading
from consent_ledger.store.statement import PLACES
from consent_ledger.store.writer import SHARE
from consent_ledger.words import MessageState
from tests.store import drive as d

POISON = """
CREATE FUNCTION choke() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'poison';
END $$;
CREATE TRIGGER choke BEFORE INSERT ON words
    FOR EACH ROW WHEN (new.body = 'poison') EXECUTE FUNCTION choke()"""


def test_what_waits_is_written_in_one_transaction(database_url: str) -> None:
    """Commands that wait become one batch: one place in the log, and an answer for each."""

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.writing(database_url) as writer:
            sizes: list[int] = []
            writer.on_batch = sizes.append
            stops = [d.texted(account, number, "stop") for number in d.fresh(SHARE)]
            receipts: list[Any] = await d.all_of(writer, stops)
        assert sizes == [SHARE]
        assert len({receipt.position // PLACES for receipt in receipts}) == 1
        d.check_acknowledged(database_url, receipts)

    asyncio.run(main())
    d.check_ledger(database_url)


def test_several_commands_on_one_number_build_on_each_other(database_url: str) -> None:
    """In one batch each command sees what the ones before it came to."""

    async def main() -> None:
        account = await d.open_account(database_url)
        (number,) = d.fresh(1)
        async with d.writing(database_url) as writer:
            results: list[Any] = await d.all_of(
                writer,
                [
                    d.asked(account, number, "m1"),
                    d.texted(account, number, "consent"),
                    d.released(account, number, "m1", "a"),
                    d.released(account, number, "m1", "b"),
                    d.texted(account, number, "stop"),
                    d.asked(account, number, "m2", "recall"),
                ],
            )
        assert [r.answer.state for r in results[:1] + results[2:3]] == ["deferred", "released"]
        assert isinstance(results[3], RefusedError)
        assert results[5].answer.state is MessageState.REFUSED
        assert [r.version for r in results if isinstance(r, Receipt)] == [2, 3, 4, 5, 6]

    asyncio.run(main())
    d.check_ledger(database_url)


def test_a_batch_knows_texts_that_ended_beside_those_that_wait(database_url: str) -> None:
    """A text is asked for again in the batch of a STOP, which ends what still waits."""

    async def main() -> None:
        account = await d.open_account(database_url)
        (number,) = d.fresh(1)
        async with d.writing(database_url) as writer:
            texts = [d.asked(account, number, text) for text in ("gone", "waits")]
            consent = d.texted(account, number, "consent")
            await d.all_of(writer, [*texts, consent, d.released(account, number, "gone", "a")])
            stop, again, later = await d.all_of(
                writer,
                [
                    d.texted(account, number, "stop"),
                    d.released(account, number, "gone", "a"),
                    d.released(account, number, "waits", "a"),
                ],
            )
        assert isinstance(stop, Receipt)
        assert isinstance(again, Receipt)
        assert isinstance(later, Receipt)
        assert stop.recorded == ("StopReceived", "MessageCancelled")
        assert (again.answer.state, again.recorded) == (MessageState.RELEASED, ())
        assert later.answer.state is MessageState.CANCELLED

    asyncio.run(main())
    d.check_ledger(database_url)


def test_a_refused_command_does_not_disturb_its_batch(database_url: str) -> None:
    """Refusals of each kind among others: those are recorded together, these leave nothing."""

    async def main() -> None:
        account = await d.open_account(database_url)
        first, second, third = d.fresh(3)
        async with d.writing(database_url) as writer:
            sizes: list[int] = []
            writer.on_batch = sizes.append
            results = await d.all_of(
                writer,
                [
                    d.texted(account, first, "stop", claims=d.claimed("k", uuid4())),
                    d.told(account, first, c.OptIn(d.ADMIN)),
                    d.told(account, second, c.Reassign(d.ADMIN, "2999-01-01")),
                    d.asked(account, second, "m1", "gossip"),
                    d.texted(account, second, "help", claims=d.claimed("k", uuid4())),
                    d.texted(account, third, "help"),
                ],
            )
        assert sizes == [6]
        kinds = [type(result) for result in results]
        refused = [RefusedError, RefusedError, UnknownPurposeError, ClaimReusedError]
        assert kinds == [Receipt, *refused, Receipt]
        d.check_acknowledged(database_url, [r for r in results if isinstance(r, Receipt)])
        streams = d.query(database_url, "SELECT number_id, version FROM consent_status")
        assert dict(streams) == {first: 1, third: 1}

    asyncio.run(main())
    d.check_ledger(database_url)


def _poisoned(kind: str, account: UUID, number: UUID) -> Submission:
    match kind:
        case "no account":
            return d.texted(uuid4(), number, "stop")
        case "load":
            return d.texted(account, number, "stop", claims=(d.Claim(99_999, uuid4()),))
        case _:
            return d.texted(account, number, "stop", words=kind)


@pytest.mark.parametrize("kind", ["poison", "nul \0", "half a pair \ud83d", "load", "no account"])
def test_a_poisoned_command_is_isolated(database_url: str, kind: str) -> None:
    """What the database or its driver chokes on is refused alone; the rest of the batch stands."""
    d.run(database_url, POISON)

    async def main() -> None:
        account = await d.open_account(database_url)
        numbers = d.fresh(9)
        batch = [d.texted(account, number, "stop", words="stop") for number in numbers]
        batch[4] = _poisoned(kind, account, numbers[4])
        async with d.writing(database_url) as writer:
            results = await d.all_of(writer, batch)
            assert isinstance(results.pop(4), UnavailableError)
            d.check_acknowledged(database_url, [r for r in results if isinstance(r, Receipt)])
            assert len([r for r in results if isinstance(r, Receipt)]) == 8
            assert (await writer.record(d.texted(account, numbers[4], "stop"))).version == 1

    asyncio.run(main())
    d.check_ledger(database_url)


def test_two_writers_lose_nothing_on_the_same_numbers(database_url: str) -> None:
    """Hot numbers, and new ones that both begin: every command counts once, versions have no gap,
    and the order of the locks leaves no deadlock."""

    async def main() -> list[Receipt | BaseException]:
        account = await d.open_account(database_url)
        hot = d.fresh(6)
        dice = random.Random(7)
        async with d.writing(database_url) as one, d.writing(database_url) as two:
            tasks = []
            for _ in range(40):
                numbers = [*hot, *d.fresh(8)]
                for writer in (one, two):
                    mixed = dice.sample(numbers, len(numbers))
                    batch = [d.texted(account, number, "help") for number in mixed]
                    tasks.append(asyncio.create_task(d.all_of(writer, batch)))
                await asyncio.sleep(dice.random() * 0.01)
            return [result for task in tasks for result in await task]

    receipts = [r for r in asyncio.run(main()) if isinstance(r, Receipt)]
    assert len(receipts) == len({(r.number_id, r.version) for r in receipts}) == 40 * 2 * 14
    d.check_acknowledged(database_url, receipts)
    d.check_ledger(database_url)
    count = "SELECT count(*) FROM events WHERE originator_id <> account_id"
    assert d.query(database_url, count) == [(len(receipts),)]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert d.query(database_url, deadlocks) == [(0,)]


def test_the_locks_are_taken_in_the_order_of_the_numbers(database_url: str) -> None:
    """Whatever order commands come in: a writer that waits for the lowest holds no higher one."""

    async def main() -> None:
        account = await d.open_account(database_url)
        low, *higher = sorted(d.fresh(5))
        async with d.writing(database_url) as writer:
            batch = [d.texted(account, number, "help") for number in (*higher[::-1], low)]
            await d.all_of(writer, batch)
            async with await psycopg.AsyncConnection.connect(database_url) as holder:
                lock = "SELECT 1 FROM consent_status WHERE number_id = %s FOR UPDATE"
                await holder.execute(lock, (low,))
                waiting = asyncio.create_task(d.all_of(writer, batch))
                await asyncio.sleep(0.1)
                free = "SELECT count(*) FROM (SELECT FROM consent_status FOR UPDATE SKIP LOCKED) s"
                assert d.query(database_url, free) == [(4,)]
            assert {type(result) for result in await waiting} == {Receipt}

    asyncio.run(main())


def test_who_comes_second_waits_before_it_reads(database_url: str) -> None:
    """What another writer makes of a number is known when its own command is handled: no race is
    lost, and nothing is handled twice."""

    async def main() -> None:
        account, (number,) = await d.open_account(database_url), d.fresh(1)
        made: list[d.Watched] = []
        connect = d.watched(database_url, made)
        async with d.writing(database_url, connect) as one, d.writing(database_url, connect) as two:
            await one.record(d.texted(account, number, "help"))
            async with await AsyncConnection.connect(database_url) as holder:
                await holder.execute("SELECT 1 FROM consent_status FOR UPDATE")
                tasks = [
                    asyncio.create_task(each.record(d.texted(account, number, "help")))
                    for each in (one, two)
                ]
                await _until_somebody_waits(holder, 2)
                await holder.rollback()
            receipts = await asyncio.gather(*tasks)
        assert sorted(receipt.version for receipt in receipts) == [2, 3]
        ran = [statement for conn in made for statement, _ in conn.ran]
        assert ran.count(loading.ROWS) == 3

    asyncio.run(main())


def test_who_is_heard_again_right_after_an_erasure_is_on_record(database_url: str) -> None:
    """Section 9: what was said since stays, and so does the number; what was said before is gone,
    also where all of it is one batch."""

    async def main() -> UUID:
        account, (number,) = await d.open_account(database_url), d.fresh(1)
        erase = d.told(account, number, c.ErasePerson(d.ADMIN))
        before, after = (
            replace(d.texted(account, number, "help", words=words), number="+14155550131")
            for words in ("before", "after")
        )
        async with d.writing(database_url) as writer:
            sizes: list[int] = []
            writer.on_batch = sizes.append
            results = await d.all_of(writer, [before, erase, after])
            assert (sizes, {type(result) for result in results}) == ([3], {Receipt})
        return number

    number = asyncio.run(main())
    read = "SELECT e164, body FROM numbers LEFT JOIN words USING (number_id) WHERE number_id = %s"
    assert d.query(database_url, read, number) == [("+14155550131", "after")]


def test_positions_grow_along_a_number_whoever_locked_what_first(database_url: str) -> None:
    """A transaction that had its id early meets a number to which a later one has written: it
    begins anew, so that a reader of the log sees the number's events in their order."""

    async def main() -> None:
        account = await d.open_account(database_url)
        first, held, last = sorted(d.fresh(3))
        async with d.writing(database_url) as one, d.writing(database_url) as two:
            for number in (first, held, last):
                await one.record(d.texted(account, number, "help"))
            async with await AsyncConnection.connect(database_url) as holder:
                await holder.execute(
                    "SELECT 1 FROM consent_status WHERE number_id = %s FOR UPDATE", (held,)
                )
                stops = [d.texted(account, number, "stop") for number in (first, held, last)]
                early = asyncio.create_task(d.all_of(one, stops))
                await _until_somebody_waits(holder)
                late = await two.record(d.texted(account, last, "help"))
                assert not early.done()
                await holder.rollback()
            results: list[Any] = await early
        assert [receipt.version for receipt in results] == [2, 2, 3]
        assert results[2].position > late.position

    asyncio.run(main())
    d.check_ledger(database_url)


async def _until_somebody_waits(conn: AsyncConnection[Any], count: int = 1) -> None:
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted OFFSET %s"
    async with asyncio.timeout(10):
        while not await (await conn.execute(waits, (count - 1,))).fetchone():
            await asyncio.sleep(0.01)
