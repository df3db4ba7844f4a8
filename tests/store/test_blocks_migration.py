"""A ledger of before the blocked list has its list once it is migrated."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from consent_ledger import commands as c
from consent_ledger.facts import Evidence
from consent_ledger.ledger import Submission
from consent_ledger.store.migrate import MIGRATIONS, migrate
from consent_ledger.words import ActorKind, Basis, Channel
from tests.store import drive as d
from tests.store.histories import HOUR, now

NUMBERS: Final = 100
COMMANDS: Final = 9
"""Of each number, and few instants: most histories have facts that share one."""
BLOCKS: Final = "SELECT * FROM purpose_blocks ORDER BY number_id, purpose"
SHOWN: Final = "SELECT * FROM blocks_shown ORDER BY number_id, purpose"
KEPT: Final = ("events", "numbers")
"""All of an old ledger that the list is made of."""


def history(chance: random.Random, start: int) -> Iterator[c.Command]:
    """Blocks and what lifts them, in any order of time; some taken back, some erased."""
    for _ in range(COMMANDS):
        told = c.Told(
            chance.choice([ActorKind.AGENT, ActorKind.ADMIN]),
            chance.choice([Channel.API, Channel.IMPORT]),
            chance.choice([None, "jo", "Él"]),
            at=start + chance.randrange(4) * HOUR,
            basis=chance.choice([Basis.SENDER, Basis.IMPORT]),
            evidence=chance.choice([None, Evidence(disclosure_digest="d")]),
        )
        purpose = chance.choice(["recall", "marketing"])
        kinds = [
            *[c.BlockPurpose(told, purpose, True)] * 4,
            *[c.BlockPurpose(told, purpose, False)] * 2,
            c.RetractFact(told, chance.randrange(1, COMMANDS)),
            c.ErasePerson(told),
        ]
        # Some are told twice, so that nothing but their version tells them apart.
        yield from [chance.choice(kinds)] * chance.choice([1, 1, 2])


async def tell(url: str) -> None:
    """The histories, by today's writer."""
    chance, start = random.Random(20), now() - 48 * HOUR
    account, numbers = await d.open_account(url, "recalls"), d.fresh(NUMBERS)
    async with d.writing(url) as writer:
        for place, number in enumerate(numbers):
            e164 = f"+1415555{place:04}"
            told = [
                Submission(account, (number,), e164, command) for command in history(chance, start)
            ]
            await d.all_of(writer, told)


def copied(source: str, target: psycopg.Connection[Any]) -> None:
    """The tables of an old ledger, row by row."""
    with psycopg.connect(source) as conn:
        for table in KEPT:
            with (
                conn.cursor().copy(f"COPY {table} TO STDOUT".encode()) as out,
                target.cursor().copy(f"COPY {table} FROM STDIN".encode()) as into,
            ):
                for data in out:
                    into.write(data)


def test_the_list_is_what_the_fold_makes_of_the_events(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    """R-B1: late facts, facts of one instant, retractions and erased persons included."""
    asyncio.run(tell(database_url))
    for path in sorted(Path(str(MIGRATIONS)).glob("000[1-7]_*.sql")):
        shutil.copy(path, tmp_path)
    with psycopg.connect(empty_database_url, autocommit=True) as conn:
        migrate(conn, tmp_path)
        copied(database_url, conn)
        assert migrate(conn)[0] == "0008_purpose_blocks"
        made = [conn.execute(each.encode()).fetchall() for each in (BLOCKS, SHOWN)]
    written = [d.query(database_url, each) for each in (BLOCKS, SHOWN)]
    assert made == written
    blocks, shown = written
    assert len(blocks) > NUMBERS
    assert len({row[0] for row in blocks}) < NUMBERS
    assert {row[2] is None for row in shown} == {True, False}


async def block(url: str) -> UUID:
    """One block, recorded by today's writer."""
    account, (number,) = await d.open_account(url, "recalls"), d.fresh(1)
    async with d.writing(url) as writer:
        command = c.BlockPurpose(d.ADMIN, "recall", True)
        await writer.record(Submission(account, (number,), "+14155550131", command))
    return number


def test_a_ledger_without_blocks_is_migrated(empty_database_url: str) -> None:
    """And writes its first one then."""
    with psycopg.connect(empty_database_url, autocommit=True) as conn:
        migrate(conn)
        assert conn.execute("SELECT count(*) FROM purpose_blocks").fetchone() == (0,)
    number = asyncio.run(block(empty_database_url))
    found = d.query(empty_database_url, "SELECT number_id, e164 FROM blocks_shown")
    assert found == [(number, "+14155550131")]
