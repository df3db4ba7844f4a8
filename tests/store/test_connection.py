"""Statements that run without a cursor: prepared once, in binary, together in one round trip."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from consent_ledger.store.binary import array, integer, uuids
from consent_ledger.store.connection import ServiceConnection, connector
from consent_ledger.store.loading import CLAIMED, ROWS
from consent_ledger.store.statement import WriteStatement
from consent_ledger.store.view import READ
from projections.inline import PROJECTIONS
from tests.store import drive as d

ONE = "SELECT $1::integer[]"
NUMBERS = [array("integer", [1])]
Act = Callable[[ServiceConnection], Awaitable[None]]


def with_connection(url: str, act: Act) -> None:
    """Does something with a connection of the service."""

    async def main() -> None:
        async with await connector(url)() as conn:
            await act(conn)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid", [uuid4(), None, uuid4()]),
        ("integer", [0, -1, 2**31 - 1, -(2**31), None]),
        ("bigint", [0, -1, 2**63 - 1, -(2**63), None]),
        ("smallint", [0, -1, 2**15 - 1, None]),
        ("text", ["", "naïve 中文 🚫", "a,b{}\"'\\", None]),
        ("bytea", [b"", b"\0\xff\\", None]),
        ("boolean", [True, False, None]),
        ("uuid", []),
        ("text", [None]),
    ],
)
def test_arrays_arrive_as_they_were_sent(
    database_url: str, kind: str, values: list[object]
) -> None:
    """What PostgreSQL makes of our binary form is what the driver's own reading gives back."""

    async def act(conn: ServiceConnection) -> None:
        await conn.execute("SET ROLE NONE")
        await conn.execute(f"CREATE TEMPORARY TABLE sent (items {kind}[])".encode())
        await conn.run(f"INSERT INTO sent VALUES ($1::{kind}[])", [array(kind, values)])
        cursor = await conn.execute("SELECT items FROM sent")
        assert await cursor.fetchall() == [(values,)]

    with_connection(database_url, act)


def test_several_statements_are_one_transaction(database_url: str) -> None:
    """With the begin and the end in the same round trip, or only one of them."""

    async def act(conn: ServiceConnection) -> None:
        await conn.run_together((ONE, NUMBERS), begin=True)
        assert conn.info.transaction_status.name == "INTRANS"
        (found,) = await conn.run_together(("SELECT 7", ()), commit=True)
        assert integer(found.get_value(0, 0) or b"") == 7
        assert conn.info.transaction_status.name == "IDLE"

    with_connection(database_url, act)


@pytest.mark.parametrize("ends", [{}, {"begin": True}, {"commit": True}, {"begin": 1, "commit": 1}])
def test_the_first_failure_is_told_and_nothing_after_it_is_run(
    database_url: str, ends: dict[str, bool]
) -> None:
    """A division by zero, before a statement that would be fine; the connection stays usable."""

    async def act(conn: ServiceConnection) -> None:
        for _ in range(2):
            with pytest.raises(errors.DivisionByZero):
                await conn.run_together(("SELECT 1 / 0", ()), (ONE, NUMBERS), **ends)
            await conn.rollback()
            assert (await conn.run(ONE, NUMBERS)).ntuples == 1

    with_connection(database_url, act)


def test_what_was_prepared_outlives_a_rollback(database_url: str) -> None:
    """The driver's own rollback forgets all that was prepared, ours with it."""

    async def act(conn: ServiceConnection) -> None:
        await conn.execute("SELECT %s", (1,), prepare=True)
        await conn.run_together((ONE, NUMBERS), begin=True)
        await conn.rollback()
        await conn.run_together((ONE, NUMBERS), begin=True, commit=True)
        with suppress(ZeroDivisionError):
            async with conn.transaction():
                await conn.run(ONE, NUMBERS)
                raise ZeroDivisionError
        async with conn.transaction():
            await conn.run(ONE, NUMBERS)
        assert await (await conn.execute("SELECT %s", (1,), prepare=True)).fetchone() == (1,)

    with_connection(database_url, act)


@pytest.mark.parametrize("together", [True, False])
def test_a_connection_that_is_gone_is_an_operational_error(
    database_url: str, together: bool
) -> None:
    """Whatever was under way: the writer takes it for a commit in doubt, never for a refusal."""

    async def act(conn: ServiceConnection) -> None:
        ask = conn.run_together((ONE, NUMBERS), begin=True, commit=True)
        with pytest.raises(psycopg.OperationalError):
            await (ask if together else conn.run(ONE, NUMBERS))
        ask.close()

    async def cut(conn: ServiceConnection) -> None:
        await conn.run(ONE, NUMBERS)
        one = d.CUT.replace("WHERE", "WHERE pid = %s AND")
        d.run(database_url, one, conn.info.backend_pid)
        await act(conn)

    with_connection(database_url, cut)


def test_a_question_and_an_answer_of_any_size_go_through(database_url: str) -> None:
    """Some megabytes each way: more than the sockets take at once."""

    async def act(conn: ServiceConnection) -> None:
        data = b"x" * 8_000_000
        found = await conn.run("SELECT $1::bytea[]", [array("bytea", [data])])
        assert (found.get_value(0, 0) or b"").endswith(data)
        assert integer((await conn.run("SELECT 7")).get_value(0, 0) or b"") == 7

    with_connection(database_url, act)


def test_a_connection_whose_statement_was_given_up_is_closed(database_url: str) -> None:
    """Its answer, still to come, would be taken for the next statement's."""

    async def act(conn: ServiceConnection) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await conn.run("SELECT pg_sleep(30)")
        assert conn.closed

    with_connection(database_url, act)


@pytest.mark.parametrize("statement", [READ, ROWS, CLAIMED, WriteStatement(PROJECTIONS).numbered])
def test_what_finds_its_rows_by_key_is_planned_once_and_scans_no_table(
    database_url: str, statement: str
) -> None:
    """A plan made while the ledger is empty is kept while it grows."""

    async def main() -> None:
        async with await connector(database_url, by_key=True)() as conn:
            kinds = await _parameters(conn, statement)
            await conn.run(statement, [array(kind, []) for kind in kinds])
            cursor = await conn.execute("""
                SELECT name, custom_plans FROM pg_prepared_statements WHERE name LIKE 'run%'""")
            ((name, planned),) = await cursor.fetchall()
            assert planned == 0
            nothing = ", ".join(["NULL"] * len(kinds))
            cursor = await conn.execute(f"EXPLAIN EXECUTE {name}({nothing})".encode())
            plan = [line for (line,) in await cursor.fetchall()]
            scanned = [line for line in plan if "Seq Scan" in line]
            assert all("deployment" in line for line in scanned), scanned

    asyncio.run(main())


async def _parameters(conn: ServiceConnection, statement: str) -> list[str]:
    """The element types of a statement's arrays."""
    await conn.execute("SET ROLE NONE")
    await conn.execute(f"PREPARE asked AS {statement}".encode())
    cursor = await conn.execute("""
        SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'asked'""")
    return [kind.removesuffix("[]") for (kind,) in await cursor.fetchall()]


def test_no_ids_are_an_empty_array(database_url: str) -> None:
    """A command without claims asks for none."""

    async def act(conn: ServiceConnection) -> None:
        found = await conn.run("SELECT cardinality($1::uuid[])", [uuids([])])
        assert integer(found.get_value(0, 0) or b"") == 0

    with_connection(database_url, act)
