"""What one query finds of numbers and accounts: one snapshot of all of it.

Standings, account versions, the clock and the place in the log come from one statement, so that an
answer is given as of one moment.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, cast
from uuid import UUID

from psycopg.pq.abc import PGresult

from consent_ledger.account import Account
from consent_ledger.snapshot import Snapshot
from consent_ledger.standing import Standing
from consent_ledger.store.codec import encode_snapshot, readable_snapshot
from consent_ledger.store.keys import check_generation

HORIZON: Final = """(
    SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset) << 20
    FROM deployment
)"""
"""What ledger_horizon() says. A function is called anew for each query, which takes longer."""

READ: Final = f"""
SELECT number_id, version, position, snapshot, NULL::timestamptz, NULL::integer
FROM consent_status WHERE number_id = ANY($1::uuid[])
UNION ALL
SELECT account_id, version, {HORIZON} - 1, NULL, clock_timestamp(),
    coalesce((SELECT generation FROM key_generation ORDER BY generation DESC LIMIT 1), 0)
FROM account_status WHERE account_id = ANY($2::uuid[])"""

SINCE_2000: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, from where the database counts in binary."""


class Found:
    """A number as it is: its version, the place of its last event, and its row's snapshot.

    `standing` and `snapshot` are None where they cannot be read: the answer is then a no.
    """

    __slots__ = ("_data", "position", "version")

    def __init__(self, version: int, position: int, data: bytes) -> None:
        self.version = version
        self.position = position
        self._data = data

    @property
    def standing(self) -> Standing | None:
        """Where the number stands; None where any of its snapshot cannot be read."""
        snapshot = self.snapshot
        return None if snapshot is None else snapshot.standing

    @property
    def snapshot(self) -> Snapshot | None:
        """The whole snapshot."""
        return readable_snapshot(self._data, self.version)


NEVER_SEEN: Final = Found(0, 0, encode_snapshot(Snapshot()))


class View:
    """One consistent look at some numbers of an account."""

    def __init__(self, account: Account, now: int, horizon: int, found: dict[bytes, Found]) -> None:
        self.account = account
        self.now = now
        self.horizon = horizon
        self._found = found

    def number(self, candidates: Iterable[UUID]) -> tuple[UUID, Found]:
        """The id and row of a number, by its ids under each generation of the key."""
        first: UUID | None = None
        for number_id in candidates:
            row = self._found.get(number_id.bytes)
            if row is not None:
                return number_id, row
            first = first or number_id
        assert first is not None
        return first, NEVER_SEEN


class Answer(NamedTuple):
    """What `READ` found: rows by number; by account its version, the horizon and the time."""

    found: dict[bytes, Found]
    accounts: dict[bytes, tuple[int, int, int]]

    def version(self, account_id: UUID) -> int | None:
        """The version of an account; None where there is no such account."""
        found = self.accounts.get(account_id.bytes)
        return None if found is None else found[0]

    def view(self, account: Account) -> View:
        """The numbers that were found, for an account at the version found with them."""
        _, horizon, now = self.accounts[account.account_id.bytes]
        return View(account, now, horizon, self.found)


def read_answer(result: PGresult, newest_generation: int) -> Answer:
    """The rows of `READ`; UnavailableError where another process uses a newer key."""
    answer, whole = Answer({}, {}), int.from_bytes
    found, value = answer.found, cast("Callable[[int, int], bytes]", result.get_value)
    for row in range(result.ntuples):
        key, snapshot = value(row, 0), value(row, 3)
        version, position = whole(value(row, 1)), whole(value(row, 2))
        if snapshot is not None:
            found[key] = Found(version, position, snapshot)
        else:
            check_generation(whole(value(row, 5)), newest_generation)
            answer.accounts[key] = version, position, whole(value(row, 4)) + SINCE_2000
    return answer
