"""A simulation as it runs beside live questions: page by page, in slices of half a millisecond."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from api.service import Service
from consent_ledger.account import Account
from consent_ledger.facts import Event, Fact
from consent_ledger.held import Asked
from consent_ledger.policy import Policy
from consent_ledger.simulation import NumbersTally, PastDecision, PastTally, SetUps, Stream
from consent_ledger.store import sample
from consent_ledger.store.codec import readable_snapshot
from consent_ledger.store.mapper import MAPPER, UnreadableEventError

NUMBERS_PAGE: Final = 200
"""Numbers in memory at a time, each with its snapshot: under a megabyte."""
EVENTS_PAGE: Final = 200
"""Events in memory at a time, beside the facts of one number."""
CONTACTS_BATCH: Final = 20
"""Decisions whose contacts are loaded at once: up to 400 streams."""
DECISIONS_EXAMINED: Final = 1_000_000
"""Past decisions examined at the most, so that numbers with long histories end too."""
SLICE_SECONDS: Final = 0.0005
"""Work between two turns of everybody else. A check needs some four turns: with 2 ms it took 7 ms
while a simulation ran, with this 4 ms, and 1 ms without one."""
JUDGED_AT_ONCE: Final = 2_000
"""Decisions in memory at a time: the set-ups that they were made under are folded once for all."""
FIRST: Final = UUID(int=0)
"""Before every id."""


class _Turns:
    """Gives every other request its turn when a slice of work is done."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def pause(self) -> None:
        """To be called after each small piece of work."""
        if time.perf_counter() - self._since >= SLICE_SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


async def simulate(
    service: Service, account: Account, policy: Policy, at: int, since: int, limit: int
) -> tuple[NumbersTally, PastTally]:
    """What a policy would change at an instant, and in the decisions made since another.

    Up to `limit` numbers are examined, in the order of their ids, and the decisions about them.
    """
    turns = _Turns()
    numbers = NumbersTally(account, policy, at)
    past = PastTally(policy, await _set_ups(service, account.account_id, since, turns))
    decisions = _Decisions(service, past, turns, since)
    after = FIRST
    while numbers.examined < limit:
        size = min(NUMBERS_PAGE, limit - numbers.examined)
        async with service.connection() as conn:
            page = await sample.numbers_after(conn, account.account_id, after, size)
        if not page:
            break
        for _, data in page:
            snapshot = readable_snapshot(data)
            numbers.examine(snapshot.standing if snapshot is not None else None)
            await turns.pause()
        await decisions.read([number_id for number_id, _ in page])
        after = page[-1][0]
    await decisions.judge()
    async with service.connection() as conn:
        more = await sample.numbers_after(conn, account.account_id, after, 1)
    if more:
        numbers.complete = past.complete = False
    return numbers, past


async def _set_ups(service: Service, account_id: UUID, since: int, turns: _Turns) -> SetUps:
    """Every version of the account's set-up; those from before `since` are folded once."""
    facts: list[Fact] = []
    begins, version = 0, 0
    while True:
        async with service.connection() as conn:
            rows = await sample.account_events_after(conn, account_id, version, EVENTS_PAGE)
        for row in rows:
            event = MAPPER.event(row)
            facts.append(event.fact)
            version = event.originator_version
            begins = version if event.recorded_at < since else begins
            await turns.pause()
        if len(rows) < EVENTS_PAGE:
            set_ups = SetUps(account_id, facts)
            while set_ups.advance(begins):
                await turns.pause()
            set_ups.keep()
            return set_ups


class _Decisions:
    """The decisions about numbers: read page by page, judged many at a time."""

    def __init__(self, service: Service, tally: PastTally, turns: _Turns, since: int) -> None:
        self._service = service
        self._tally = tally
        self._turns = turns
        self._since = since
        self._number_id = FIRST
        self._stream: Stream | None = None
        self._found: list[PastDecision] = []

    async def read(self, ids: Sequence[UUID]) -> None:
        """Every decision about these numbers, unless there are too many."""
        async with self._service.connection() as conn:
            left = await sample.numbers_decided(conn, ids, self._since)
        place = (FIRST, 0)
        while left and self._has_room():
            async with self._service.connection() as conn:
                rows = await sample.events_after(conn, left, place, self._since, EVENTS_PAGE)
            for row in rows:
                self._take(row)
                await self._turns.pause()
            if len(self._found) >= JUDGED_AT_ONCE:
                await self.judge()
            if len(rows) < EVENTS_PAGE:
                return
            place = rows[-1][:2]
            left = [number_id for number_id in left if number_id >= place[0]]

    def _has_room(self) -> bool:
        room = self._tally.examined + len(self._found) < DECISIONS_EXAMINED
        self._tally.complete = self._tally.complete and room
        return room

    def _take(self, row: sample.EventRow) -> None:
        if row[0] != self._number_id:
            self._number_id, self._stream = row[0], Stream()
        if self._stream is None:
            return
        try:
            event = MAPPER.event(row)
        except UnreadableEventError:
            # What the rest of this number's decisions rested on is not known.
            self._stream, self._tally.complete = None, False
            return
        if isinstance(event.fact, Asked):
            self._found.append(PastDecision(event, event.fact, self._stream.standing))
        else:
            self._stream.take(event)

    async def judge(self) -> None:
        """Judges what was read, in the order of the set-ups, as these are folded in order."""
        found, self._found = self._found, []
        found.sort(key=lambda past: past.event.context.account_version)
        for first in range(0, len(found), CONTACTS_BATCH):
            batch = found[first : first + CONTACTS_BATCH]
            contacts = await self._contacts_of(batch)
            for past in batch:
                while self._tally.set_ups.advance(past.event.context.account_version):
                    await self._turns.pause()
                self._tally.examine(past, contacts)
                await self._turns.pause()

    async def _contacts_of(self, batch: list[PastDecision]) -> dict[UUID, list[Event]]:
        named = {i for past in batch for i in self._tally.contacts_of(past)}
        if not named:
            return {}
        async with self._service.connection() as conn:
            return await sample.facts_on(conn, sorted(named))
