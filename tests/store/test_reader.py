"""Checks share queries, and are still never older than the question."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg import AsyncConnection

from api.routes.checks import decide_in
from consent_ledger import account_facts as a
from consent_ledger.decision import Question
from consent_ledger.ledger import UnavailableError
from consent_ledger.store import sharing as module
from consent_ledger.store.accounts import change_account
from consent_ledger.store.connection import connector
from consent_ledger.store.view import HORIZON, READ
from consent_ledger.words import Answer, Permission, Reason
from tests.store import drive as d


def test_questions_that_come_together_share_a_query(database_url: str) -> None:
    """The first goes alone; all that arrive while it runs share the next."""

    async def main() -> None:
        account = await d.open_account(database_url)
        made: list[d.Watched] = []
        async with (
            d.writing(database_url) as writer,
            d.reading(database_url, d.watched(database_url, made)) as reader,
        ):
            numbers = d.fresh(100)
            await d.all_of(writer, [d.texted(account, number, "stop") for number in numbers[:50]])
            first = asyncio.ensure_future(reader.view(account, numbers[:1]))
            while not reader._asked:
                await asyncio.sleep(0)
            views = await asyncio.gather(*(reader.view(account, [n]) for n in numbers))
            await first
            versions = [view.number([n])[1].version for view, n in zip(views, numbers, strict=True)]
        assert versions == [1] * 50 + [0] * 50
        assert [text for text, _ in made[0].ran].count(READ) == 2

    asyncio.run(main())


def test_a_lot_is_asked_for_while_others_are_still_read(database_url: str) -> None:
    """Eight in one turn of the loop do not wait for the rest of it; nor do the next for answers."""

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.reading(database_url) as reader:
            await reader.view(account, d.fresh(1))
            first = [reader.view(account, d.fresh(1)) for _ in range(module.LOT - 1)]
            assert not reader._asked
            first.append(reader.view(account, d.fresh(1)))
            assert len(reader._asked) == module.LOT
            rest = [reader.view(account, d.fresh(1)) for _ in range(module.LOT)]
            first[0].add_done_callback(lambda _: seen.append(len(reader._asked)))
            await asyncio.gather(*first, *rest)
            assert seen == [module.LOT]

    seen: list[int] = []
    asyncio.run(main())


def test_a_large_question_is_one_look(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More numbers than a shared query takes are still read at once, and by themselves."""
    monkeypatch.setattr(module, "CHUNK", 10)

    async def main() -> None:
        account = await d.open_account(database_url)
        made: list[d.Watched] = []
        async with d.reading(database_url, d.watched(database_url, made)) as reader:
            await asyncio.gather(*(reader.view(account, d.fresh(25)) for _ in range(4)))
        assert [text for text, _ in made[0].ran].count(READ) == 4

    asyncio.run(main())


def test_a_question_never_gets_the_answer_of_a_query_that_was_sent_before_it(
    database_url: str,
) -> None:
    """A STOP commits while a query is on its way: who asks after that waits for another query."""
    gate = asyncio.Event()

    async def until_told(statement: str) -> None:
        await gate.wait()

    async def main() -> None:
        account = await d.open_account(database_url)
        (number,) = d.fresh(1)
        connect = d.watched(database_url, [], until_told)
        async with (
            d.writing(database_url) as writer,
            d.reading(database_url, connect) as reader,
        ):
            early = asyncio.ensure_future(reader.view(account, [number]))
            await asyncio.sleep(0.1)
            await writer.record(d.texted(account, number, "stop"))
            late = asyncio.ensure_future(reader.view(account, [number]))
            await asyncio.sleep(0.1)
            assert not early.done()
            gate.set()
            assert (await early).number([number])[1].version == 0
            assert (await late).number([number])[1].version == 1

    asyncio.run(main())


