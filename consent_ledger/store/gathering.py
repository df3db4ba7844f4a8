"""What a batch of commands needs of the database, read in the transaction that will write it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from consent_ledger.commands import AskMessage, CancelMessage, ReleaseMessage, ReportDelivery
from consent_ledger.ledger import Submission
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
    claims = [(each.account_id, claim) for each in submissions for claim in each.claims]
    accounts = {each.account_id for each in submissions}
    named = [(i, text) for each in submissions if (text := _named(each)) for i in each.candidates]
    loaded = await loading.lock_and_load(
        conn, ids, claims, accounts, newest_generation, named=named, begin=True
    )
    stored, versions = loaded.stored, loaded.versions
    await _reread(conn, stored)
    number_ids = [_first_id(each.candidates, stored) for each in submissions]
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


def _first_id(candidates: Sequence[UUID], stored: Mapping[UUID, loading.Stored]) -> UUID:
    """A stream keeps the id it began under; a new one begins under the newest key."""
    return next((i for i in candidates if i in stored), candidates[0])


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
    loaded = {i for i, each in asked if _named(each)}
    may_end = {i for i, each in asked if not _only_asks(each)} - loaded
    await load_held(conn, batch, [i for i in may_end if batch.numbers[i].before.held])
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
        # Texts are named with every id that their number may have.
        inside = batch.numbers.get(number_id)
        if inside is not None:
            inside.held_before, inside.held = dict(held), held


def _only_asks(submission: Submission) -> bool:
    return isinstance(submission.command, AskMessage) and not submission.command.question.confirmed


def _named(submission: Submission) -> str | None:
    """The message whose row a command needs, whatever became of it."""
    command = submission.command
    if isinstance(command, ReleaseMessage | CancelMessage | ReportDelivery):
        return command.message_id
    if isinstance(command, AskMessage) and command.question.confirmed:
        return command.message_id
    return None
