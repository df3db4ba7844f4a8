"""A batch of commands while it is handled: what was loaded, what each came to, what to write.

Pure but for time: nothing here talks to the database. A command that is refused, or that needs
what was not loaded, leaves the batch as it was.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any
from uuid import UUID

from consent_ledger.account import Account
from consent_ledger.commands import AskMessage, Command, HearText, Judge, ReportDelivery
from consent_ledger.facts import Event, MessageAsked, PersonalDataErased
from consent_ledger.handlers import handle
from consent_ledger.held import Held
from consent_ledger.ledger import (
    CONTACT_CLAIM,
    Claim,
    ClaimReusedError,
    Receipt,
    Submission,
    UnavailableError,
)
from consent_ledger.phone_number import Answered, PhoneNumber
from consent_ledger.reading import read
from consent_ledger.snapshot import Snapshot
from consent_ledger.standing import Standing
from consent_ledger.store.codec import decode_answer, encode_answer
from consent_ledger.store.loading import Claimed, ClaimKey
from consent_ledger.store.mapper import MAPPER
from consent_ledger.store.projection import Change, Projection
from consent_ledger.store.statement import PLACES
from consent_ledger.words import MessageState


class Done:
    """What a submission came to within the batch; its position is known after the write."""

    def __init__(self, number_id: UUID, version: int, events: list[Event], answer: Answered):
        self.number_id = number_id
        self.version = version
        self.events = events
        self.answer = answer


class OvertakenError(Exception):
    """The transaction's place in the log lies before what a number already has: begin anew."""


class NumberInBatch:
    """One number of the batch: as it was loaded, and as the commands so far left it."""

    def __init__(
        self, account_id: UUID, number_id: UUID, position: int, snapshot: Snapshot | None
    ) -> None:
        self.account_id = account_id
        self.number_id = number_id
        self.position = position
        self.readable = snapshot is not None
        self.before = self.snapshot = snapshot or Snapshot()
        self.held_before: dict[str, Held] = {}
        self.held: dict[str, Held] = {}
        self.events: list[Event] = []
        self.ordinals: dict[int, int] = {}


