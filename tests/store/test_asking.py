"""A statement that is asked again and again: every answer is handed over, or the loss is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from consent_ledger.store import asking as module
from consent_ledger.store.asking import Asking
from consent_ledger.store.binary import array, uuids_of_bytes
from consent_ledger.store.connection import ServiceConnection, connector
from tests.store import drive as d

SECONDS = 10.0


class Heard:
    """The answers of a statement, as they come."""

    def __init__(
        self, conn: ServiceConnection, asking: Asking, answers: "asyncio.Queue[bytes | None]"
    ) -> None:
        self.conn = conn
        self.asking = asking
        self._answers = answers

    async def answer(self, *params: bytes) -> bytes | None:
        """The first value of the answer to a question."""
        self.asking.ask(params)
        return await asyncio.wait_for(self._answers.get(), SECONDS)

    async def loss(self) -> Exception:
        """Why the connection is of no more use."""
        return await asyncio.wait_for(self.asking.lost, SECONDS)


@asynccontextmanager
async def hearing(url: str, statement: str) -> AsyncIterator[Heard]:
    """Someone who asks, on a connection of their own."""
    answers: asyncio.Queue[bytes | None] = asyncio.Queue()
    conn = await connector(url)()
    asking = await conn.asking(statement, lambda result: answers.put_nowait(result.get_value(0, 0)))
    yield Heard(conn, asking, answers)
    asking.lose(psycopg.OperationalError("the test is over"))
    await conn.close()


def test_each_question_gets_its_answer(database_url: str) -> None:
    """One after the other, on one connection."""

    async def main() -> None:
        async with hearing(database_url, "SELECT unnest($1::bigint[])") as heard:
            for value in range(50):
                assert await heard.answer(array("bigint", [value])) == value.to_bytes(8)

    asyncio.run(main())


def test_a_question_of_megabytes_is_sent_in_pieces(database_url: str) -> None:
    """The socket takes some of it, and the rest when there is room."""
    ids = [number.to_bytes(16) for number in range(200_000)]

    async def main() -> None:
        async with hearing(database_url, "SELECT cardinality($1::uuid[])") as heard:
            for _ in range(3):
                assert await heard.answer(uuids_of_bytes(ids)) == len(ids).to_bytes(4)

    asyncio.run(main())


def test_the_connection_can_be_used_between_two_questions(database_url: str) -> None:
    """While it is paused for that."""

    async def main() -> None:
        async with hearing(database_url, "SELECT 1::bigint") as heard:
            for _ in range(3):
                assert await heard.answer() == (1).to_bytes(8)
                async with heard.asking.paused():
                    assert await (await heard.conn.execute("SELECT 2")).fetchone() == (2,)

    asyncio.run(main())


def test_an_error_is_a_loss(database_url: str) -> None:
    """What the database says is the reason."""

    async def main() -> None:
        async with hearing(database_url, "SELECT 1 / ($1::bigint[])[1]") as heard:
            heard.asking.ask([array("bigint", [0])])
            assert isinstance(await heard.loss(), psycopg.errors.DivisionByZero)

    asyncio.run(main())


def test_a_connection_that_is_cut_is_a_loss_at_once(database_url: str) -> None:
    """With a question under way, and with none."""

    async def main() -> None:
        for under_way in (True, False):
            async with hearing(database_url, "SELECT pg_sleep(60)") as heard:
                if under_way:
                    heard.asking.ask(())
                    await asyncio.sleep(0.1)
                d.query(database_url, d.CUT)
                assert isinstance(await heard.loss(), psycopg.OperationalError)
                # It says nothing more, whatever is asked of it.
                heard.asking.lose(ValueError())
                assert isinstance(await heard.loss(), psycopg.OperationalError)

    asyncio.run(main())


def test_an_answer_that_does_not_come_in_time_is_a_loss(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever for a database that is away."""
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)

    async def main() -> None:
        async with hearing(database_url, "SELECT pg_sleep(60)") as heard:
            heard.asking.ask(())
            assert isinstance(await heard.loss(), TimeoutError)

    asyncio.run(main())


def test_an_answer_that_cannot_be_taken_is_a_loss(database_url: str) -> None:
    """What fails in the one who takes it leaves nobody waiting."""

    def fail(found: object) -> None:
        raise ValueError("not understood")

    async def main() -> None:
        conn = await connector(database_url)()
        asking = await conn.asking("SELECT 1", fail)
        asking.ask(())
        assert isinstance(await asyncio.wait_for(asking.lost, SECONDS), ValueError)
        await conn.close()

    asyncio.run(main())