def test_what_was_acknowledged_is_always_seen(database_url: str) -> None:
    """The moment a fact on a number or its account is acknowledged, every reader answers by it."""

    async def texts(writer: Any, readers: list[Any], account: Any) -> None:
        (number,) = d.fresh(1)
        for i in range(60):
            receipt = await writer.record(d.texted(account, number, "start" if i % 2 else "stop"))
            for reader in readers:
                row = (await reader.view(account, [number])).number([number])[1]
                assert (row.version, row.position) == (receipt.version, receipt.position)
                assert (row.snapshot.standing.contact is None) is bool(i % 2)

    async def permits(readers: list[Any], account: Any) -> None:
        conn = await connector(readers[0])()
        for i in range(60):
            wanted = Permission.ALLOW if i % 2 else Permission.DENY
            facts = [a.UserPermissionSet("jo", wanted)]
            await change_account(conn, account, lambda _, now, facts=facts: facts, None)
            for reader in readers[1:]:
                assert (await reader.view(account, [])).account.users["jo"].permission is wanted
        await conn.close()

    async def main() -> None:
        account, other = [await d.open_account(database_url) for _ in range(2)]
        async with (
            d.writing(database_url) as one,
            d.writing(database_url) as two,
            d.reading(database_url) as here,
            d.reading(database_url) as there,
        ):
            readers = [here, there]
            work = [texts(writer, readers, account) for writer in (one, two) * 8]
            await asyncio.gather(*work, permits([database_url, *readers], other))

    asyncio.run(main())


def test_one_look_at_two_numbers_is_one_moment(database_url: str) -> None:
    """What one transaction changed together is never seen apart."""

    async def main() -> None:
        account = await d.open_account(database_url)
        pair = d.fresh(2)
        async with d.writing(database_url) as writer, d.reading(database_url) as reader:

            async def write() -> None:
                for _ in range(100):
                    await d.all_of(writer, [d.texted(account, n, "help") for n in pair])

            writes = asyncio.create_task(write())
            seen = set()
            while not writes.done():
                view = await reader.view(account, pair)
                seen.add(tuple(view.number([n])[1].version for n in pair))
                await asyncio.sleep(0)
            await writes
        assert len(seen) > 10
        assert all(one == two for one, two in seen)

    asyncio.run(main())


NEWER = msgspec.msgpack.encode({"version": 1, "standing": {"failures": 1, "guardian": [1]}})


def test_the_horizon_is_the_ledgers(database_url: str) -> None:
    """The query says it in its own words, for speed; both mean one thing."""
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE deployment SET xid_offset = 12345")
        assert conn.execute(f"SELECT {HORIZON} = ledger_horizon()").fetchone() == (True,)


def test_a_row_that_cannot_be_read_is_a_no(database_url: str) -> None:
    """A snapshot of garbage, of another shape or version, or with what a newer release put into the
    standing: deny, and the neighbours are answered as ever."""

    async def main() -> None:
        account = await d.open_account(database_url, "opt-out")
        numbers = d.fresh(6)
        async with d.writing(database_url) as writer, d.reading(database_url) as reader:
            await d.all_of(writer, [d.texted(account, number, "help") for number in numbers])
            broken = "UPDATE consent_status SET snapshot = %s WHERE number_id = %s"
            d.run(database_url, broken, b"\xc1garbage", numbers[0])
            d.run(database_url, broken, b"\x81\xa7version\xa3one", numbers[1])
            d.run(database_url, broken, NEWER, numbers[2])
            d.run(database_url, broken, b"\x81\xa1x\x01", numbers[3])
            d.run(database_url, broken, b"\x80", numbers[4])
            view = await reader.view(account, numbers)
            found = [
                decide_in(view, view.number([number])[1].standing, Question("recall"))
                for number in numbers
            ]
        assert [each.answer for each in found] == [Answer.DENY] * 5 + [Answer.ALLOW]
        assert [each.reason for each in found[:5]] == [Reason.RECORD_UNREADABLE] * 5

    asyncio.run(main())


def test_an_unknown_account_is_unavailable(database_url: str) -> None:
    """Nobody decides without a policy; who asks at the same time is answered."""

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.reading(database_url) as reader:
            asked = (reader.view(each, d.fresh(1)) for each in (account, uuid4(), account))
            one, unknown, two = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(unknown, UnavailableError)
        assert [view.account.account_id for view in (one, two)] == [account] * 2  # type: ignore[union-attr]

    asyncio.run(main())


def test_a_lost_connection_is_unavailable_and_then_forgotten(database_url: str) -> None:
    """Between queries and in the midst of one: one answer is lost, the next is as good as ever."""

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.reading(database_url) as reader:
            await reader.view(account, [])
            d.query(database_url, d.CUT)
            with pytest.raises(UnavailableError):
                await reader.view(account, [])
            assert (await reader.view(account, [])).account.account_id == account
            async with await AsyncConnection.connect(database_url) as holder:
                await holder.execute("LOCK TABLE consent_status")
                caught = asyncio.ensure_future(reader.view(account, []))
                await asyncio.sleep(0.05)
                d.query(database_url, d.CUT)
                with pytest.raises(UnavailableError):
                    await caught
            assert (await reader.view(account, [])).account.account_id == account

    asyncio.run(main())
