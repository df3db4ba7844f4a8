"""Telling the demo's half year to the ledger, through its one writer.

Every step has an idempotency key of its own, so that a telling that was interrupted goes on where
it stopped.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace
from psycopg import AsyncConnection

from api.account_changes import KEEP_NUMBER
from api.demo import cast
from api.demo.script import told
from api.demo.telling import Scene, Step
from api.submit import digest
from consent_ledger import commands as c
from consent_ledger.account import Account
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import (
    IDEMPOTENCY_CLAIM,
    MESSAGE_CLAIM,
    Claim,
    Ledger,
    Receipt,
    Submission,
)
from consent_ledger.policy import Policy
from consent_ledger.store.accounts import AccountCache, change_account
from consent_ledger.store.connection import Connect
from consent_ledger.store.writer import Writer
from projections.inline import PROJECTIONS

SEED: Final = "consent ledger"


async def seed(connect: Connect, ring: Keyring, account_id: UUID, until: int) -> int:
    """Fills an account with a half year that ends at `until`: how many events it took."""
    async with await connect() as conn:
        account = await set_up(conn, ring, account_id)
    policy = account.policies[-1].policy
    steps = told(_scene(ring, account_id, policy, until))
    async with writing(connect, ring) as ledger:
        return await _tell(ledger, ring, account_id, steps)


def _scene(ring: Keyring, account_id: UUID, policy: Policy, until: int) -> Scene:
    marketing = tuple(
        name for name, r in policy.purposes.items() if r.marketing and r.needs_consent
    )
    return Scene(
        random=Random(SEED),
        policy=policy,
        until=until,
        keyring=ring,
        lines=lines_of(ring, account_id),
        asks=policy.consent_purposes or marketing,
    )


def lines_of(ring: Keyring, account_id: UUID) -> dict[str, UUID]:
    """The ids of the account's own numbers."""
    return {line: ring.candidate_ids(account_id, line)[-1] for line in cast.LINES}


async def set_up(conn: AsyncConnection[Any], ring: Keyring, account_id: UUID) -> Account:
    """The account with the demo's places, lines and users."""
    lines = lines_of(ring, account_id)

    def command(account: Account, now: int) -> list[Any]:
        return [] if account.locations else cast.set_up(lines)

    account, _ = await change_account(conn, account_id, command, None)
    for line, number_id in lines.items():
        await conn.execute(KEEP_NUMBER, (number_id, account_id, line))
    return account


@asynccontextmanager
async def writing(connect: Connect, ring: Keyring) -> AsyncIterator[Ledger]:
    """The ledger's one writer, for as long as there is something to tell."""
    writer = Writer(connect, AccountCache(), PROJECTIONS, ring.generations[0])
    running = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _tell(ledger: Ledger, ring: Keyring, account_id: UUID, steps: list[Step]) -> int:
    """Hands the steps over in order; only a step that refers to another waits for its receipt."""
    submitted: dict[int, asyncio.Task[Receipt]] = {}
    for place, step in enumerate(steps):
        command = step.command
        if step.after is not None and isinstance(command, c.Judge):
            command = replace(command, refers_to=(await submitted[id(step.after)]).answer.review)
        submission = _submission(ring, account_id, place, step, command)
        submitted[id(step)] = asyncio.create_task(ledger.record(submission))
    receipts = await asyncio.gather(*submitted.values())
    return sum(len(receipt.recorded) for receipt in receipts)


def _submission(
    ring: Keyring, account_id: UUID, place: int, step: Step, command: c.Command
) -> Submission:
    claims = [Claim(IDEMPOTENCY_CLAIM, digest(b"demo", str(place).encode()))]
    if step.message_id is not None and isinstance(command, c.AskMessage):
        claims.append(Claim(MESSAGE_CLAIM, digest(step.message_id.encode())))
    return Submission(
        account_id=account_id,
        candidates=ring.candidate_ids(account_id, cast.PEOPLE[step.who]),
        number=cast.PEOPLE[step.who],
        command=command,
        claims=tuple(claims),
        words=step.words,
        contacts=tuple(ring.candidate_ids(account_id, cast.PEOPLE[other]) for other in step.others),
    )