class Batch:
    """The commands of one transaction."""

    def __init__(
        self,
        numbers: dict[UUID, NumberInBatch],
        accounts: dict[UUID, Account],
        claims: dict[ClaimKey, Claimed],
        now: int,
    ) -> None:
        self.numbers = numbers
        self.accounts = accounts
        self.claims = claims
        self.now = now
        self.referred: dict[tuple[UUID, int], Event] = {}
        self.standings: dict[UUID, Snapshot | None] = {}
        self._ordinal = count()
        self._done_by_claim: dict[ClaimKey, tuple[Done, UUID | None]] = {}
        self._new_claims: list[tuple[Any, ...]] = []
        self._changed_claims: list[tuple[Any, ...]] = []
        self._words: list[tuple[Any, ...]] = []
        self._vault: dict[UUID, tuple[Any, ...]] = {}

    def repeated(self, submission: Submission, number_id: UUID) -> Receipt | Done | None:
        """The answer of the first time, if one of the submission's claims stands already.

        ClaimReusedError where a key was used for another number or another body.
        """
        again: Receipt | Done | None = None
        for claim in submission.claims:
            key = (submission.account_id, claim.kind, claim.key)
            first = self._first(key)
            if first is None:
                continue
            found, body = first
            if found.number_id != number_id or (claim.body and body not in (None, claim.body)):
                raise ClaimReusedError(claim.kind)
            if again is None and not _decides_anew(submission, found.answer):
                again = found
        return again

    def _first(self, key: ClaimKey) -> tuple[Receipt | Done, UUID | None] | None:
        """What a claim was first answered with, in this batch or before it, and for which body."""
        if key in self._done_by_claim:
            return self._done_by_claim[key]
        stored = self.claims.get(key)
        if stored is None:
            return None
        answer = decode_answer(stored.answer)
        receipt = Receipt(stored.number_id, stored.version, stored.position, (), answer)
        return receipt, stored.body

    def handle(
        self, submission: Submission, number_id: UUID, history: list[Event] | None = None
    ) -> Done:
        """Handles one command against what the batch has come to so far."""
        inside = self.numbers[number_id]
        if not inside.readable:
            raise UnavailableError("a fact on the number cannot be read")
        number = PhoneNumber(
            number_id,
            self.accounts[submission.account_id],
            inside.snapshot,
            self.now,
            history=history,
            held=inside.held,
            referred=self.referred.get((number_id, refers_to(submission) or 0)),
            contacts=self._contacts(submission),
        )
        answer = handle(number, _read(submission, number.account))
        events = number.collect_events()
        for event in events:
            inside.ordinals[event.originator_version] = self._next_place()
        inside.events += events
        inside.snapshot, inside.held = number.snapshot, number.held
        done = Done(number_id, number.version, events, answer)
        self._note(submission, inside, done)
        return done

    def row_sets(self, projections: Iterable[Projection]) -> list[list[tuple[Any, ...]]]:
        """The rows of the one statement, each set in the order of its keys."""
        touched = [number for number in self.numbers.values() if number.events]
        touched.sort(key=lambda number: number.number_id.bytes)
        sets = [
            [row for number in touched for row in _event_rows(number)],
            sorted(self._new_claims, key=lambda row: (row[0].bytes, row[1], row[2].bytes)),
            sorted(self._vault.values(), key=lambda row: row[0].bytes),
            self._words,
        ]
        changes = [_change(number) for number in touched]
        for projection in projections:
            sets.append([row for change in changes for row in projection.rows(change)])
            if projection.removes:
                sets.append([row for change in changes for row in projection.gone(change)])
        return sets

    def _next_place(self) -> int:
        place = next(self._ordinal)
        if place >= PLACES:
            raise UnavailableError("a transaction has no room for so many events")
        return place

    def check_place(self, base: int) -> None:
        """OvertakenError where a number of the batch already has an event at or beyond `base`.

        A transaction has its id, and so its place, from its first row lock on. One with a later id
        may write to a number that this one locks only afterwards; along a number, positions must
        grow with the versions.
        """
        if any(number.position >= base for number in self.numbers.values() if number.events):
            raise OvertakenError

    @property
    def erased(self) -> list[tuple[UUID, int, bool]]:
        """Numbers whose person is forgotten in this transaction: up to which version, and whether
        the number itself goes: nothing was heard of it since, and the account does not send from
        it."""
        return [
            (
                number_id,
                event.originator_version,
                event is number.events[-1]
                and str(number_id) not in self.accounts[number.account_id].sending_numbers,
            )
            for number_id, number in self.numbers.items()
            for event in number.events
            if isinstance(event.fact, PersonalDataErased)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write: no event, and no key of what came to none."""
        return not self._new_claims and not any(each.events for each in self.numbers.values())

    @property
    def changed_claims(self) -> list[tuple[Any, ...]]:
        """Claims whose answer is another now: texts that were confirmed."""
        return self._changed_claims

    def _contacts(self, submission: Submission) -> tuple[tuple[UUID, Standing], ...]:
        return tuple(
            self._latest(submission.account_id, candidates) for candidates in submission.contacts
        )

    def _latest(self, account_id: UUID, candidates: tuple[UUID, ...]) -> tuple[UUID, Standing]:
        for number_id in candidates:
            if number_id in self.numbers:
                return number_id, self.numbers[number_id].snapshot.standing
            if number_id in self.standings:
                snapshot = self.standings[number_id]
                if snapshot is None:
                    raise UnavailableError("a fact on the contact's other number cannot be read")
                return number_id, snapshot.standing
        named = (i for i in candidates if self._is_claimed((account_id, CONTACT_CLAIM, i)))
        return next(named, candidates[0]), Standing()

    def _note(self, submission: Submission, inside: NumberInBatch, done: Done) -> None:
        account_id, number_id = submission.account_id, done.number_id
        if submission.number is not None and done.events:
            self._vault[number_id] = (number_id, account_id, submission.number)
        if submission.words is not None and done.events:
            version = done.events[0].originator_version
            self._words.append((number_id, version, account_id, submission.words))
        # A text that waits on may go later: to be refused it uses up no key, whatever else of its
        # number is recorded with that.
        if done.events or done.answer.state is not MessageState.DEFERRED:
            for claim in submission.claims:
                self._note_claim(account_id, claim, done)
        if submission.contacts:
            self._note_contacts(account_id, done)

    def _note_contacts(self, account_id: UUID, done: Done) -> None:
        """Keeps the ids by which a text names numbers of which nothing is on record."""
        for event in done.events:
            for other in event.fact.contacts if isinstance(event.fact, MessageAsked) else ():
                inside = self.numbers.get(other)
                on_record = other in self.standings or (inside and inside.snapshot.version)
                if not on_record and not self._is_claimed((account_id, CONTACT_CLAIM, other)):
                    self._note_claim(account_id, Claim(CONTACT_CLAIM, other), done)

    def _is_claimed(self, key: ClaimKey) -> bool:
        return key in self.claims or key in self._done_by_claim

    def _note_claim(self, account_id: UUID, claim: Claim, done: Done) -> None:
        key = (account_id, claim.kind, claim.key)
        answer = encode_answer(done.answer)
        row = (*key, done.number_id, done.version, claim.body, answer)
        if key in self.claims:
            self._changed_claims.append(row)
        elif key in self._done_by_claim:
            self._new_claims = [old for old in self._new_claims if old[:3] != key]
            self._new_claims.append(row)
        else:
            self._new_claims.append(row)
        self._done_by_claim[key] = done, claim.body


def _read(submission: Submission, account: Account) -> Command:
    """The command itself, or what the contact's words come to under the account's lists."""
    command = submission.command
    if isinstance(command, HearText):
        return read(command, submission.words or "", account)
    return command


def refers_to(submission: Submission) -> int | None:
    """The version of the event that a command refers to."""
    command = submission.command
    return command.refers_to if isinstance(command, Judge | ReportDelivery) else None


def _decides_anew(submission: Submission, answer: Answered) -> bool:
    """`confirmed` on a text that waits for confirmation decides anew (contract section 5)."""
    command = submission.command
    return (
        isinstance(command, AskMessage)
        and command.question.confirmed
        and answer.state is MessageState.NEEDS_CONFIRMATION
    )


def _event_rows(number: NumberInBatch) -> Iterable[tuple[Any, ...]]:
    for event in number.events:
        yield (
            number.number_id,
            event.originator_version,
            number.account_id,
            number.ordinals[event.originator_version],
            event.recorded_at,
            MAPPER.topic(event.fact),
            MAPPER.encode(event.context, event.fact),
        )


def _change(number: NumberInBatch) -> Change:
    return Change(
        account_id=number.account_id,
        number_id=number.number_id,
        before=number.before,
        after=number.snapshot,
        events=number.events,
        held_before=number.held_before,
        held=number.held,
        ordinals=number.ordinals,
    )
