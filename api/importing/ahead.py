"""The rows of an import that come next: read, looked up and made ready while others are written.

It runs in a thread of the worker, over a connection of its own; what it found is asked again in the
transaction that writes.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from psycopg import Connection

from api.importing import book, records, staging
from consent_ledger.account import Account
from consent_ledger.importing.rows import Row, RowReader
from consent_ledger.keyring import Keyring
from consent_ledger.store.accounts import CLOCK, AccountCache
from consent_ledger.store.importing import UNIT, ImportWriter, Ready
from consent_ledger.store.plans import Plan, look_ahead, make_plan
from consent_ledger.store.units import Cell


class Ahead(NamedTuple):
    """How rows will be written, and what is told of them then, if it can be known by now."""

    plan: Plan
    ready: Ready | None
    page: book.Page | None


class Group(NamedTuple):
    """Rows that were read and the ids of their numbers, with what will become of them."""

    rows: list[Row]
    cells: list[Cell]
    ids: frozenset[bytes]
    ahead: Ahead


class Reading:
    """The reading of one import's file."""

    def __init__(
        self,
        conn: Connection[Any],
        keyring: Keyring,
        accounts: AccountCache,
        writer: ImportWriter,
        found: book.Import,
        account: Account,
    ) -> None:
        self._conn = conn
        self._keyring = keyring
        self._accounts = accounts
        self._writer = writer
        self._found = found
        self._account = account

    def groups(self, done: int) -> Iterator[Group]:
        """The rows after the one up to which all is done."""
        rows = (row for row in self._rows() if row.line > done)
        for group in records.sized(rows, UNIT):
            yield self._group(group)

    def _rows(self) -> Iterator[Row]:
        found, account = self._found, self._account
        # The policy that its rows will be handled under, not that of the hour when it was sent.
        (now,) = self._conn.execute(CLOCK).fetchone() or (found.instant,)
        policy = account.policy_at(now).policy
        purposes = frozenset(policy.purposes)
        region, consent = account.default_region, policy.consent_purposes
        reader = RowReader(region, purposes, consent, found.instant)
        parts = staging.pieces(self._conn, self._keyring, found.import_id)
        return records.rows(parts, found.kind, reader)

    def _group(self, rows: list[Row]) -> Group:
        found, writer = self._found, self._writer
        cells = writer.cells(found.account_id, rows)
        known, now = look_ahead(self._conn, found.account_id, cells)
        plan = make_plan(found.job, rows, cells, known)
        # The transaction asks whether the account is still the same.
        account = self._accounts.seen(found.account_id) or self._account
        ready = None if found.dry_run else writer.ready(found.job, plan, account, now)
        page = None if ready is None else book.page(plan.unit.verdicts())
        ids = frozenset([each for cell in cells for each in cell.ids])
        return Group(rows, cells, ids, Ahead(plan, ready, page))
