"""Held texts handed out, each to one claimant, and to the same one again who got no answer."""

import asyncio
import contextlib
from typing import Any, Final
from uuid import UUID

from api.auth import Caller
from api.held_texts import Waiting, find_message
from api.next_texts import NextTexts
from api.service import Service
from api.submit import digest, keep_answer, kept_answer, of_row, told
from consent_ledger import commands as c
from consent_ledger.held import Held
from consent_ledger.ledger import Claim, NotRecordedError, Receipt, Submission, UnavailableError
from consent_ledger.phone_number import RefusedError
from consent_ledger.words import MessageState

Claims = tuple[Claim, ...]

TOGETHER: Final = 200
"""Texts whose wait is ended at once: they share commits, and hold up no check."""
ENDED: Final = 2 * TOGETHER
"""Texts that one request ends because they expired, before it answers: some tenths of a second. All
of a campaign would hold back what was released meanwhile, until whoever asked had gone."""


async def release_text(
    service: Service,
    caller: Caller,
    number_id: UUID,
    held: Held | None,
    command: c.ReleaseMessage,
    claims: Claims = (),
) -> Receipt:
    """Decides one text again and releases it where it may go; returns after the commit."""
    contacts = held.asked.contacts if held is not None else ()
    return await _record(service, caller, number_id, contacts, command, claims)


async def _record(
    service: Service,
    caller: Caller,
    number_id: UUID,
    contacts: tuple[UUID, ...],
    command: c.ReleaseMessage,
    claims: Claims,
) -> Receipt:
    others = tuple((i,) for i in contacts)
    return await service.writer.record(
        Submission(caller.account_id, (number_id,), None, command, claims=claims, contacts=others)
    )


async def hand_out(
    service: Service, caller: Caller, claimant: str, limit: int, claims: Claims
) -> list[dict[str, Any]]:
    """Up to `limit` of the oldest texts that may go.

    With `claims`, those of an Idempotency-Key, a claimant that got no answer is given the texts of
    the first time, whenever the service died: what is going to be tried is kept before it is, and
    each release under the key. Only ids are kept: an erased number is gone here too.
    """
    handing = _HandingOut(service, caller, claimant, claims)
    kept = await handing.kept(claims)
    if kept is not None:
        found = [await _waiting(service, caller, message_id) for message_id in kept["handed_out"]]
        return [_item(each) for each in found if each.number]
    items: list[dict[str, Any]] = []
    try:
        items = await handing.all(limit)
    finally:
        handing.texts.let_go([item["message_id"] for item in items])
    # What was released is this claimant's, whether or not this can be kept.
    with contextlib.suppress(UnavailableError):
        await handing.kept(claims, {"handed_out": [item["message_id"] for item in items]})
    return items


class _HandingOut:
    """One request's way through the texts that may go."""

    def __init__(self, service: Service, caller: Caller, claimant: str, claims: Claims) -> None:
        self._service = service
        self._caller = caller
        self._claimant = claimant
        self._claims = claims
        self._left_to_end = ENDED
        self.texts = NextTexts(service, caller.account_id)

    async def all(self, limit: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        failed: list[BaseException] = []
        lasting: list[BaseException] = []
        after: int | None = 0
        turn = 0
        while after is not None and len(items) < limit:
            found, after = await self._next(turn, limit - len(items))
            # Together, so that they share commits; one who was erased meanwhile cannot be texted.
            tries = [self._released(each) for each in found if each.number]
            tried = await asyncio.gather(*tries, return_exceptions=True)
            items += [_item(each) for each in tried if isinstance(each, Waiting)]
            failed += [each for each in tried if isinstance(each, BaseException)]
            doubt = next((e for e in failed if not isinstance(e, NotRecordedError)), None)
            if doubt is not None and (self._claims or not items):
                raise doubt
            if doubt is not None:
                # Who has no key to ask again with is given what was released: nobody else will be.
                break
            # A text that certainly was not released waits on, and holds back no other.
            lasting += await self._end_expired()
            turn += 1
        for error in (*failed, *lasting):
            if not items:
                raise error
        return items

    async def _end_expired(self) -> list[BaseException]:
        """Ends what has expired and was found on the way, or every list would read it again."""
        failed: list[BaseException] = []
        while some := self.texts.outlived(min(TOGETHER, self._left_to_end)):
            self._left_to_end -= len(some)
            try:
                ends = [
                    self._receipt(each.number_id, each.message_id, each.contacts) for each in some
                ]
                ended = await asyncio.gather(*ends, return_exceptions=True)
            finally:
                self.texts.is_over(some)
            failed += [each for each in ended if isinstance(each, BaseException)]
        return failed

    async def _next(self, turn: int, limit: int) -> tuple[list[Waiting], int | None]:
        """The texts to try in this turn, and a place where there may be more, or None."""
        service, caller, claims = self._service, self._caller, of_row(self._claims, turn)
        plan = await self.kept(claims)
        if plan is None:
            found, more = await self.texts.find(limit)
            last = 0 if more else None
            made = {"tried": [each.held.message_id for each in found], "after": last}
            plan = await self.kept(claims, made)
            if plan in (None, made):
                return found, last
        # Made before an answer that never arrived, or by the same request sent twice at once.
        tried = [await _waiting(service, caller, message_id) for message_id in plan["tried"]]
        return tried, plan["after"]

    async def kept(
        self, claims: Claims, made: dict[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """What is kept under a key, after keeping what was `made` if nothing was before."""
        if not claims:
            return None
        async with self._service.connection() as conn:
            if made is not None:
                await keep_answer(self._service, conn, self._caller, claims, made)
            return await kept_answer(self._service, conn, self._caller, claims)

    async def _released(self, waiting: Waiting) -> Waiting | None:
        """The text, where it is released by this request."""
        held = waiting.held
        receipt = await self._receipt(waiting.number_id, held.message_id, held.asked.contacts)
        released = receipt is not None and receipt.answer.state is MessageState.RELEASED
        return waiting if released else None

    async def _receipt(
        self, number_id: UUID, message_id: str, contacts: tuple[UUID, ...]
    ) -> Receipt | None:
        """What became of a text by this request; None where the rules refuse to release it."""
        command = c.ReleaseMessage(
            told(self._caller, None, self._claimant), message_id, self._claimant, anew=True
        )
        claims = tuple(
            Claim(each.kind, digest(each.key.bytes, message_id.encode()), each.body)
            for each in self._claims
        )
        try:
            return await _record(self._service, self._caller, number_id, contacts, command, claims)
        except RefusedError:
            return None


async def _waiting(service: Service, caller: Caller, message_id: str) -> Waiting:
    message = await find_message(service, caller, message_id)
    assert message.held is not None
    return Waiting(message.number_id, message.held, message.number)


def _item(waiting: Waiting) -> dict[str, Any]:
    return {
        "message_id": waiting.held.message_id,
        "number": waiting.number,
        "purpose": waiting.held.asked.purpose,
    }
