"""Held texts that may go now: candidates by the number's facts, decided by the policy of now."""

from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from api.auth import Caller
from api.problems import Problem
from api.service import Service
from api.submit import digest
from consent_ledger.decision import UnknownPurposeError, decide
from consent_ledger.held import Held
from consent_ledger.ledger import MESSAGE_CLAIM, Claim
from consent_ledger.store.codec import decode_held
from consent_ledger.store.view import View
from consent_ledger.words import MessageState

CANDIDATES: Final = """
SELECT d.number_id, d.held, n.e164, d.position
FROM deferred_messages d LEFT JOIN numbers n USING (number_id)
WHERE d.account_id = %s AND d.state = 'deferred' AND d.position > %s
    AND (d.ready OR d.policy_version <> %s)
ORDER BY d.position LIMIT %s"""
"""Texts asked about under an older policy are candidates too: the newer one may let them go."""

PAGES: Final = 50
"""Pages of candidates read for one page of answers; a cursor goes on from there."""


class Waiting:
    """A held text with the number it is for; None where its person was erased."""

    def __init__(self, number_id: UUID, held: Held, number: str | None) -> None:
        self.number_id = number_id
        self.held = held
        self.number = number

    def state_in(self, view: View) -> MessageState:
        """Its state at the moment of a view: held, releasable or at its end."""
        if self.held.is_expired(view.now):
            return MessageState.EXPIRED
        if self.held.state is MessageState.DEFERRED and self._may_go(view):
            return MessageState.RELEASABLE
        return self.held.state

    def _may_go(self, view: View) -> bool:
        row = view.number((self.number_id,))[1]
        standing = row.standing
        others = [(i, view.number((i,))[1].standing) for i in self.held.asked.contacts]
        contacts = tuple((i, other) for i, other in others if other is not None)
        if standing is None or len(contacts) < len(others):
            return False
        question = replace(self.held.question, contacts=contacts)
        try:
            decision = decide(standing, question, view.account, view.now)
        except UnknownPurposeError:
            return False
        return decision.may_text and not self.held.is_barred(standing)


async def find_releasable(
    service: Service,
    account_id: UUID,
    after: int,
    limit: int,
    expired: list[Waiting] | None = None,
) -> tuple[list[Waiting], int | None]:
    """Up to `limit` texts that may go now, the oldest first, and where to go on, if anywhere.

    Texts that outlived their expiry are added to `expired`, so that who may write can end them.
    """
    found: list[Waiting] = []
    view = await service.reader.view(account_id, [])
    policy_version = view.account.policy_at(view.now).version
    for _ in range(PAGES):
        rows = await _candidates(service, account_id, after, policy_version, limit)
        view = await service.reader.view(account_id, _ids(rows))
        for number_id, held, number, position in rows:
            waiting = Waiting(number_id, held, number)
            state = waiting.state_in(view)
            if state is MessageState.RELEASABLE:
                found.append(waiting)
            elif state is MessageState.EXPIRED and expired is not None:
                expired.append(waiting)
            after = position
            if len(found) == limit:
                return found, after
        if len(rows) < limit:
            return found, None
    return found, after


Row = tuple[UUID, Held, str | None, int]


def _ids(rows: list[Row]) -> list[UUID]:
    ids = {number_id for number_id, _, _, _ in rows}
    ids.update(other for _, held, _, _ in rows for other in held.asked.contacts)
    return list(ids)


async def _candidates(
    service: Service, account_id: UUID, after: int, policy_version: int, limit: int
) -> list[Row]:
    params: tuple[Any, ...] = (account_id, after, policy_version, limit)
    async with service.connection() as conn:
        rows = await (await conn.execute(CANDIDATES, params)).fetchall()
    return [(row[0], decode_held(row[1]), row[2], row[3]) for row in rows]


def message_claim(message_id: str) -> Claim:
    """The claim by which a message id is known again."""
    return Claim(MESSAGE_CLAIM, digest(message_id.encode()))


FIND: Final = """
SELECT c.number_id, c.version, n.e164, d.held
FROM claims c LEFT JOIN numbers n USING (number_id)
LEFT JOIN deferred_messages d ON d.number_id = c.number_id AND d.message_id = %s
WHERE c.account_id = %s AND c.kind = %s AND c.key = %s"""


class Message:
    """A message by its id: its number, and its row where it was ever held."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.number_id: UUID = row[0]
        self.version: int = row[1]
        self.number: str | None = row[2]
        self.held: Held | None = decode_held(row[3]) if row[3] else None


async def find_message(service: Service, caller: Caller, message_id: str) -> Message:
    """The message that this account asked about by this id; else a 404."""
    claim = message_claim(message_id)
    async with service.connection() as conn:
        params = (message_id, caller.account_id, claim.kind, claim.key)
        row = await (await conn.execute(FIND, params)).fetchone()
    if row is None:
        raise Problem(404, "not-found", "No message has this id.")
    return Message(row)
