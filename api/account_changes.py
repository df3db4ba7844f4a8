"""How an account is changed: in one transaction, once for each idempotency key."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from fastapi import Request

from api.auth import Caller
from api.problem_codes import KEYED
from api.responses import documented
from api.service import Service
from api.submit import idempotency, keep_answer, kept_answer
from consent_ledger.account import Account
from consent_ledger.facts import Event, Fact
from consent_ledger.store.accounts import LOCK, AccountCommand, change_account

KEEP_NUMBER: Final = """
INSERT INTO numbers (number_id, account_id, e164) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""

CHANGED: Final[dict[str, Any]] = {
    "account_version": 5,
    "position": 42,
    "recorded": ["PolicyAdopted"],
}


def documented_change(recorded: str, *codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that changes the account."""
    example = {**CHANGED, "recorded": [recorded]}
    return documented("What was recorded", "AccountChanged", example, *KEYED, *codes)


async def change(
    service: Service,
    caller: Caller,
    command: AccountCommand,
    request: Request,
    vault: Sequence[tuple[UUID, UUID, str]] = (),
) -> dict[str, Any]:
    """Changes the caller's account: what was recorded, after its commit.

    `vault`: the numbers that the facts name, kept in the same transaction.
    """
    claims = await idempotency(request)
    async with service.connection() as conn, conn.transaction():
        await conn.execute(LOCK, (caller.account_id,))
        kept = await kept_answer(service, conn, caller, claims)
        if kept is not None:
            return {**kept, "recorded": []}
        account, events = await change_account(conn, caller.account_id, command, caller.key_id)
        for row in vault:
            await conn.execute(KEEP_NUMBER, row)
        answer = _changed(account, events)
        await keep_answer(service, conn, caller, claims, answer)
    service.accounts.keep(account)
    return answer


def _changed(account: Account, events: Sequence[Event]) -> dict[str, Any]:
    return {
        "account_version": account.version,
        "position": events[-1].position if events else None,
        "recorded": [event.topic for event in events],
    }


def always(fact: Fact) -> AccountCommand:
    return lambda account, now: [fact]


async def current(service: Service, caller: Caller) -> tuple[Account, int]:
    view = await service.reader.view(caller.account_id, [])
    return view.account, view.now
