"""What a batch of commands needs of the database, read in the transaction that will write it."""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger.commands import AskMessage, CancelMessage, ReleaseMessage, ReportDelivery
from consent_ledger.ledger import CONTACT_CLAIM, Claim, Submission
from consent_ledger.snapshot import snapshot_of
from consent_ledger.store import loading
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.batch import Batch, NumberInBatch, refers_to
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.log import read_stream
from consent_ledger.store.mapper import UnreadableEventError


class Gathered(NamedTuple):
    """A batch with all that its commands need; the id of each one's number, in their order; and
    the transaction's first place in the log."""

    batch: Batch
    number_ids: list[UUID]
    base: int


async def gather(
    conn: ServiceConnection,
    submissions: Sequence[Submission],
    known: AccountCache,
    newest_generation: int,
) -> Gathered:
    """Begins a transaction, locks the numbers of commands and loads what those need."""
    ids = {i for each in submissions for i in each.candidates}
    claims = [(each.account_id, claim) for each in submissions for claim in _claims(each)]
    accounts = {each.account_id for each in submissions}
    texts = [(i, text) for each in submissions if (text := _text_of(each)) for i in each.candidates]
    loaded = await loading.lock_and_load(
        conn, ids, claims, accounts, newest_generation, texts=texts, begin=True
    )
    stored, versions = loaded.stored, loaded.versions
    await _reread(conn, stored)
    number_ids = [_first_id(each, loaded) for each in submissions]
    numbers = {
        number_id: NumberInBatch(each.account_id, number_id, *stored.get(number_id, loading.NEW))
        for each, number_id in zip(submissions, number_ids, strict=True)
    }
    batch = Batch(
        numbers=numbers,
        accounts={a: await known.at(conn, a, versions.get(a)) for a in accounts},
        claims=loaded.claimed,
        now=loaded.now,
    )
    take_held(batch, loaded.held)
    await _load_more(conn, batch, list(zip(number_ids, submissions, strict=True)))
    return Gathered(batch, number_ids, loaded.base)


def _claims(submission: Submission) -> list[Claim]:
    """What a submission claims, and ids under which a text may have named one of its numbers: under
    an older key for the number itself, as the newest is taken anyway."""
    older = submission.candidates[1:]
    named = (*older, *(i for candidates in submission.contacts for i in candidates))
    return [*submission.claims, *(Claim(CONTACT_CLAIM, i) for i in named)]


def _first_id(submission: Submission, loaded: loading.Loaded) -> UUID:
    """A stream keeps the id it began under; a new one begins under the id by which a text named its
    number, else under the newest key."""
    ids, account_id = submission.candidates, submission.account_id
    on_record = next((i for i in ids if i in loaded.stored), None)
    if on_record is not None:
        return on_record
    named = (i for i in ids if (account_id, CONTACT_CLAIM, i) in loaded.claimed)
    return next(named, ids[0])


async def _reread(conn: AsyncConnection[Any], stored: dict[UUID, loading.Stored]) -> None:
    """Snapshots that cannot be read are folded again from the events: a STOP is never refused."""
    for number_id, (position, snapshot) in list(stored.items()):
        if snapshot is None:
            with contextlib.suppress(UnreadableEventError):
                events = await read_stream(conn, number_id)
                stored[number_id] = (position, snapshot_of(events))


async def _load_more(
    conn: ServiceConnection, batch: Batch, asked: Sequence[tuple[UUID, Submission]]
) -> None:
    """Texts that wait, events referred to and the contacts' other numbers, where any is needed."""
    holding = {i for i, each in asked if batch.numbers[i].before.held and not _is_of_one(each)}
    await load_held(conn, batch, list(holding))
    places = [(i, version) for i, each in asked if (version := refers_to(each))]
    if places:
        batch.referred = await loading.load_events_at(conn, places)
    contacts = {i for _, each in asked for ids in each.contacts for i in ids}
    contacts -= set(batch.numbers)
    if contacts:
        batch.standings = await loading.load_standings(conn, list(contacts))


async def load_held(conn: ServiceConnection, batch: Batch, holding: Sequence[UUID]) -> None:
    """Loads the texts that wait on numbers of a batch."""
    if holding:
        take_held(batch, await loading.load_held(conn, holding))


def take_held(batch: Batch, found: loading.HeldTexts) -> None:
    """Gives the numbers of a batch the texts that were loaded of them."""
    for number_id, held in found.items():
        # Texts are looked for under every id that their number may have.
        inside = batch.numbers.get(number_id)
        if inside is not None:
            inside.held_before = inside.held_before | held
            inside.held = dict(inside.held_before)


def _is_of_one(submission: Submission) -> bool:
    """Whether a command decides about one text and leaves the others as they are: a number with ten
    thousand texts that wait is not to be read whole for each that is released."""
    return isinstance(submission.command, AskMessage | ReleaseMessage | CancelMessage)


def _text_of(submission: Submission) -> str | None:
    """The message whose row a command needs, whatever became of it."""
    command = submission.command
    if isinstance(command, ReleaseMessage | CancelMessage | ReportDelivery):
        return command.message_id
    if isinstance(command, AskMessage) and command.question.confirmed:
        return command.message_id
    return None
