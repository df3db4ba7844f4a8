"""Several batches under way: one that has to wait holds up nobody who is not of its numbers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger.ledger import Receipt, UnavailableError
from consent_ledger.store.writer import LANES, PATIENCE, SHARE
from tests.store import drive as d

LOCK = "SELECT 1 FROM consent_status WHERE number_id = ANY(%s) FOR UPDATE"


@asynccontextmanager
async def held(url: str, numbers: list[UUID]) -> AsyncIterator[None]:
    """Numbers that nobody can write to meanwhile."""
    async with await AsyncConnection.connect(url) as holder:
        await holder.execute(LOCK, (numbers,))
        yield
        await holder.rollback()


def test_a_number_that_has_to_wait_holds_up_no_other(database_url: str) -> None:
    """Its row is locked elsewhere: a STOP on another number is acknowledged all the same."""

    async def main() -> None:
        account, (stuck, other) = await d.open_account(database_url), d.fresh(2)
        async with d.writing(database_url) as writer:
            await writer.record(d.texted(account, stuck, "help"))
            async with held(database_url, [stuck]):
                waiting = asyncio.create_task(writer.record(d.texted(account, stuck, "stop")))
                await asyncio.sleep(PATIENCE)
                stop = writer.record(d.texted(account, other, "stop"))
                assert (await asyncio.wait_for(stop, 5)).version == 1
                assert not waiting.done()
            assert (await waiting).version == 2

    asyncio.run(main())
    d.check_ledger(database_url)


def test_the_commands_of_a_number_are_taken_in_their_order(database_url: str) -> None:
    """Those that come while it is being written to wait for that, and lose no race for it."""

    async def main() -> None:
        account, (number, other) = await d.open_account(database_url), d.fresh(2)
        async with d.writing(database_url) as writer:
            sizes: list[int] = []
            writer.on_batch = sizes.append
            await writer.record(d.texted(account, number, "help"))
            async with held(database_url, [number]):
                tasks = []
                for words in ("stop", "start", "stop"):
                    told = d.texted(account, number, words)
                    tasks.append(asyncio.create_task(writer.record(told)))
                    await asyncio.sleep(2 * PATIENCE)
                await writer.record(d.texted(account, other, "help"))
                assert not any(task.done() for task in tasks)
            receipts = await asyncio.gather(*tasks)
        assert [receipt.version for receipt in receipts] == [2, 3, 4]
        assert sizes == [1, 1, 1, 2]

    asyncio.run(main())
    d.check_ledger(database_url)


def test_what_waits_is_shared_among_the_lanes(database_url: str) -> None:
    """Each takes a batch that is worth its while, and all of it is recorded."""

    async def main() -> None:
        account = await d.open_account(database_url)
        for count, expected in ((SHARE, [SHARE]), (LANES * 20, [20] * LANES)):
            async with d.writing(database_url) as writer:
                sizes: list[int] = []
                writer.on_batch = sizes.append
                stops = [d.texted(account, number, "stop") for number in d.fresh(count)]
                receipts = [r for r in await d.all_of(writer, stops) if isinstance(r, Receipt)]
            assert (len(receipts), sizes) == (count, expected)
            d.check_acknowledged(database_url, receipts)

    asyncio.run(main())
    d.check_ledger(database_url)


def test_where_every_lane_has_to_wait_so_does_the_next_command(database_url: str) -> None:
    """There are no more connections than lanes, and whoever waits for one gets it in the end."""

    async def main() -> None:
        account, numbers = await d.open_account(database_url), d.fresh(LANES + 2)
        made: list[d.Watched] = []
        async with d.writing(database_url, d.watched(database_url, made)) as writer:
            helps = [d.texted(account, number, "help") for number in numbers]
            await d.all_of(writer, helps)
            async with held(database_url, numbers):
                tasks = []
                for each in helps:
                    tasks.append(asyncio.create_task(writer.record(each)))
                    await asyncio.sleep(2 * PATIENCE)
                assert len(made) == LANES
            receipts = await asyncio.gather(*tasks)
            assert len(made) == LANES
        assert {receipt.version for receipt in receipts} == {2}

    asyncio.run(main())
    d.check_ledger(database_url)


def test_whenever_the_writer_stops_everybody_is_told(database_url: str) -> None:
    """Batches that are about to begin, that are under way, and what is behind them."""

    async def main() -> None:
        account = await d.open_account(database_url)
        ends = []
        for turns in range(1, 12):
            async with d.writing(database_url, running=False) as writer:
                running = asyncio.create_task(writer.run())
                stops = [d.texted(account, number, "stop") for number in d.fresh(3 * SHARE)]
                tasks = [asyncio.create_task(writer.record(stop)) for stop in stops]
                for _ in range(turns):
                    await asyncio.sleep(0)
                running.cancel()
                waiting = asyncio.gather(running, *tasks, return_exceptions=True)
                ends += (await asyncio.wait_for(waiting, 5))[1:]
        assert {type(end) for end in ends} <= {Receipt, UnavailableError}

    asyncio.run(main())
    d.check_ledger(database_url)
