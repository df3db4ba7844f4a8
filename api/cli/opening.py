"""Opening an account in a database: its first facts, its keys, its provider's webhook."""

from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, Connection

from api.auth import FIND, INSERT_KEY, key_digests, new_key, new_key_id
from api.routes.provider_endpoints import PUT_ENDPOINT
from api.secrets_at_rest import seal
from consent_ledger import account_facts as a
from consent_ledger.account import Account
from consent_ledger.facts import Fact
from consent_ledger.keyring import Keyring
from consent_ledger.policy import preset as policy_named
from consent_ledger.store.accounts import change_account
from consent_ledger.store.codec import decode_account
from consent_ledger.words import Role

ALWAYS: Final = 0
"""The first policy has held for ever: an import may carry facts older than the account."""


async def open_account(
    conn: AsyncConnection[Any], account_id: UUID, name: str, region: str, preset: str | None
) -> Account:
    """The account, opened if it is new; a preset that is not the one in force is adopted now."""

    def command(account: Account, now: int) -> list[Fact]:
        if not account.version:
            policy = policy_named(preset or "consent-first")
            return [a.AccountOpened(name, region), a.PolicyAdopted(policy, ALWAYS)]
        if preset is None or account.policy_at(now).policy.preset == preset:
            return []
        return [a.PolicyAdopted(policy_named(preset), now)]

    account, _ = await change_account(conn, account_id, command, None)
    return account


def names_of_accounts(conn: Connection[Any]) -> set[str]:
    """The names of the accounts that a database has."""
    rows = conn.execute("SELECT state FROM account_status").fetchall()
    return {decode_account(row[0]).name for row in rows}


def working_key(
    conn: Connection[Any], ring: Keyring, account_id: UUID, role: Role, known: str | None
) -> str:
    """The key that is known, if the account has it and it was not revoked; else a new one."""
    if known is not None:
        found = conn.execute(FIND, (key_digests(ring, known),)).fetchone()
        if found is not None and found[0] == account_id:
            return known
    key = new_key(role)
    digest = key_digests(ring, key)[0]
    conn.execute(INSERT_KEY, (digest, account_id, new_key_id(), str(role), f"{role} of dev"))
    return key


def key_id_of(conn: Connection[Any], ring: Keyring, key: str) -> str:
    """The id by which a key is listed and revoked."""
    row = conn.execute(FIND, (key_digests(ring, key),)).fetchone()
    assert row is not None
    return str(row[2])


def imitate_twilio(
    conn: Connection[Any], ring: Keyring, account_id: UUID, endpoint: str, token: str
) -> None:
    """Where texts signed with this token arrive, as if Twilio sent them."""
    conn.execute(PUT_ENDPOINT, (endpoint, account_id, "twilio", seal(ring, token)))
