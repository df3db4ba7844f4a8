"""Held texts that may go now: candidates by the number's facts, decided by the policy of now."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from api.auth import Caller
from api.problems import Problem
from api.service import Service
from api.submit import digest
from consent_ledger.decision import Decision, UnknownPurposeError, decide
from consent_ledger.held import Held
from consent_ledger.ledger import MESSAGE_CLAIM, Claim
from consent_ledger.store.codec import decode_held
from consent_ledger.store.messages import Message
from consent_ledger.store.view import View
from consent_ledger.words import MessageState

CANDIDATES: Final = """
SELECT d.number_id, CASE WHEN d.ready OR d.policy_version <> %s THEN d.held END, n.e164, d.position
FROM (
    SELECT * FROM deferred_messages WHERE state = 'deferred' AND account_id = %s AND position > %s
    ORDER BY position LIMIT %s
) AS d LEFT JOIN numbers n USING (number_id) ORDER BY d.position"""
"""Texts asked about under an older policy are candidates too: the newer one may let them go. Those
that are none come without what they are: how many of them there are is nothing that the database
could guess, and it would sort all for a page."""
CANDIDATES_OF: Final = """
SELECT d.number_id, CASE WHEN d.position <= %s THEN d.held END, n.e164, d.position
FROM deferred_messages d LEFT JOIN numbers n USING (number_id)
WHERE d.state = 'deferred' AND d.number_id = ANY(%s) AND (d.ready OR d.policy_version <> %s)
ORDER BY d.position"""
"""By the numbers alone: a second condition with an index of its own would tempt the database. Those
that lie further on come without what they are: of a number with ten thousand texts a few are."""

PAGES: Final = 50
"""Pages of candidates read for one page of answers; a cursor goes on from there."""
PAGE: Final = 500
"""Candidates of a page at the most: some milliseconds of the database."""
SLICE: Final = 50
"""Candidates that are decided before others get their turn: a millisecond or two."""


class Waiting:
    """A held text with the number it is for; None where its person was erased."""

    def __init__(self, number_id: UUID, held: Held, number: str | None, position: int = 0) -> None:
        self.number_id = number_id
        self.held = held
        self.number = number
        self.position = position

    def state_in(self, view: View) -> MessageState:
        """Its state at the moment of a view: held, releasable or at its end."""
        return self.fate_in(view)[0]

    def fate_in(self, view: View) -> tuple[MessageState, int | None]:
        """Its state, and if it is the hour alone that holds it, when that opens."""
        if self.held.is_expired(view.now):
            return MessageState.EXPIRED, None
        decision = self._decided(view) if self.held.state is MessageState.DEFERRED else None
        if decision is None:
            return self.held.state, None
        if decision.may_text:
            return MessageState.RELEASABLE, None
        return self.held.state, decision.not_before

    def _decided(self, view: View) -> Decision | None:
        """The decision of now; None where nothing but an event or the set-up can let it go."""
        if self.number is None:
            # Nobody can be texted, and nobody is given it.
            return None
        row = view.number((self.number_id,))[1]
        standing = row.standing
        others = [(i, view.number((i,))[1].standing) for i in self.held.asked.contacts]
        contacts = tuple((i, other) for i, other in others if other is not None)
        if standing is None or len(contacts) < len(others) or self.held.is_barred(standing):
            return None
        question = replace(self.held.question, contacts=contacts)
        try:
            return decide(standing, question, view.account, view.now)
        except UnknownPurposeError:
            return None


async def find_releasable(
    service: Service, account_id: UUID, after: int, limit: int
) -> tuple[list[Waiting], int | None]:
    """Up to `limit` texts that may go now, the oldest first, and where to go on, if anywhere."""
    found: list[Waiting] = []
    view = await service.reader.view(account_id, [])
    policy_version, page = view.account.policy_at(view.now).version, limit
    for _ in range(PAGES):
        texts, end = await read_candidates(service, account_id, after, policy_version, page)
        view = await service.large_reader.view(account_id, numbers_of(texts))
        for done, waiting in enumerate(texts):
            if done % SLICE == 0:
                await asyncio.sleep(0)
            if waiting.state_in(view) is MessageState.RELEASABLE:
                found.append(waiting)
            if len(found) == limit:
                return found, waiting.position
        if end is None:
            return found, None
        after, page = end, min(PAGE, 4 * page)
    return found, after


def numbers_of(texts: Sequence[Waiting]) -> list[UUID]:
    """Every number that the decisions on texts rest on."""
    ids = {text.number_id for text in texts}
    ids.update(other for text in texts for other in text.held.asked.contacts)
    return list(ids)


async def read_candidates(
    service: Service, account_id: UUID, after: int, policy_version: int, page: int
) -> tuple[list[Waiting], int | None]:
    """Of so many texts behind a position those that may be releasable, in order; and where they
    end, or None where all were read."""
    rows = await _read(service, CANDIDATES, (policy_version, account_id, after, page))
    return _texts_of(rows), rows[-1][3] if len(rows) == page else None


async def read_candidates_of(
    service: Service, numbers: Collection[UUID], policy_version: int, through: int
) -> list[Waiting]:
    """Those of some numbers up to a position, in order."""
    params = (through, list(numbers), policy_version)
    return _texts_of(await _read(service, CANDIDATES_OF, params))


async def _read(service: Service, statement: str, params: tuple[Any, ...]) -> list[Any]:
    async with service.connection() as conn:
        return await (await conn.execute(statement.encode(), params)).fetchall()


def _texts_of(rows: Sequence[Any]) -> list[Waiting]:
    return [
        Waiting(number_id, decode_held(held), e164, position)
        for number_id, held, e164, position in rows
        if held is not None
    ]


def message_claim(message_id: str) -> Claim:
    """The claim by which a message id is known again."""
    return Claim(MESSAGE_CLAIM, digest(message_id.encode()))


async def find_message(service: Service, caller: Caller, message_id: str) -> Message:
    """The message that this account asked about by this id; else a 404."""
    key = message_claim(message_id).key
    found = await service.messages.find(caller.account_id, key, message_id)
    if found is None:
        raise Problem(404, "not-found", "No message has this id.")
    return found
