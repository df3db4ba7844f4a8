"""What a batch of commands needs before it can be handled, in as few round trips as can be."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.pq.abc import PGresult

from consent_ledger import facts as f
from consent_ledger.held import Held
from consent_ledger.ledger import Claim
from consent_ledger.said import FOLDED_TOPICS
from consent_ledger.snapshot import Snapshot
from consent_ledger.store.binary import array, integer, uuids
from consent_ledger.store.codec import decode_held, readable_snapshot
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.keys import check_generation
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.store.moment import NOW
from consent_ledger.store.results import cells

ClaimKey = tuple[UUID, int, UUID]
Stored = tuple[int, Snapshot | None]
"""Where a number's last event lies, and its snapshot; None where it cannot be read."""
TextKey = tuple[UUID, str]
"""A text by its number and its id."""
HeldTexts = dict[UUID, dict[str, Held]]
"""Texts by number and id."""
NEW: Final[Stored] = (0, Snapshot())
"""Of a number that is not on record."""

ROWS: Final = """
SELECT number_id, position, snapshot, version FROM consent_status
WHERE number_id = ANY($1::uuid[]) ORDER BY number_id FOR NO KEY UPDATE"""
"""Locks the numbers in order, so that two writers take turns and never deadlock."""

CLAIMED: Final = """
SELECT c.account_id, kind, key, c.number_id, c.version, body, answer, e.position
FROM unnest($1::uuid[], $2::smallint[], $3::uuid[]) AS given (account_id, kind, key)
JOIN claims c USING (account_id, kind, key)
LEFT JOIN events e ON originator_id = c.number_id AND originator_version = c.version"""

ACCOUNTS: Final = f"""
SELECT account_id, version, {NOW},
    (SELECT coalesce(max(generation), 0) FROM key_generation), ledger_base()
FROM account_status WHERE account_id = ANY($1::uuid[])"""
"""Read after the locks were taken, so that the clock is not earlier than what they waited for."""

WAITING: Final = """
SELECT number_id, message_id, held FROM deferred_messages
WHERE number_id = ANY($1::uuid[]) AND state = 'deferred'"""
"""Every text that waits on some numbers."""

TEXTS: Final = """
SELECT number_id, message_id, held
FROM unnest($1::uuid[], $2::text[]) AS given (number_id, message_id)
JOIN deferred_messages USING (number_id, message_id)"""
"""Texts by their ids, whatever their fate."""

HISTORY: Final = f"""
SELECT {COLUMNS} FROM events WHERE originator_id = %s AND topic = ANY(%s)
ORDER BY originator_version"""

EVENTS_AT: Final = f"""
SELECT {COLUMNS} FROM events
JOIN unnest(%b::uuid[], %b::integer[]) AS given (i, v)
    ON originator_id = i AND originator_version = v"""

STANDINGS: Final = (
    "SELECT number_id, version, snapshot FROM consent_status WHERE number_id = ANY(%s)"
)

COUNTED_TOPICS: Final = (*FOLDED_TOPICS, "FactRetracted")
"""Topics of the events that count in the fold; texts asked about do not."""


class Claimed(NamedTuple):
    """A claim that stands: whose it is and what was answered."""

    number_id: UUID
    version: int
    body: UUID | None
    answer: bytes
    position: int


class Loaded(NamedTuple):
    """What stands as a transaction begins: its numbers are locked.

    `versions` are those of the accounts, `now` is the database's clock, `base` the transaction's
    first place in the log, and `held` has the texts that were asked for.
    """

    stored: dict[UUID, Stored]
    claimed: dict[ClaimKey, Claimed]
    versions: dict[UUID, int]
    now: int
    base: int
    held: HeldTexts


async def lock_and_load(
    conn: ServiceConnection,
    number_ids: Collection[UUID],
    claims: Sequence[tuple[UUID, Claim]],
    account_ids: Collection[UUID],
    newest_generation: int,
    *,
    texts: Sequence[TextKey] = (),
    begin: bool = False,
) -> Loaded:
    """Locks numbers in the transaction under way, or in one that begins here: one round trip. It
    loads these `texts`, too."""
    rows, claimed, accounts, *held = await conn.run_together(
        (ROWS, [uuids(number_ids)]),
        (
            CLAIMED,
            [
                array("uuid", [account for account, _ in claims]),
                array("smallint", [claim.kind for _, claim in claims]),
                array("uuid", [claim.key for _, claim in claims]),
            ],
        ),
        (ACCOUNTS, [uuids(account_ids)]),
        *([(TEXTS, _texts_params(texts))] if texts else []),
        begin=begin,
    )
    stored = {
        UUID(bytes=number_id): (integer(position), readable_snapshot(snapshot, integer(version)))
        for number_id, position, snapshot, version in cells(rows)
    }
    versions, now, base = {}, 0, 0
    for account_id, version, clock, generation, place in cells(accounts):
        check_generation(integer(generation), newest_generation)
        versions[UUID(bytes=account_id)] = integer(version)
        now, base = integer(clock), integer(place)
    claims_found = dict(map(_claimed, cells(claimed)))
    return Loaded(stored, claims_found, versions, now, base, _held(*held))


def _claimed(row: list[Any]) -> tuple[ClaimKey, Claimed]:
    account_id, kind, key, number_id, version, body, answer, position = row
    found = Claimed(
        UUID(bytes=number_id),
        integer(version),
        None if body is None else UUID(bytes=body),
        answer,
        0 if position is None else integer(position),
    )
    return (UUID(bytes=account_id), integer(kind), UUID(bytes=key)), found


async def load_held(conn: ServiceConnection, numbers: Sequence[UUID]) -> HeldTexts:
    """Every text that waits on these numbers."""
    return _held(await conn.run(WAITING, [uuids(numbers)]))


def _texts_params(texts: Sequence[TextKey]) -> list[bytes]:
    return [
        array("uuid", [number_id for number_id, _ in texts]),
        array("text", [message_id for _, message_id in texts]),
    ]


def _held(*results: PGresult) -> HeldTexts:
    held: HeldTexts = {}
    for result in results:
        for number_id, message_id, data in cells(result):
            held.setdefault(UUID(bytes=number_id), {})[message_id.decode()] = decode_held(data)
    return held


async def load_history(conn: AsyncConnection[Any], number_id: UUID) -> list[f.Event]:
    """The events of a number that its snapshot is folded from, in order of version."""
    rows = await conn.execute(HISTORY, (number_id, list(COUNTED_TOPICS)))
    return [MAPPER.event(row) for row in await rows.fetchall()]


async def load_events_at(
    conn: AsyncConnection[Any], places: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], f.Event]:
    """The events at these versions."""
    params = ([number for number, _ in places], [version for _, version in places])
    rows = await conn.execute(EVENTS_AT, params)
    events = map(MAPPER.event, await rows.fetchall())
    return {(event.originator_id, event.originator_version): event for event in events}


async def load_standings(
    conn: AsyncConnection[Any], ids: Sequence[UUID]
) -> dict[UUID, Snapshot | None]:
    """Snapshots without a lock: for the contact's other numbers (R-M5); None if unreadable."""
    rows = await conn.execute(STANDINGS, (list(ids),))
    return {row[0]: readable_snapshot(row[2]) for row in await rows.fetchall()}
