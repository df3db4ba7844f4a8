"""What is on record of imports: how far each came, and the verdict of every row."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from api.importing.records import Format
from consent_ledger.store.moment import NOW
from consent_ledger.store.units import Job, Verdict, counts

OPEN: Final = ("waiting", "running", "undoing")
"""States in which a worker has something to do."""
ENDED: Final = ("done", "failed", "undone")
COLUMNS: Final = (
    "import_id, account_id, state, dry_run, format, actor_id, file_digest, same_as, instant, line,"
    " rows, accepted, unchanged, rejected, partly_rejected, would_opt_out, would_opt_in,"
    " failed_because, attempts, crashes, finished_at"
)
FIELDS: Final = (
    f"{COLUMNS}, EXISTS (SELECT FROM imports AS other WHERE other.account_id = imports.account_id"
    " AND other.file_digest = imports.file_digest AND other.import_id <> imports.import_id"
    " AND NOT other.dry_run AND other.same_as IS NULL) AS is_repeated"
)
ABANDONED: Final = 3_600_000_000
"""Microseconds after its last piece when an upload is forgotten: its sender is gone."""
CUT_OFF: Final = "The upload did not end."

OPEN_IMPORT: Final = f"""
INSERT INTO imports (import_id, account_id, state, dry_run, format, actor_id, instant)
VALUES (%s, %s, 'receiving', %s, %s, %s, {NOW})"""
FIND: Final = f"SELECT {FIELDS} FROM imports WHERE account_id = %s AND import_id = %s"
LATEST: Final = f"""
SELECT {COLUMNS} FROM imports WHERE account_id = %s AND (instant, import_id) < (%s, %s)
ORDER BY instant DESC, import_id DESC LIMIT %s"""
SAME: Final = f"""
SELECT {FIELDS} FROM imports
WHERE account_id = %s AND file_digest = %s AND NOT dry_run AND same_as IS NULL
    AND (state IN ('waiting', 'running') OR state = 'done' AND NOT EXISTS (
        SELECT FROM imports AS undone WHERE undone.account_id = imports.account_id
            AND undone.state IN ('undoing', 'undone')
            AND coalesce(undone.finished_at, imports.finished_at) >= imports.finished_at
    ) AND (unchanged + rejected + partly_rejected = 0 OR NOT EXISTS (
        SELECT FROM events WHERE originator_id = imports.account_id
            AND recorded_at > imports.instant
    ))) AND format = (SELECT own.format FROM imports AS own WHERE own.import_id = %s)
ORDER BY instant LIMIT 1"""
"""Of a file that is done there is more to do once another list was undone, on which its rows may
have rested, and once the account changed, for which rows may have been refused or have come to
nothing. Sent as another kind of list it is another one."""
NEXT: Final = f"""
SELECT {FIELDS} FROM imports
WHERE state IN ('waiting', 'running', 'undoing') AND rests_until <= {NOW} ORDER BY instant"""
STILL_COMES: Final = f"UPDATE imports SET finished_at = {NOW} WHERE import_id = %s"
"""Of an upload, `finished_at` is when its last piece came: a slow one is not forgotten."""
FORGET: Final = f"""
WITH gone AS (
    UPDATE imports SET state = 'failed', finished_at = {NOW}, failed_because = '{CUT_OFF}'
    WHERE state = 'receiving' AND coalesce(finished_at, instant) < {NOW} - %s RETURNING import_id
)
DELETE FROM import_parts USING gone WHERE import_parts.import_id = gone.import_id"""
CAME_WHOLE: Final = """
UPDATE imports SET file_digest = %s WHERE import_id = %s AND state = 'receiving'
RETURNING import_id"""
PROGRESS: Final = """
UPDATE imports SET state = 'running', line = %s, rows = rows + %s, accepted = accepted + %s,
    unchanged = unchanged + %s, rejected = rejected + %s, partly_rejected = partly_rejected + %s,
    attempts = CASE WHEN dry_run THEN attempts ELSE 1 END,
    crashes = CASE WHEN dry_run THEN crashes ELSE 0 END,
    rests_until = CASE WHEN dry_run THEN rests_until ELSE 0 END
