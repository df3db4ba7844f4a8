"""Reading the log by position: no event is skipped, however late its transaction commits.

The same reader without the horizon does miss events in the same runs, so the tests can fail.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from consent_ledger import facts as f
from consent_ledger.facts import Event
from consent_ledger.store.connection import connector
from consent_ledger.store.log import (
    RestoredLedgerError,
    check_positions,
    read_log,
    read_stream,
)
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.statement import EVENTS, PLACES, WriteStatement
from consent_ledger.words import ActorKind, Basis, Channel
from tests.store import drive as d

NAIVE: Final = f"SELECT {COLUMNS} FROM events WHERE position > %s ORDER BY position LIMIT %s"
STATEMENT: Final = WriteStatement(())
CONTEXT: Final = f.Context(1, Basis.PROVIDER, ActorKind.CONTACT, Channel.SMS, 1, 1)
STATE: Final = MAPPER.encode(CONTEXT, f.StopReceived())
Place = tuple[UUID, int]


async def write(conn: AsyncConnection[Any], number: UUID, versions: range) -> list[Place]:
    """Writes events of a number by the writer's own statement, in the open transaction."""
    events = [(number, v, number, i, 1, "StopReceived", STATE) for i, v in enumerate(versions)]
    assert len(events[0]) == len(EVENTS)
    params = STATEMENT.parameters([events, [], [], []])
    await conn.execute(STATEMENT.sql.encode(), params)
    return [(number, version) for version in versions]


async def read_naively(conn: AsyncConnection[Any], after: int, limit: int) -> list[Event]:
    """What read_log would be without the horizon."""
    return [
        MAPPER.event(row) for row in await (await conn.execute(NAIVE, (after, limit))).fetchall()
    ]


@asynccontextmanager
async def connected(url: str, count: int) -> AsyncIterator[list[AsyncConnection[Any]]]:
    """Connections of the service."""
    made = [await connector(url)() for _ in range(count)]
    try:
        yield made
    finally:
        for conn in made:
            await conn.close()


class Follower:
    """Reads page by page, always on from the last position it has seen."""

    def __init__(self, read: Any, conn: AsyncConnection[Any], page: int) -> None:
        self._read, self._conn, self._page = read, conn, page
        self.positions: list[int] = []
        self.seen: set[Place] = set()

    async def step(self) -> int:
        """Reads one page; returns how many events it had."""
        after = self.positions[-1] if self.positions else -1
        events = await self._read(self._conn, after, self._page)
        self.positions += [event.position for event in events]
        self.seen.update((event.originator_id, event.originator_version) for event in events)
        return len(events)

    async def follow(self, ended: asyncio.Event) -> None:
        """Reads until the writers have ended and nothing is left."""
        while await self.step() or not ended.is_set():
            await asyncio.sleep(0)


async def _write_for_a_while(conn: AsyncConnection[Any], seed: int) -> list[Place]:
    dice, number, written = random.Random(seed), uuid4(), 0
    places: list[Place] = []
    for _ in range(60):
        async with conn.transaction(force_rollback=dice.random() < 0.1) as transaction:
            pieces = dice.randint(1, 3)
            versions = range(written + 1, written + 1 + pieces)
            wrote = await write(conn, number, versions)
            # Most are short; a few hold their place in the log for a long time.
            await asyncio.sleep(dice.choice([0, 0, 0, 0.001, 0.01, 0.05]))
        if not transaction.force_rollback:
            places += wrote
            written += pieces
    return places


def test_a_reader_by_position_misses_nothing(database_url: str) -> None:
    """Sixteen writers with transactions of random length, three readers with pages of every size:
    nothing is missed and positions only grow; the reader without the horizon misses events."""

    async def main() -> None:
        ended = asyncio.Event()
        async with connected(database_url, 16) as writers, connected(database_url, 4) as readers:
            careful = [
                Follower(read_log, conn, page)
                for conn, page in zip(readers, (1, 7, 1000), strict=False)
            ]
            naive = Follower(read_naively, readers[3], 1000)
            following = [asyncio.create_task(each.follow(ended)) for each in (*careful, naive)]
            work = [_write_for_a_while(conn, seed) for seed, conn in enumerate(writers)]
            written = {place for places in await asyncio.gather(*work) for place in places}
            ended.set()
            await asyncio.gather(*following)
        assert len(written) > 1000
        for each in careful:
            assert each.seen == written
            assert each.positions == sorted(set(each.positions))
        assert written - naive.seen

    asyncio.run(main())


