"""What one row of a list says of one number, recorded beside what is on record (R-V1, R-O5)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from consent_ledger import commands as c
from consent_ledger.account import Account
from consent_ledger.facts import ConsentGranted, Event, FactRetracted
from consent_ledger.handlers import handle
from consent_ledger.importing.earlier import (
    is_evidence,
    overruled,
    own_facts,
    tells_of,
    told_before,
    was_recorded,
)
from consent_ledger.importing.rows import Row
from consent_ledger.importing.wishes import commands, is_said, narrowed
from consent_ledger.ledger import Submission
from consent_ledger.phone_number import PhoneNumber
from consent_ledger.snapshot import HistoryNeededError
from consent_ledger.standing import Standing
from consent_ledger.store import loading
from consent_ledger.store.batch import Batch, NumberInBatch
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.units import Job
from consent_ledger.words import Consent

Earlier = Mapping[bytes, Sequence[Row]]
"""By number what rows before a unit said, in their order, where that is not on record."""


class Outcome(NamedTuple):
    """What rows make of a number: whether it is opted out by them, or left with a consent, that it
    was not before."""

    opts_out: bool
    opts_in: bool


class Said(NamedTuple):
    """What was recorded for a row: the version of the first fact, how many there are, the topics of
    those that change something, and the topics of all, those of what was taken back among them."""

    first: int
    length: int
    topics: tuple[str, ...]
    recorded: tuple[str, ...]


def outcome(inside: NumberInBatch) -> Outcome:
    """What the rows so far make of a number, against what is on record of it."""
    before, after = inside.before.standing, inside.snapshot.standing
    facts = [event.fact for event in inside.events]
    granted = {p for fact in facts if isinstance(fact, ConsentGranted) for p in fact.purposes}
    granted = {each for each in granted if after.consent(each) is Consent.GRANTED}
    news = any(before.consent(each) is not Consent.GRANTED for each in granted)
    opts_out = _is_opted_out(after) and not _is_opted_out(before)
    return Outcome(opts_out, news and not after.do_not_text)


def _is_opted_out(standing: Standing) -> bool:
    """Whether an opt-out of everything stands; one of some purposes leaves something to end."""
    return bool(standing.contact or standing.system or standing.agent)


class RowsOfNumber:
    """The rows of a list about one number, said one after the other."""

    def __init__(
        self, conn: ServiceConnection, job: Job, batch: Batch, number_id: UUID, number: str
    ) -> None:
        self._conn = conn
        self._job = job
        self._batch = batch
        self._number = number
        self._inside = batch.numbers[number_id]
        self._history: list[Event] = []
        rules = batch.accounts[job.account_id].policy_at(batch.now).policy.purposes
        self._marketing = [name for name, rule in rules.items() if rule.marketing]

    async def hear(self, before: Sequence[Row]) -> None:
        """Reads what an earlier part of the list may have recorded, or its file before; says again
        the rows that are not on record."""
        since = self._inside.snapshot.clock >= self._job.instant
        if before or since or self._job.is_repeated:
            number_id = self._inside.number_id
            self._history = await loading.load_history(self._conn, number_id)
        for row in before:
            await self.say(row)

    async def say(self, row: Row) -> Said:
        """Records a row."""
        inside, job = self._inside, self._job
        own = own_facts([*self._history, *inside.events], job.file_digest)
        if was_recorded(own, row.line, job.instant):
            return Said(0, 0, (), ())
        told, begun = job.told(row.at, row.line), len(inside.events)
        for version in overruled(own, row.wish, job.instant):
            back = c.RetractFact(told, version)
            take_back(self._batch, inside.number_id, back, self._history)
        version, topics = inside.snapshot.version, []
        timed = row.at is not None
        for wanted in commands(row.wish, told, timed):
            command = narrowed(inside.snapshot, wanted, timed, self._marketing)
            if command is None or told_before(own, command, timed, job.instant):
                continue
            count = len(inside.events)
            if await self._record(command, own, timed):
                topics += [event.topic for event in inside.events[count:]]
        recorded = tuple(event.topic for event in inside.events[begun:])
        return Said(version + 1, inside.snapshot.version - version, tuple(topics), recorded)

    async def _record(self, command: c.Command, own: Sequence[Event], timed: bool) -> bool:
        """Handles a command if it changes where the number stands, or is evidence; whether it
        does change it.
        """
        inside = self._inside
        is_news = not is_said(inside.snapshot, command, timed)
        evidence = is_evidence(command) and not tells_of([*own, *inside.events], command)
        if not is_news and not evidence:
            return False
        account, now = self._batch.accounts[inside.account_id], self._batch.now
        history = None
        try:
            changes = _changes(inside, account, now, command, None)
        except HistoryNeededError:
            history = await loading.load_history(self._conn, inside.number_id) + inside.events
            changes = _changes(inside, account, now, command, history)
        if changes or evidence:
            submission = Submission(inside.account_id, (inside.number_id,), self._number, command)
            self._batch.handle(submission, inside.number_id, history)
        return changes and is_news


def take_back(
    batch: Batch, number_id: UUID, command: c.RetractFact, history: Sequence[Event]
) -> None:
    """Takes a fact back, unless it was already: by a stricter row of its own list."""
    inside = batch.numbers[number_id]
    every = [*history, *inside.events]
    gone = (event.fact.version for event in every if isinstance(event.fact, FactRetracted))
    if command.version not in gone:
        submission = Submission(inside.account_id, (number_id,), None, command)
        batch.handle(submission, number_id, every)


def _changes(
    inside: NumberInBatch, account: Account, now: int, command: c.Command, history: Any
) -> bool:
    trial = PhoneNumber(inside.number_id, account, inside.snapshot, now, history=history)
    handle(trial, command)
    return trial.standing != inside.snapshot.standing
