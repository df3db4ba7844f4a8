"""What `consent-ledger doctor` examines: each finding is a sentence that says what to do."""

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection

from api.cli.database import UNSAFE_VARIABLE, db_functions_enabled
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import SERVICE_ROLE, connect_as_owner
from consent_ledger.store.migrate import MigrationError, pending

CLOCK_SECONDS: Final = 30.0
"""Providers' clocks are believed to 5 minutes (R-O3): a tenth of that may be our own share."""

RIGHTS: Final = """
SELECT pg_has_role(current_user, %(role)s, 'member'),
    has_table_privilege(%(role)s, 'events', 'SELECT')
        AND has_table_privilege(%(role)s, 'events', 'INSERT'),
    has_table_privilege(%(role)s, 'events', 'UPDATE')
        OR has_table_privilege(%(role)s, 'events', 'DELETE')
        OR has_table_privilege(%(role)s, 'events', 'TRUNCATE')"""

POSITIONS: Final = """
SELECT coalesce(max(position) >> 20, 0),
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint + (SELECT xid_offset FROM deployment)
FROM events"""
"""The transaction of the last event, and that of the next one, both with the offset."""

RAISE: Final = "UPDATE deployment SET xid_offset = xid_offset + %s"


class Finding(NamedTuple):
    """What one examination came to."""

    check: str
    ok: bool
    detail: str


def examine(database_url: str, ring: Keyring, *, fix: bool) -> list[Finding]:
    """Every examination; where there is no schema the later ones are left out."""
    with connect_as_owner(database_url) as conn:
        found = [_environment(), _connection(conn), _migrations(conn)]
        if not found[-1].ok:
            return found
        if fix:
            _raise_offset(conn)
        later: list[Callable[[], Finding]] = [
            lambda: _keys(conn, ring),
            lambda: _rights(conn),
            lambda: _clock(conn),
            lambda: _positions(conn),
        ]
        return found + [each() for each in later]


def _environment() -> Finding:
    if db_functions_enabled():
        detail = f"unset {UNSAFE_VARIABLE}: read models would miss events"
        return Finding("environment", False, detail)
    return Finding("environment", True, f"{UNSAFE_VARIABLE} is not set")


def _connection(conn: Connection[Any]) -> Finding:
    version = conn.info.server_version
    detail = f"PostgreSQL {version // 10_000}.{version % 10_000} as {conn.info.user}"
    return Finding("connection", True, detail)


def _migrations(conn: Connection[Any]) -> Finding:
    try:
        missing = pending(conn)
    except MigrationError as error:
        return Finding("migrations", False, str(error))
    if missing:
        detail = f"pending: {', '.join(missing)}; run `consent-ledger migrate`"
        return Finding("migrations", False, detail)
    return Finding("migrations", True, "all are applied")


def _keys(conn: Connection[Any], ring: Keyring) -> Finding:
    """Like the service at its start, but nothing is recorded."""
    known = dict(conn.execute("SELECT generation, check_value FROM key_generation").fetchall())
    missing = sorted(set(known) - set(ring.generations))
    if missing:
        detail = f"generations {missing} that the database was written with are not in the ring"
        return Finding("key", False, detail)
    wrong = [g for g, value in known.items() if ring.check_value(g) != value]
    if wrong:
        return Finding("key", False, f"generations {sorted(wrong)} are not the database's")
    return Finding("key", True, f"generations {sorted(known)} are known to the database")


def _rights(conn: Connection[Any]) -> Finding:
    try:
        row = conn.execute(RIGHTS, {"role": SERVICE_ROLE}).fetchone()
    except psycopg.errors.UndefinedObject:
        return Finding("rights", False, f"the role {SERVICE_ROLE} is missing: it came with 0001")
    assert row is not None
    member, adds, changes = row
    if changes:
        return Finding("rights", False, f"{SERVICE_ROLE} can change events: revoke that")
    if not member or not adds:
        detail = f"{conn.info.user} cannot add events as {SERVICE_ROLE}: grant that"
        return Finding("rights", False, detail)
    return Finding("rights", True, f"{SERVICE_ROLE} can add events and change none")


def _clock(conn: Connection[Any]) -> Finding:
    before = time.time()
    row = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    apart = abs(row[0] - (before + time.time()) / 2)
    detail = f"the database's clock and this one are {apart:.3f} s apart"
    return Finding("clock", apart <= CLOCK_SECONDS, detail)


def _positions(conn: Connection[Any]) -> Finding:
    short = _short_by(conn)
    if short > 0:
        detail = (
            f"new events would come {short} transactions before old ones, as after restoring a "
            "dump into a younger cluster: run `consent-ledger doctor --fix` before serving"
        )
        return Finding("positions", False, detail)
    return Finding("positions", True, "new events come after every old one")


def _short_by(conn: Connection[Any]) -> int:
    """By how much the offset is too small."""
    row = conn.execute(POSITIONS).fetchone()
    assert row is not None
    last, upcoming = row
    return max(0, int(last) + 1 - int(upcoming))


def _raise_offset(conn: Connection[Any]) -> None:
    with conn.transaction():
        # Whoever adds an event meanwhile would take its place with the old offset.
        conn.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        short = _short_by(conn)
        if short:
            conn.execute(RAISE, (short,))
