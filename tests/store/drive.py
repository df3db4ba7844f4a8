"""A real writer and reader on a test's database, and what is submitted to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import psycopg
from psycopg.pq.abc import PGresult

from consent_ledger import account_facts as a
from consent_ledger import commands as c
from consent_ledger.decision import Question
from consent_ledger.facts import Fact
from consent_ledger.ledger import IDEMPOTENCY_CLAIM, MESSAGE_CLAIM, Claim, Receipt, Submission
from consent_ledger.policy import amended, preset
from consent_ledger.store.accounts import AccountCache, change_account
from consent_ledger.store.asking import Answered, Asking
from consent_ledger.store.connection import (
    BY_KEY,
    Connect,
    ServiceConnection,
    connector,
    service_conninfo,
)
from consent_ledger.store.messages import Messages
from consent_ledger.store.reader import Reader
from consent_ledger.store.writer import Writer
from consent_ledger.words import ActorKind, Basis, Channel
from projections.inline import PROJECTIONS

NARROW: Final = "narrow"
RECALLS: Final = UUID(int=77)
"""A sending number of the account whose rules are narrow."""
Pause = Callable[[str], Awaitable[None]]
CONTACT: Final = c.Told(actor=ActorKind.CONTACT, channel=Channel.SMS)
SENDER: Final = c.Told(actor=ActorKind.SENDER)
ADMIN: Final = c.Told(actor=ActorKind.ADMIN, actor_id="jo")
CUT: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'consent-ledger'"""


class Watched(ServiceConnection):
    """A connection of the service that remembers what it ran and how many rows that gave or
    changed, and pauses where a test wants it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ran: list[tuple[str, int]] = []
        self.pause: Pause = _no_pause

    async def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """Runs a statement as usual; its answer waits for the pause to end."""
        cursor = await super().execute(query, *args, **options)
        text = query.decode() if isinstance(query, bytes) else query
        self.ran.append((text, cursor.rowcount))
        await self.pause(text)
        return cursor

    async def run(self, statement: str, params: Sequence[bytes | None]) -> PGresult:
        """The same of a statement that is run without a cursor."""
        result = await super().run(statement, params)
        await self._note(statement, result)
        return result

    async def asking(self, statement: str, answered: Answered) -> Asking:
        """The same of a statement that is asked again and again: its answers wait too."""

        async def hand_over(result: PGresult) -> None:
            await self._note(statement, result)
            answered(result)

        hand_overs: set[asyncio.Task[None]] = set()

        def come(result: PGresult) -> None:
            task = asyncio.create_task(hand_over(result))
            hand_overs.add(task)
            task.add_done_callback(hand_overs.discard)

        return await super().asking(statement, come)

    async def run_together(self, *statements: Any, **ends: bool) -> list[PGresult]:
        """The same of statements that go together."""
        results = await super().run_together(*statements, **ends)
        for (statement, _), result in zip(statements, results, strict=True):
            await self._note(statement, result)
        return results

    async def _note(self, statement: str, result: PGresult) -> None:
        self.ran.append((statement, result.command_tuples or 0))
        await self.pause(statement)


async def _no_pause(statement: str) -> None:
    pass


def watched(url: str, made: list[Watched], pause: Pause = _no_pause) -> Connect:
    """Opens connections that can be looked into; they are put into `made`."""

    async def connect() -> Watched:
        conninfo = service_conninfo(url, BY_KEY)
        conn = await Watched.connect(conninfo, autocommit=True, prepare_threshold=1)
        conn.pause = pause
        made.append(conn)
        return conn

    return connect


@asynccontextmanager
async def writing(
    url: str, connect: Connect | None = None, running: bool = True
) -> AsyncIterator[Writer]:
    """A writer of its own, as each process has one; `running` unless the test starts it."""
    writer = Writer(connect or connector(url, by_key=True), AccountCache(), PROJECTIONS)
    tasks = [asyncio.create_task(writer.run())] if running else []
    try:
        yield writer
    finally:
        await _end(tasks)


@asynccontextmanager
async def reading(url: str, connect: Connect | None = None) -> AsyncIterator[Reader]:
    """A reader of its own."""
    reader = Reader(connect or connector(url, by_key=True), AccountCache())
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        await _end([task])


@asynccontextmanager
async def finding(url: str, connect: Connect | None = None) -> AsyncIterator[Messages]:
    """One that finds messages."""
    messages = Messages(connect or connector(url, by_key=True))
    task = asyncio.create_task(messages.run())
    try:
        yield messages
    finally:
        await _end([task])


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def open_account(url: str, rules: str = "consent-first") -> UUID:
    """A new account that holds to a preset, or whose STOP ends what `RECALLS` serves (`NARROW`)."""
    scoped = rules == NARROW
    policy = amended("recalls", {"revoke_scope": "purpose"}) if scoped else preset(rules)
    opened: list[Fact] = [a.AccountOpened("Clinic", "US"), a.PolicyAdopted(policy, 0)]
    if scoped:
        opened.append(a.LocationDefined("main", "Main Street"))
        opened.append(a.SendingNumberDefined(RECALLS, "main", ("recall", "marketing")))
    account_id = uuid4()
    conn = await connector(url)()
    try:
        await change_account(conn, account_id, lambda account, now: opened, None)
    finally:
        await conn.close()
    return account_id


async def all_of(
    writer: Writer, submissions: Sequence[Submission]
) -> list[Receipt | BaseException]:
    """What became of submissions that are handed in at once."""
    return await asyncio.gather(*map(writer.record, submissions), return_exceptions=True)


def fresh(count: int) -> list[UUID]:
    """Ids of numbers that nobody has seen."""
    return [uuid4() for _ in range(count)]


def claimed(key: str, body: UUID | None = None) -> tuple[Claim, ...]:
    """The claim of an idempotency key."""
    return (Claim(IDEMPOTENCY_CLAIM, uuid5(NAMESPACE_OID, key), body),)


def texted(
    account: UUID, number: UUID, word: str, at: int | None = None, **more: Any
) -> Submission:
    """The contact texted a word; as one fact, as the provider is said to have answered it."""
    told = c.Told(CONTACT.actor, CONTACT.channel, at=at, basis=Basis.PROVIDER)
    answered = more.pop("answered", True)
    command = c.ReceiveText(told, word, word, "1", answered_by_provider=answered)
    return Submission(account, (number,), None, command, **more)


def told(account: UUID, number: UUID, command: c.Command, **more: Any) -> Submission:
    """Any other command."""
    return Submission(account, (number,), None, command, **more)


def asked(
    account: UUID, number: UUID, message_id: str, purpose: str = "conversation", **question: Any
) -> Submission:
    """A sender asks about a text, with the claim that its id makes."""
    command = c.AskMessage(SENDER, message_id, Question(purpose, **question))
    claim = Claim(MESSAGE_CLAIM, message_key(message_id))
    return Submission(account, (number,), None, command, (claim,))


def message_key(message_id: str) -> UUID:
    """The key of the claim that a message id makes."""
    return uuid5(NAMESPACE_OID, message_id)


def released(account: UUID, number: UUID, message_id: str, claimant: str) -> Submission:
    """A claimant asks for a held text."""
    return told(account, number, c.ReleaseMessage(SENDER, message_id, claimant))


def query(url: str, statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows, as the owner of the database sees them."""
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(statement.encode(), params or None).fetchall()