WHERE import_id = %s"""
"""The try that came further is the first one there. A dry run begins anew each time: what it came
to before is no progress."""
CAME_FURTHER: Final = """
UPDATE imports SET attempts = 1, crashes = 0, rests_until = 0
WHERE import_id = %s AND (attempts, crashes) <> (1, 0)"""
TRY: Final = f"""
UPDATE imports SET attempts = attempts + 1, rests_until = {NOW} + 1000000 * %s::bigint
WHERE import_id = %s"""
NO_TRY: Final = f"""
UPDATE imports SET attempts = greatest(attempts - 1, 0),
    rests_until = {NOW} + 1000000 * %s::bigint
WHERE import_id = %s"""
CRASHED: Final = f"""
UPDATE imports SET crashes = crashes + 1,
    rests_until = CASE WHEN crashes + 1 < %s THEN rests_until ELSE 0 END
WHERE import_id = %s AND state IN {OPEN} RETURNING crashes"""
"""What is to be given up is so at once."""
ROUSE: Final = f"UPDATE imports SET rests_until = 0 WHERE import_id = %s AND rests_until > {NOW}"
BRIEFLY: Final = "SET LOCAL lock_timeout = '1s'"
"""The database may not have heard yet that a worker is gone, which wrote to its list's row."""
UNIT: Final = """
INSERT INTO import_units (import_id, first_line, last_line, rejected, verdicts)
VALUES (%s, %s, %s, %s, %s)"""
UNITS: Final = """
SELECT first_line, undone, verdicts FROM import_units WHERE import_id = %s AND first_line > %s
ORDER BY first_line LIMIT 1"""
ROWS_AFTER: Final = """
SELECT last_line, verdicts FROM import_units
WHERE import_id = %s AND last_line > %s AND rejected >= %s
ORDER BY first_line LIMIT 1"""
"""One unit: of a long list, all that follow would come into memory for each page."""

encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Verdict]).decode


class Import(msgspec.Struct, frozen=True):
    """One import, as its row has it."""

    import_id: UUID
    account_id: UUID
    state: str
    dry_run: bool
    format: str
    actor_id: str | None
    file_digest: str | None
    same_as: UUID | None
    instant: int
    line: int
    rows: int
    accepted: int
    unchanged: int
    rejected: int
    partly_rejected: int
    would_opt_out: int | None
    would_opt_in: int | None
    failed_because: str | None
    attempts: int
    crashes: int
    finished_at: int | None
    is_repeated: bool = False

    @property
    def job(self) -> Job:
        """What its facts tell of it."""
        digest = self.file_digest or ""
        return Job(
            self.import_id,
            self.account_id,
            digest,
            self.instant,
            self.actor_id,
            self.is_repeated,
        )

    @property
    def kind(self) -> Format:
        """What its file is."""
        return Format(self.format)


async def find(conn: AsyncConnection[Any], account_id: UUID, import_id: UUID) -> Import | None:
    """An import of an account."""
    return await _one(conn, FIND, (account_id, import_id))


async def find_latest(
    conn: AsyncConnection[Any], account_id: UUID, before: tuple[int, UUID], limit: int
) -> list[Import]:
    """The imports of an account that were sent before one, by its instant and id; latest first.

    They are to be shown, not to be worked on: `is_repeated` is not looked up.
    """
    rows = await conn.execute(LATEST, (account_id, *before, limit))
    return [Import(*row) for row in await rows.fetchall()]


async def find_same(
    conn: AsyncConnection[Any], account_id: UUID, digest: str, import_id: UUID
) -> Import | None:
    """The import of the very same file as that of `import_id`, if its facts stand or are on their
    way."""
    return await _one(conn, SAME, (account_id, digest, import_id))


async def _one(conn: AsyncConnection[Any], query: str, params: tuple[Any, ...]) -> Import | None:
    row = await (await conn.execute(query.encode(), params)).fetchone()
    return None if row is None else Import(*row)


