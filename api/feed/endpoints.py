"""Endpoints as they lie in the database: what is delivered where, and how far it has come."""

import random
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from api.feed.pages import Wanted
from api.feed.posting import Outcome
from api.secrets_at_rest import unseal
from consent_ledger.keyring import Keyring
from consent_ledger.policy import DAY

FIRST_DELAY_SECONDS: Final = 1.0
"""Before the second attempt; doubled for each one after it."""
LONGEST_DELAY_SECONDS: Final = 3_600.0
"""Between two attempts: who comes back waits an hour at most for what was kept."""
LONGEST_ASKED_SECONDS: Final = 86_400.0
"""That a receiver may ask for by Retry-After: whoever asks for more is told again after a day, well
before an endpoint is given up."""
JITTER: Final = 0.2
"""Delays are longer or shorter by up to this part, so that endpoints do not retry in step."""
GIVEN_UP_AFTER: Final = 5 * DAY
"""Failures for so long disable an endpoint: longer than a weekend with a holiday."""
FORMER_SECRET: Final = DAY
"""After a rotation the former secret signs too, so that receivers can change over."""

NOW: Final = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"

ENABLED: Final = """
SELECT endpoint_id, account_id, revision FROM webhook_endpoints WHERE disabled_because IS NULL"""
TRY_LOCK: Final = """
SELECT key FROM unnest(%s::bigint[]) AS key WHERE pg_try_advisory_lock(key)"""
UNLOCK: Final = "SELECT pg_advisory_unlock(%s)"

LOAD: Final = f"""
SELECT account_id, url, types, user_id, position, revision, failures, secret,
    CASE WHEN former_until > {NOW} THEN former_secret END,
    greatest(0, coalesce(next_attempt_at, 0) - {NOW}) / 1000000.0
FROM webhook_endpoints WHERE endpoint_id = %s AND disabled_because IS NULL"""

DELIVERED: Final = f"""
UPDATE webhook_endpoints
SET position = %(to)s, failures = 0, failing_since = NULL, next_attempt_at = NULL,
    last_attempt_at = {NOW}, last_delivered_at = {NOW}, last_status = %(status)s, last_error = NULL
WHERE endpoint_id = %(id)s AND position = %(from)s RETURNING revision"""

PASSED: Final = """
UPDATE webhook_endpoints SET position = %(to)s
WHERE endpoint_id = %(id)s AND position = %(from)s RETURNING revision"""

FAILED: Final = f"""
UPDATE webhook_endpoints
SET failures = failures + 1, failing_since = coalesce(failing_since, {NOW}),
    next_attempt_at = {NOW} + %(delay)s, last_attempt_at = {NOW}, last_status = %(status)s,
    last_error = %(error)s,
    disabled_because = CASE
        WHEN %(gone)s THEN 'gone'
        WHEN coalesce(failing_since, {NOW}) <= {NOW} - {GIVEN_UP_AFTER} THEN 'failing'
    END
WHERE endpoint_id = %(id)s AND revision = %(revision)s"""


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint that is delivered to; `wait` is how many seconds the next attempt is away."""

    endpoint_id: UUID
    account_id: UUID
    url: str
    wanted: Wanted
    position: int
    revision: int
    failures: int
    secrets: tuple[str, ...]
    wait: float


def lock_key(endpoint_id: UUID) -> int:
    """The advisory lock that the process which delivers to an endpoint holds."""
    return int.from_bytes(endpoint_id.bytes[:8], signed=True)


def delay_seconds(failures: int, asked: float | None = None) -> float:
    """How long to wait after so many failures in a row, and at least as long as was asked for."""
    doubled: float = FIRST_DELAY_SECONDS * 2 ** min(failures - 1, 20)
    delay = min(doubled, LONGEST_DELAY_SECONDS) * random.uniform(1 - JITTER, 1 + JITTER)
    return max(delay, min(asked or 0.0, LONGEST_ASKED_SECONDS))


async def load(conn: AsyncConnection[Any], keyring: Keyring, endpoint_id: UUID) -> Endpoint | None:
    """An endpoint as it is now; None where it was deleted or disabled."""
    row = await (await conn.execute(LOAD, (endpoint_id,))).fetchone()
    if row is None:
        return None
    account_id, url, types, user, position, revision, failures, secret, former, wait = row
    wanted = Wanted(None if types is None else frozenset(types), user)
    secrets = tuple(unseal(keyring, bytes(each)) for each in (secret, former) if each is not None)
    return Endpoint(
        endpoint_id, account_id, url, wanted, position, revision, failures, secrets, float(wait)
    )


async def note_delivered(
    conn: AsyncConnection[Any], endpoint: Endpoint, since: int, to: int, status: int | None
) -> bool:
    """Moves the endpoint on after a delivery; whether it is as it was loaded."""
    params = {"id": endpoint.endpoint_id, "from": since, "to": to, "status": status}
    row = await (await conn.execute(DELIVERED, params)).fetchone()
    return row is not None and row[0] == endpoint.revision


async def note_passed(conn: AsyncConnection[Any], endpoint: Endpoint, since: int, to: int) -> bool:
    """Moves the endpoint on over events that it did not ask for."""
    params = {"id": endpoint.endpoint_id, "from": since, "to": to}
    row = await (await conn.execute(PASSED, params)).fetchone()
    return row is not None and row[0] == endpoint.revision


async def note_failed(conn: AsyncConnection[Any], endpoint: Endpoint, outcome: Outcome) -> None:
    """Puts the next attempt off, or gives the endpoint up."""
    params = {
        "id": endpoint.endpoint_id,
        "revision": endpoint.revision,
        "delay": round(delay_seconds(endpoint.failures + 1, outcome.retry_after) * 1_000_000),
        "status": outcome.status,
        "error": outcome.error,
        "gone": outcome.gone,
    }
    await conn.execute(FAILED, params)
