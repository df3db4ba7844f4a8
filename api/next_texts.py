"""The oldest held texts that may go now, for whoever releases them (contract section 5)."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from api.backlog import START, Backlog, Outlived
from api.held_texts import (
    PAGE,
    SLICE,
    Waiting,
    numbers_of,
    read_candidates,
    read_candidates_of,
)
from api.service import Service
from consent_ledger.store.view import View
from consent_ledger.words import MessageState

LOOKING_SECONDS: Final = 1.0
"""A request that finds nothing for so long is answered with nothing: the next one goes on."""
FEW: Final = 20
"""Candidates of the first page; the next ones are larger."""
EVENTS: Final = 5_000
"""Events since the last look from which all texts are looked at again: it takes as long."""

CHANGED: Final = f"""
SELECT ledger_horizon(), ARRAY(
    SELECT originator_id FROM events WHERE account_id = %s AND position > %s
    ORDER BY position LIMIT {EVENTS}
)"""
"""Where the log is settled to, and what numbers were recorded of behind a position."""


class NextTexts:
    """One request's search for texts of an account; it has in hand what it found."""

    def __init__(self, service: Service, account_id: UUID) -> None:
        self._service = service
        self._account_id = account_id
        self._backlog: Backlog = service.backlogs[account_id]
        self._taken: dict[str, int] = {}
        self._found: list[Waiting] = []
        self._policy_version = 0

    async def find(self, limit: int) -> tuple[list[Waiting], bool]:
        """Up to `limit` texts, the oldest first; and whether there may be more."""
        self._found = []
        async with self._backlog.looking:
            try:
                await self._look_at_changed(limit)
                more = await self._look_on(limit)
            finally:
                self._backlog.end()
        return self._found, more

    def let_go(self, released: Sequence[str]) -> None:
        """Ends the search; what was not released is there for others."""
        gone = set(released)
        positions = [place for message_id, place in self._taken.items() if message_id in gone]
        self._backlog.let_go(self._taken.values(), positions)
        self._taken.clear()

    def outlived(self, limit: int) -> list[Outlived]:
        """Texts that this search or another one found to have expired, for the caller to end."""
        return self._backlog.next_outlived(limit)

    def is_over(self, texts: Sequence[Outlived]) -> None:
        """They are not for others, whether or not their end could be recorded."""
        positions = [text.position for text in texts]
        self._backlog.let_go(positions, positions)

    async def _look_at_changed(self, limit: int) -> None:
        """Looks at what was passed over and may go since, by an event of its number."""
        service, backlog = self._service, self._backlog
        view = await service.reader.view(self._account_id, [])
        self._policy_version = view.account.policy_at(view.now).version
        backlog.begin((self._policy_version, view.account.version), view.now)
        async with service.connection() as conn:
            params = (self._account_id, backlog.horizon)
            row = await (await conn.execute(CHANGED.encode(), params)).fetchone()
        assert row is not None
        settled, events = row
        changed = set(events)
        if len(events) == EVENTS or backlog.concerns_contacts(changed):
            backlog.forget()
        if backlog.through > START and changed:
            texts = await read_candidates_of(
                service, changed, self._policy_version, backlog.through
            )
            left = await self._judge(texts, limit)
            if left is not None:
                backlog.look_from(left)
        backlog.horizon = settled - 1

    async def _look_on(self, limit: int) -> bool:
        """Looks at what comes next; whether there may be more."""
        backlog, until = self._backlog, time.monotonic() + LOOKING_SECONDS
        page = min(PAGE, max(FEW, 2 * limit))
        while len(self._found) < limit:
            texts, end = await read_candidates(
                self._service, self._account_id, backlog.through, self._policy_version, page
            )
            left = await self._judge(texts, limit)
            if left is not None:
                backlog.through = left - 1
                break
            if end is None:
                # All that is settled was seen.
                last = texts[-1].position if texts else backlog.horizon
                backlog.through = max(backlog.through, backlog.horizon, last)
                return False
            backlog.through = end
            if time.monotonic() > until:
                return False
            page = min(PAGE, 4 * page)
        return True

    async def _judge(self, texts: Sequence[Waiting], limit: int) -> int | None:
        """Takes those that may go; the position of the first that was left as there are enough."""
        if not texts:
            return None
        view = await self._service.large_reader.view(self._account_id, numbers_of(texts))
        for done, text in enumerate(texts):
            if len(self._found) == limit:
                return text.position
            if done % SLICE == 0:
                await asyncio.sleep(0)
            if not self._backlog.is_in_hand(text.position):
                self._look_at(text, view)
        return None

    def _look_at(self, text: Waiting, view: View) -> None:
        state, not_before = text.fate_in(view)
        if state is MessageState.EXPIRED:
            held = text.held
            self._backlog.outlive(
                Outlived(text.number_id, held.message_id, held.asked.contacts, text.position)
            )
        elif state is MessageState.RELEASABLE:
            self._backlog.take(text.position)
            self._taken[text.held.message_id] = text.position
            self._found.append(text)
        else:
            self._backlog.pass_over(not_before, text.held.asked.contacts)