async def waiting(conn: AsyncConnection[Any]) -> list[Import]:
    """What there is to do, the oldest first."""
    return [Import(*row) for row in await (await conn.execute(NEXT.encode())).fetchall()]


async def set_state(
    conn: AsyncConnection[Any], import_id: UUID, state: str, because: str | None = None
) -> None:
    """Moves an import on; an end has its time."""
    ended = NOW if state in ENDED else "NULL"
    query = f"""UPDATE imports SET state = %s, failed_because = %s, attempts = 0, crashes = 0,
        rests_until = 0, finished_at = {ended} WHERE import_id = %s"""
    await conn.execute(query.encode(), (state, because, import_id))


async def begin_try(conn: AsyncConnection[Any], import_id: UUID, rest: int) -> None:
    """Counts a try; no other begins before so many seconds, if it comes no further."""
    await conn.execute(TRY.encode(), (rest, import_id))


async def rouse(conn: AsyncConnection[Any], import_id: UUID) -> None:
    """Ends the rest of an import: whoever sends its file again wants it tried now."""
    await conn.execute(ROUSE.encode(), (import_id,))


async def forget_try(conn: AsyncConnection[Any], import_id: UUID, rest: int = 0) -> None:
    """Counts a try no more: it was ended by what has nothing to do with the list."""
    async with conn.transaction():
        await conn.execute(BRIEFLY)
        await conn.execute(NO_TRY.encode(), (rest, import_id))


async def crashed(conn: AsyncConnection[Any], import_id: UUID, enough: int) -> int:
    """Counts that a list ended a try by itself: how often it did since it last came further. It
    keeps its rest until these are enough."""
    async with conn.transaction():
        await conn.execute(BRIEFLY)
        row = await (await conn.execute(CRASHED.encode(), (enough, import_id))).fetchone()
    return 0 if row is None else int(row[0])


class Page(NamedTuple):
    """The verdicts of rows, ready to be kept."""

    first: int
    last: int
    counts: tuple[int, ...]
    told: int
    data: bytes


def page(verdicts: Sequence[Verdict]) -> Page:
    """Verdicts as they are kept; those of which any cell was refused are counted."""
    found = counts(verdicts)
    told = found["rejected"] + found["partly_rejected"]
    first, last = verdicts[0].line, verdicts[-1].line
    return Page(first, last, tuple(found.values()), told, encode(verdicts))


async def keep_unit(conn: AsyncConnection[Any], import_id: UUID, kept: Page) -> None:
    """Notes the verdicts of rows and how far the import is, within the caller's transaction."""
    async with conn.pipeline():
        await conn.execute(PROGRESS, (kept.last, *kept.counts, import_id))
        await conn.execute(UNIT, (import_id, kept.first, kept.last, kept.told, kept.data))


async def verdicts_after(
    conn: AsyncConnection[Any], import_id: UUID, line: int, status: str | None, limit: int
) -> list[Verdict]:
    """The verdicts of the next rows; `rejected` finds those of which any cell was refused."""
    found: list[Verdict] = []
    told = 1 if status == "rejected" else 0
    after = line
    while len(found) < limit:
        cursor = await conn.execute(ROWS_AFTER, (import_id, after, told), binary=True)
        row = await cursor.fetchone()
        if row is None:
            break
        after, data = row
        found += [each for each in _decode(data) if each.line > line and _has(each, status)]
    return found[:limit]


def _has(verdict: Verdict, status: str | None) -> bool:
    if status == "rejected":
        return bool(verdict.faults)
    return status is None or verdict.status == status


async def next_unit(
    conn: AsyncConnection[Any], import_id: UUID, after: int
) -> tuple[int, int, list[tuple[UUID, int]]] | None:
    """A unit to be undone: its first line, how much of it is, and its facts in order."""
    row = await (await conn.execute(UNITS, (import_id, after), binary=True)).fetchone()
    if row is None:
        return None
    facts = [
        (UUID(bytes=number), version)
        for verdict in _decode(row[2])
        for number, first, count in verdict.facts
        for version in range(first, first + count)
    ]
    return row[0], row[1], facts
