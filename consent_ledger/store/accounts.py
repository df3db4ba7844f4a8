"""Accounts: kept by version in memory, changed by facts, one transaction each."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger import facts as f
from consent_ledger.account import Account, check_account_fact, evolve_account
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.codec import decode_account, encode_account
from consent_ledger.store.mapper import MAPPER
from consent_ledger.store.moment import NOW
from consent_ledger.words import ActorKind, Basis, Channel

SELECT: Final = "SELECT version, state FROM account_status WHERE account_id = %s"
LOCK: Final = f"{SELECT} FOR NO KEY UPDATE"
CLOCK: Final = f"SELECT {NOW}"

INSERT_EVENT: Final = """
INSERT INTO events
    (originator_id, originator_version, account_id, position, recorded_at, topic, state)
VALUES (%s, %s, %s, ledger_base() + %s, %s, %s, %s)
RETURNING position"""

UPSERT: Final = """
INSERT INTO account_status (account_id, version, state) VALUES (%s, %s, %s)
ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, state = excluded.state"""

AccountCommand = Callable[[Account, int], Sequence[f.Fact]]
"""(account, instant) to facts; raises SetUpError or PolicyError where it cannot be."""


class AccountCache:
    """Accounts by id, at the latest version that anybody here has seen."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, Account] = {}

    async def at(
        self, conn: AsyncConnection[Any], account_id: UUID, version: int | None
    ) -> Account:
        """The account at `version` or later; UnavailableError where there is no such account."""
        if version is None:
            raise UnavailableError("the account is unknown")
        known = self.known(account_id, version)
        if known is not None:
            return known
        row = await (await conn.execute(SELECT, (account_id,))).fetchone()
        if row is None:
            raise UnavailableError("the account is unknown")
        account = decode_account(row[1])
        self._accounts[account_id] = account
        return account

    def known(self, account_id: UUID, version: int) -> Account | None:
        """The account at `version` or later, if that was seen here."""
        known = self._accounts.get(account_id)
        return known if known is not None and known.version >= version else None

    def seen(self, account_id: UUID) -> Account | None:
        """What was last seen of an account; for texts and defaults, never for a decision."""
        return self._accounts.get(account_id)

    def keep(self, account: Account) -> None:
        """Keeps an account that was just changed here."""
        known = self._accounts.get(account.account_id)
        if known is None or known.version < account.version:
            self._accounts[account.account_id] = account


async def change_account(
    conn: AsyncConnection[Any], account_id: UUID, command: AccountCommand, actor_id: str | None
) -> tuple[Account, list[f.Event]]:
    """Changes an account by the facts that `command` finds, in one transaction."""
    async with conn.transaction():
        row = await (await conn.execute(LOCK, (account_id,))).fetchone()
        account = decode_account(row[1]) if row else Account(account_id)
        clock = await (await conn.execute(CLOCK)).fetchone()
        assert clock is not None
        now = int(clock[0])
        events: list[f.Event] = []
        for fact in command(account, now):
            check_account_fact(account, fact, account.policies_from(now))
            account = evolve_account(account, fact)
            events.append(await _append(conn, account, fact, now, len(events), actor_id))
        if events:
            state = encode_account(account)
            await conn.execute(UPSERT, (account_id, account.version, state))
    return account, events


async def _append(
    conn: AsyncConnection[Any],
    account: Account,
    fact: f.Fact,
    now: int,
    ordinal: int,
    actor_id: str | None,
) -> f.Event:
    context = f.Context(
        at=now,
        basis=Basis.LEDGER,
        actor=ActorKind.ADMIN,
        channel=Channel.API,
        policy_version=len(account.policies),
        account_version=account.version,
        actor_id=actor_id,
    )
    account_id, version = account.account_id, account.version
    topic, state = MAPPER.topic(fact), MAPPER.encode(context, fact)
    params = (account_id, version, account_id, ordinal, now, topic, state)
    row = await (await conn.execute(INSERT_EVENT, params)).fetchone()
    assert row is not None
    return f.Event(account_id, version, account_id, now, context, fact, int(row[0]))