def run(url: str, statement: str, *params: Any) -> None:
    """A statement without rows, as the owner of the database."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(statement.encode(), params or None)


FAULTS: Final = {
    "versions without gaps": """
        SELECT originator_id FROM events GROUP BY originator_id
        HAVING min(originator_version) <> 1 OR max(originator_version) <> count(*)""",
    "positions told apart": "SELECT position FROM events GROUP BY position HAVING count(*) > 1",
    "positions that grow along a number": """
        SELECT originator_id FROM (
            SELECT originator_id, position - lag(position) OVER (
                PARTITION BY originator_id ORDER BY originator_version
            ) AS step FROM events
        ) steps WHERE step <= 0""",
    "rows as of the last event": """
        SELECT number_id FROM consent_status s FULL JOIN (
            SELECT originator_id, max(originator_version) AS version, max(position) AS position
            FROM events WHERE originator_id <> account_id GROUP BY originator_id
        ) e ON originator_id = number_id
        WHERE (s.version, s.position) IS DISTINCT FROM (e.version, e.position)""",
    "the report's rows": """
        SELECT s.number_id, o.number_id FROM opt_outs_shown s FULL JOIN (
            SELECT o.*, e164 FROM opt_out_report o LEFT JOIN numbers USING (number_id) WHERE shown
        ) o ON (s.account_id, s.number_id, s.source, s.since)
            = (o.account_id, o.number_id, o.source, o.since)
            AND s.e164 IS NOT DISTINCT FROM o.e164
        WHERE s.number_id IS NULL OR o.number_id IS NULL""",
    "the report's counts": """
        SELECT c.*, s.numbers FROM (
            SELECT account_id, day, source, sum(numbers) AS numbers FROM opt_out_counts
            GROUP BY 1, 2, 3 HAVING sum(numbers) <> 0
        ) c FULL JOIN (
            SELECT account_id, day_of(since) AS day, source, count(*) AS numbers
            FROM opt_out_report WHERE shown GROUP BY 1, 2, 3
        ) s USING (account_id, day, source) WHERE c.numbers IS DISTINCT FROM s.numbers""",
    "the blocked list's rows": """
        (SELECT b.account_id, b.number_id, e164, b.purpose, b.since, b.version
            FROM purpose_blocks b LEFT JOIN numbers USING (number_id)
            EXCEPT ALL SELECT account_id, number_id, e164, purpose, since, version
            FROM blocks_shown)
        UNION ALL (SELECT account_id, number_id, e164, purpose, since, version FROM blocks_shown
            EXCEPT ALL SELECT b.account_id, b.number_id, e164, b.purpose, b.since, b.version
            FROM purpose_blocks b LEFT JOIN numbers USING (number_id))""",
    "claims about events": """
        SELECT key FROM claims c LEFT JOIN events ON originator_id = number_id
            AND originator_version = c.version
        WHERE originator_id IS NULL AND c.number_id <> c.account_id""",
}


def check_ledger(url: str) -> None:
    """What holds of every database of the ledger, whatever happened to it."""
    with psycopg.connect(url, autocommit=True) as conn:
        faults = {name: conn.execute(found.encode()).fetchall() for name, found in FAULTS.items()}
    found = {name: rows for name, rows in faults.items() if rows}
    assert not found, found


def check_acknowledged(url: str, receipts: Sequence[Receipt]) -> None:
    """Every event that was acknowledged lies where its receipt says."""
    with psycopg.connect(url, autocommit=True) as conn:
        for receipt in receipts:
            rows = conn.execute(
                "SELECT topic, position FROM events WHERE originator_id = %s "
                "AND originator_version <= %s ORDER BY originator_version DESC LIMIT %s",
                (receipt.number_id, receipt.version, max(1, len(receipt.recorded))),
            ).fetchall()
            assert rows, receipt
            assert rows[0][1] == receipt.position
            if receipt.recorded:
                assert tuple(row[0] for row in reversed(rows)) == receipt.recorded
