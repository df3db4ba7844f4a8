"""A number with 100,000 texts costs what one with ten does: no check and no command reads them."""

import asyncio
from contextlib import nullcontext
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from msgspec.structs import replace

from consent_ledger import commands as c
from consent_ledger.ledger import Receipt, Submission
from consent_ledger.moments import EARLIEST
from consent_ledger.store.codec import decode_snapshot, encode_snapshot
from tests.store import drive as d

MANY: Final = 100_000
TEXTS: Final = 10

# More of the text's last event, as if it had been asked about again and again.
COPY_EVENTS: Final = """
INSERT INTO events
SELECT originator_id, originator_version + n, account_id, position + n, recorded_at, topic, state
FROM events, generate_series(1, %s) AS n
WHERE originator_id = %s AND originator_version = %s"""
COPY_HELD: Final = """
INSERT INTO deferred_messages
SELECT number_id, message_id || n, account_id, position, state, ready, policy_version, held
FROM deferred_messages, generate_series(1, %s) AS n WHERE number_id = %s AND state = 'released'"""
GROWN: Final = """
UPDATE consent_status SET version = version + %s, position = position + %s, snapshot = %s
WHERE number_id = %s RETURNING length(snapshot)"""
READ_FROM: Final = """
SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables
WHERE relname IN ('events', 'deferred_messages')"""


class Numbers:
    """Two numbers with the same past, but for the texts that one was asked about."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.small, self.large = d.fresh(2)
        self.account = asyncio.run(self._begin())
        self._grow()

    async def _begin(self) -> UUID:
        account = await d.open_account(self.url)
        async with d.writing(self.url) as writer:
            for number in (self.small, self.large):
                m = f"{number}-"
                await writer.record(d.asked(account, number, f"{m}held"))
                await writer.record(d.asked(account, number, f"{m}released"))
                await writer.record(d.texted(account, number, "consent"))
                await writer.record(d.released(account, number, f"{m}released", "a"))
                for i in range(TEXTS):
                    await writer.record(d.asked(account, number, f"{m}{i}", "recall"))
        return account

    def _grow(self) -> None:
        more = MANY - TEXTS
        with psycopg.connect(self.url, autocommit=True) as conn:
            ((row, version),) = conn.execute(
                "SELECT snapshot, version FROM consent_status WHERE number_id = %s", (self.large,)
            ).fetchall()
            grown = replace(decode_snapshot(row), version=version + more)
            conn.execute(COPY_EVENTS, (more, self.large, version))
            conn.execute(COPY_HELD, (more, self.large))
            params = (more, more, encode_snapshot(grown), self.large)
            (self.size,) = conn.execute(GROWN, params).fetchall()


@pytest.fixture
def numbers(database_url: str) -> Numbers:
    """The small number and the large."""
    return Numbers(database_url)


Cost = list[tuple[str, int]]


async def _cost(
    url: str, made: list[d.Watched], work: Any, paused: Any = nullcontext
) -> tuple[Cost, dict[str, int]]:
    """The statements that some work runs with the rows of each, and the rows that they touch.

    The connection is looked at while it is `paused`.
    """
    await work()  # Connects and prepares, so that only the second time is counted.
    (conn,) = made
    async with paused():
        await conn.execute("SELECT pg_stat_force_next_flush()")
    before = dict(d.query(url, READ_FROM))
    conn.ran.clear()
    await work()
    ran = list(conn.ran)
    async with paused():
        await conn.execute("SELECT pg_stat_force_next_flush()")
    after = dict(d.query(url, READ_FROM))
    return ran, {name: after[name] - before[name] for name in after}


COMMANDS: Final = {
    "a text is asked about": lambda n, m, i: d.asked(n.account, m, f"{m}new{i}", "recall"),
    "a text is asked about again": lambda n, m, i: d.asked(n.account, m, f"{m}-3", "recall"),
    "a word": lambda n, m, i: d.texted(n.account, m, "help", claims=d.claimed(f"{m}{i}")),
    "an opt-out": lambda n, m, i: d.told(n.account, m, c.OptOut(d.ADMIN)),
    "a release": lambda n, m, i: d.released(n.account, m, f"{m}-held", "b"),
    "a STOP": lambda n, m, i: d.texted(n.account, m, "stop"),
    "a report": lambda n, m, i: d.told(
        n.account, m, c.ReportDelivery(d.SENDER, "twilio", "0", "delivered", f"{m}-3", 14)
    ),
}


def test_their_snapshots_are_of_one_size(numbers: Numbers) -> None:
    """But for the digits of the version, and a stream a thousand times as long."""
    sizes = d.query(numbers.url, "SELECT number_id, length(snapshot) FROM consent_status")
    assert abs(dict(sizes)[numbers.small] - dict(sizes)[numbers.large]) <= 4
    count = "SELECT count(*) FROM events WHERE originator_id = %s"
    ((large,),) = d.query(numbers.url, count, numbers.large)
    assert large > MANY


def test_a_check_costs_the_same(numbers: Numbers) -> None:
    """One statement, two rows, and not one row of the log or of the texts."""

    async def main() -> None:
        for number in (numbers.small, numbers.large):
            made: list[d.Watched] = []
            async with d.reading(numbers.url, d.watched(numbers.url, made)) as reader:
                ran, touched = await _cost(
                    numbers.url,
                    made,
                    lambda n=number: reader.view(numbers.account, [n]),
                    lambda r=reader: r._asking.paused(),
                )
            assert [rows for _, rows in ran] == [2]
            assert touched == {"events": 0, "deferred_messages": 0}

    asyncio.run(main())


def test_a_command_costs_the_same(numbers: Numbers) -> None:
    """Every kind of command runs the same statements, with as many rows, on either number."""

    async def cost(number: UUID, name: str) -> tuple[Cost, dict[str, int]]:
        made: list[d.Watched] = []
        done: list[Receipt] = []

        async def work() -> None:
            submission: Submission = COMMANDS[name](numbers, number, len(done))
            done.append(await writer.record(submission))

        async with d.writing(numbers.url, d.watched(numbers.url, made)) as writer:
            return await _cost(numbers.url, made, work)

    async def main() -> None:
        for name in COMMANDS:
            small, large = [await cost(n, name) for n in (numbers.small, numbers.large)]
            assert small[0] == large[0], name
            # What is touched: the events that a claim or a report names, the texts that wait.
            assert small[1] == large[1], name
            assert sum(large[1].values()) <= 6, name

    asyncio.run(main())


def test_a_late_fact_reads_only_the_facts_that_count(numbers: Numbers) -> None:
    """A word from before the window brings the words, not the texts that were asked about."""

    async def main() -> None:
        made: list[d.Watched] = []
        async with d.writing(numbers.url, d.watched(numbers.url, made)) as writer:
            words = [d.texted(numbers.account, numbers.large, "help") for _ in range(12)]
            await d.all_of(writer, words)
            (conn,) = made
            conn.ran.clear()
            late = d.texted(numbers.account, numbers.large, "stop", at=EARLIEST)
            receipt = await writer.record(late)
            assert receipt.version > MANY
            assert all(rows < 30 for _, rows in conn.ran)
            assert any("topic = ANY" in text for text, _ in conn.ran)

    asyncio.run(main())
