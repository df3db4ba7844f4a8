"""The moment of the ledger that answers a whole list: one transaction, which others can join."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple
from uuid import UUID

from api.service import Service
from consent_ledger.account import Account
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.codec import decode_account
from consent_ledger.store.keys import check_generation
from consent_ledger.store.moment import BEGIN, NOW

LOOK: Final = f"""
SELECT state, {NOW},
    (SELECT coalesce(max(generation), 0) FROM key_generation), pg_export_snapshot()
FROM account_status WHERE account_id = %s"""


class Moment(NamedTuple):
    """An account and the clock, and the name by which other transactions see the same."""

    account: Account
    state: bytes
    now: int
    snapshot: str


@asynccontextmanager
async def this_moment(service: Service, account_id: UUID) -> AsyncIterator[Moment]:
    """What holds now, until the context ends; UnavailableError where it cannot be told."""
    async with service.scrub_connection() as conn:
        await conn.execute(BEGIN)
        row = await (await conn.execute(LOOK, (account_id,))).fetchone()
        if row is None:
            raise UnavailableError("the account is unknown")
        state, now, generation, snapshot = row
        check_generation(generation, service.keyring.generations[0])
        yield Moment(decode_account(state), bytes(state), now, snapshot)
