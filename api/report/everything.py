"""All rows of a report, as the database gives them: one statement, of one moment.

Each table is read once and joined as a whole where the report is a great part of it, which costs
less than to look for each number; what does not fit in memory meanwhile goes to the database's own
temporary files. So the first row of ten million comes half a minute after it was asked for.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection

from api.report.filters import Filters, conditions_of, report_params
from consent_ledger.prefix import Range
from consent_ledger.store.moment import BEGIN

FETCH: Final = 1_000
"""Rows at a time: some 150 kB of a file."""
MEMORY: Final = "32MB"
"""Of each step of the statement; with less, more goes to temporary files."""
LONGEST_STALL_SECONDS: Final = 600
"""A transaction that nobody reads from for so long ends, whoever has forgotten it."""

SETTINGS: Final = f"""
SET LOCAL work_mem = '{MEMORY}';
SET LOCAL hash_mem_multiplier = 1;
SET LOCAL cursor_tuple_fraction = 1;
SET LOCAL jit = off;
SET LOCAL idle_in_transaction_session_timeout = {LONGEST_STALL_SECONDS * 1000}"""

PRESENT: Final = """
SELECT starts, ends FROM unnest(%(starts)s::text[], %(ends)s::text[]) AS range (starts, ends)
WHERE EXISTS (
    SELECT FROM opt_outs_shown s
    WHERE s.account_id = %(account_id)s AND s.e164 >= range.starts AND s.e164 < range.ends)"""

ROWS: Final = """
DECLARE report NO SCROLL CURSOR FOR
SELECT s.number_id::text, s.e164,
    o.source, o.since, o.version, o.by, o.channel, w.body, o.purposes,
    p.since, p.version, p.by, p.channel, v.body,
    q.since, q.version, q.by, q.channel, u.body
FROM opt_outs_shown s
JOIN opt_out_report o ON o.number_id = s.number_id AND o.source = s.source
LEFT JOIN words w ON w.number_id = o.number_id AND w.version = o.version
LEFT JOIN opt_out_report p
    ON p.number_id = s.number_id AND p.source = 'system' AND NOT p.shown
LEFT JOIN words v ON v.number_id = p.number_id AND v.version = p.version
LEFT JOIN opt_out_report q ON q.number_id = s.number_id AND q.source = 'agent' AND NOT q.shown
LEFT JOIN words u ON u.number_id = q.number_id AND u.version = q.version
WHERE s.account_id = %(account_id)s {filters}
ORDER BY {order}"""
FETCHED: Final = f"FETCH FORWARD {FETCH} FROM report"


class Beside(NamedTuple):
    """An opt-out that stands beside the one shown; never the contact's, which is the hardest."""

    source: str
    since: int
    version: int
    by: str | None
    channel: str
    reason: str | None


class Row(NamedTuple):
    """A number and the opt-out shown of it; `besides` are the others, the hardest first."""

    number_id: str
    number: str | None
    source: str
    since: int
    version: int
    by: str | None
    channel: str
    reason: str | None
    purposes: str | None
    besides: tuple[Beside, ...] = ()

    @property
    def sources(self) -> str:
        """All sources, the hardest first."""
        return " ".join([self.source, *(each.source for each in self.besides)])


def ask(conn: Connection[Any], account_id: UUID, filters: Filters) -> None:
    """Begins to read all rows of a report, as they stand now."""
    conn.execute(BEGIN)
    conn.execute(SETTINGS.encode())
    params = report_params(account_id, filters)
    conditions, order = conditions_of(filters), "s.since DESC, s.number_id"
    if filters.ranges is not None:
        order = "s.e164, s.number_id"
        ranges = [Range(*row) for row in conn.execute(PRESENT, params).fetchall()]
        conditions.append(_within(ranges))
        params |= _ends(ranges)
    conn.execute(ROWS.format(filters=" ".join(conditions), order=order).encode(), params)


def slices(conn: Connection[Any]) -> Iterator[list[Row]]:
    """The rows that were asked for, in order."""
    with conn.cursor() as cursor:
        while rows := cursor.execute(FETCHED).fetchall():
            yield [_row(row) for row in rows]


def _within(ranges: Sequence[Range]) -> str:
    # Each by itself: the planner knows from it how many rows will come.
    each = [f"s.e164 >= %(start_{i})s AND s.e164 < %(end_{i})s" for i in range(len(ranges))]
    return f"AND ({' OR '.join(each) or 'false'})"


def _ends(ranges: Sequence[Range]) -> dict[str, str]:
    starts = {f"start_{i}": each.start for i, each in enumerate(ranges)}
    return starts | {f"end_{i}": each.end for i, each in enumerate(ranges)}


def _row(row: tuple[Any, ...]) -> Row:
    if row[9] is None and row[14] is None:
        return Row(*row[:9])
    found = (Beside("system", *row[9:14]), Beside("agent", *row[14:]))
    standing = tuple(each for each in found if each.since is not None)
    return Row(*row[:9])._replace(besides=standing)