def test_the_horizon_waits_for_a_transaction_that_began_early(database_url: str) -> None:
    """A begins, B commits, the reader reads, A commits: A's place is before B's, and not lost."""

    async def main() -> None:
        async with connected(database_url, 4) as (one, two, three, four):
            careful, naive = Follower(read_log, three, 10), Follower(read_naively, four, 10)
            early, late = uuid4(), uuid4()
            async with one.transaction():
                await write(one, early, range(1, 3))
                async with two.transaction():
                    await write(two, late, range(1, 2))
                assert [await each.step() for each in (careful, naive)] == [0, 1]
            assert [await each.step() for each in (careful, naive)] == [3, 0]
        assert careful.seen == {(early, 1), (early, 2), (late, 1)}
        assert naive.seen == {(late, 1)}

    asyncio.run(main())


def test_a_transaction_that_has_only_a_number_yet_is_waited_for(database_url: str) -> None:
    """The place in the log is taken with the transaction's number, before its first event."""

    async def main() -> None:
        async with connected(database_url, 3) as (one, two, three):
            follower = Follower(read_log, three, 10)
            early, late = uuid4(), uuid4()
            async with one.transaction():
                await one.execute("SELECT pg_current_xact_id()")
                async with two.transaction():
                    await write(two, late, range(1, 2))
                assert await follower.step() == 0
                await write(one, early, range(1, 2))
            assert await follower.step() == 2
            first, second = await read_log(three, -1, 10)
        assert (first.originator_id, second.originator_id) == (early, late)

    asyncio.run(main())


def test_the_log_and_the_streams_tell_the_same(database_url: str) -> None:
    """What real writers recorded, account and numbers alike, reads the same either way."""

    async def main() -> None:
        account = await d.open_account(database_url)
        numbers = d.fresh(5)
        async with d.writing(database_url) as one, d.writing(database_url) as two:
            work = [
                d.all_of(writer, [d.texted(account, n, "help") for n in numbers])
                for writer in (one, two) * 5
            ]
            await asyncio.gather(*work)
        async with connected(database_url, 1) as (conn,):
            follower = Follower(read_log, conn, 13)
            while await follower.step():
                pass
            streams = [await read_stream(conn, each) for each in (account, *numbers)]
            assert await read_stream(conn, numbers[0], 3) == streams[1][:3]
        told = {(e.originator_id, e.originator_version) for stream in streams for e in stream}
        assert follower.seen == told
        assert len(told) == 2 + 50
        for stream in streams:
            assert [e.position for e in stream] == sorted(e.position or 0 for e in stream)

    asyncio.run(main())


def test_positions_go_on_growing_in_a_cluster_with_lower_transaction_ids(
    database_url: str,
) -> None:
    """After a restore the offset puts new events behind the old, and cursors stay good."""
    old, gone_on = (1 << 40) * PLACES, uuid4()
    insert = "INSERT INTO events VALUES (%s, 1, %s, %s, 1, 'StopReceived', %s)"
    d.run(database_url, insert, gone_on, gone_on, old, STATE)
    highest = f"SELECT max(position) / {PLACES} - pg_current_xact_id()::text::bigint FROM events"

    async def follow(follower: Follower) -> list[int]:
        async with connected(database_url, 1) as (conn,):
            wrote = await write(conn, uuid4(), range(1, 3))
        return [len(wrote), await follower.step()]

    async def main() -> None:
        async with connected(database_url, 1) as (conn,):
            follower = Follower(read_log, conn, 10)
            follower.positions = [old]
            # Without the offset what is new lies before what was read long ago.
            assert await follow(follower) == [2, 0]
            ((offset,),) = d.query(database_url, highest)
            d.run(database_url, "UPDATE deployment SET xid_offset = %s", offset + 1)
            assert await follow(follower) == [2, 2]
            assert follower.positions == sorted(set(follower.positions))

    asyncio.run(main())


def test_the_horizon_is_of_the_query_itself(database_url: str) -> None:
    """In a transaction with a snapshot of its own, a reader is told nothing it cannot see."""

    async def main() -> None:
        async with connected(database_url, 1) as (writer,):
            number = uuid4()
            reader = await psycopg.AsyncConnection.connect(database_url)
            await reader.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            assert await read_log(reader, -1, 10) == []
            await write(writer, number, range(1, 2))
            assert await read_log(reader, -1, 10) == []
            await reader.commit()
            assert len(await read_log(reader, -1, 10)) == 1
            await reader.close()

    asyncio.run(main())


def test_a_restored_ledger_is_refused_until_its_offset_is_raised(database_url: str) -> None:
    """A service that would write below what readers have read does not start."""
    number = uuid4()
    insert = "INSERT INTO events VALUES (%s, 1, %s, %s, 1, 'StopReceived', %s)"

    async def main() -> None:
        async with connected(database_url, 2) as (conn, busy):
            await check_positions(conn)
            async with busy.transaction():
                await busy.execute("SELECT pg_current_xact_id()")
                await write(conn, uuid4(), range(1, 2))
                # Somebody's long transaction is no sign of a restore.
                await check_positions(conn)
            d.run(database_url, insert, number, number, (1 << 40) * PLACES, STATE)
            with pytest.raises(RestoredLedgerError):
                await check_positions(conn)

    asyncio.run(main())
