"""How the rows of a list will be written, seen from a look at what is on record.

Nothing is locked for the look, so what it finds is asked again by whoever writes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection

from consent_ledger.importing.earlier import is_evidence
from consent_ledger.importing.rows import Row
from consent_ledger.importing.wishes import commands, is_said
from consent_ledger.ledger import CONTACT_CLAIM
from consent_ledger.snapshot import Snapshot
from consent_ledger.store.accounts import CLOCK
from consent_ledger.store.codec import readable_snapshot
from consent_ledger.store.connection import ServiceConnection
from consent_ledger.store.ids import Ids, know_ids
from consent_ledger.store.units import Cell, Job, Unit

LOCKED: Final = 256
"""Numbers of a unit that may be locked: as many as the writer takes at once. After each race that
was lost it is half as many: of many that are never at rest, one is always written to meanwhile."""

KNOWN: Final = f"""
SELECT uuid_send(number_id), snapshot FROM consent_status WHERE number_id = ANY(%b::uuid[])
UNION ALL
SELECT uuid_send(key), NULL FROM claims
WHERE account_id = %b AND kind = {CONTACT_CLAIM} AND key = ANY(%b::uuid[])"""
"""Numbers on record, and ids by which texts named a contact's other numbers."""

Known = dict[bytes, Snapshot | None]
"""Where numbers on record stand, by id; None where it cannot be read. A number that a text named
under an older key stands there too, with nothing said: its id is known."""


class Plan(NamedTuple):
    """A unit, sorted by how each number is written; `later` are rows left to the next unit."""

    unit: Unit
    new: list[tuple[Cell, Row]]
    changing: dict[UUID, list[Cell]]
    later: list[Row]


def make_plan(
    job: Job,
    rows: Sequence[Row],
    cells: Sequence[Cell],
    known: Known,
    *,
    copies: bool = True,
    locked: int = LOCKED,
) -> Plan:
    """Sorts rows by what they do; without `copies` every number goes the careful way, of which so
    many may be `locked`."""
    together: dict[bytes, list[Cell]] = {}
    for cell in cells:
        number_id = cell.ids[0]
        if number_id not in known:
            number_id = next((each for each in cell.ids if each in known), number_id)
        its = together.get(number_id)
        if its is None:
            together[number_id] = [cell]
        else:
            its.append(cell)
    new: list[tuple[Cell, Row]] = []
    changing: dict[UUID, list[Cell]] = {}
    for number_id, its in together.items():
        if number_id in known:
            snapshot = known[number_id]
            if snapshot is None or _may_change(job, snapshot, rows, its):
                changing[UUID(bytes=number_id)] = its
        elif copies and len(its) == 1:
            new.append((its[0], rows[its[0].place]))
        else:
            changing[UUID(bytes=number_id)] = its
    return _cut(rows, new, changing, locked)


def _cut(
    rows: Sequence[Row],
    new: list[tuple[Cell, Row]],
    changing: dict[UUID, list[Cell]],
    locked: int,
) -> Plan:
    """The first rows of a plan, as many as change no more than so many numbers on record."""
    if len(changing) <= locked:
        return Plan(Unit(rows), new, changing, [])
    firsts = sorted(its[0].place for its in changing.values())
    # A row's numbers stay together, and so may be some more than that.
    end = max(firsts[locked], 1)
    within = {
        number_id: kept
        for number_id, its in changing.items()
        if (kept := [cell for cell in its if cell.place < end])
    }
    now = [(cell, row) for cell, row in new if cell.place < end]
    return Plan(Unit(rows[:end]), now, within, list(rows[end:]))


async def look(conn: ServiceConnection, account_id: UUID, cells: Sequence[Cell]) -> Known:
    """Where the numbers stand that are on record already; nothing is locked."""
    if not cells:
        return {}
    know_ids(conn)
    params = _params(account_id, cells)
    cursor = await conn.execute(KNOWN, params, prepare=True, binary=True)
    return _known(await cursor.fetchall())


def look_ahead(conn: Connection[Any], account_id: UUID, cells: Sequence[Cell]) -> tuple[Known, int]:
    """The same from a thread, while earlier rows are being written; and the database's clock."""
    know_ids(conn)
    row = conn.execute(CLOCK).fetchone()
    params = _params(account_id, cells)
    rows = conn.execute(KNOWN, params, prepare=True, binary=True) if cells else ()
    return _known(rows), 0 if row is None else int(row[0])


def _params(account_id: UUID, cells: Sequence[Cell]) -> tuple[Ids, UUID, Ids]:
    # Under the newest key a stream begins anyway: only an older id has to be known.
    older = Ids([each for cell in cells for each in cell.ids[1:]])
    return Ids([each for cell in cells for each in cell.ids]), account_id, older


def _known(rows: Iterable[tuple[Any, ...]]) -> Known:
    known: Known = {}
    for number_id, row in rows:
        if row is None:
            known.setdefault(bytes(number_id), Snapshot())
        else:
            known[bytes(number_id)] = readable_snapshot(bytes(row))
    return known


def _may_change(job: Job, snapshot: Snapshot, rows: Sequence[Row], its: Sequence[Cell]) -> bool:
    """Whether the record lacks something that a row says: asked without a lock, so asked again."""
    for row in (rows[cell.place] for cell in its):
        timed = row.at is not None
        for command in commands(row.wish, job.told(row.at, row.line), timed):
            if is_evidence(command) or not is_said(snapshot, command, timed):
                return True
    return False
