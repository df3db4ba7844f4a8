"""API keys: a prefix and a checksum people and scanners can see, and a digest in the database.

A key is looked up by its HMAC with the deployment's key; the database never holds the key itself.
"""

import binascii
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import Request
from psycopg import AsyncConnection, Connection

from api.problems import Problem
from consent_ledger.keyring import Keyring
from consent_ledger.words import Role

PREFIX: Final = "clk"
CACHE_SECONDS: Final = 1.0
"""A revoked key works for at most this long in a process that knew it."""
CACHE_KEYS: Final = 10_000
"""Keys remembered in a process; an attacker's guesses fail the checksum and are not."""

FIND: Final = """
SELECT account_id, role, key_id FROM api_keys
WHERE key_digest = ANY(%s) AND revoked_at IS NULL"""

INSERT_KEY: Final = """
INSERT INTO api_keys (key_digest, account_id, key_id, role, name) VALUES (%s, %s, %s, %s, %s)"""


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the account that the key belongs to, what it may do, and the key's own id."""

    account_id: UUID
    role: Role
    key_id: str


def new_key(role: Role) -> str:
    """A fresh key: `clk_<role>_<secret><checksum>`."""
    secret = secrets.token_hex(20)
    return f"{PREFIX}_{role}_{secret}{_checksum(secret)}"


def new_key_id() -> str:
    """The id by which a key is listed and revoked."""
    return secrets.token_hex(6)


def _checksum(secret: str) -> str:
    return f"{binascii.crc32(secret.encode()):08x}"


def looks_like_key(key: str) -> bool:
    """Whether a text has a key's form and checksum; anything else needs no look-up."""
    prefix, _, rest = key.partition("_")
    secret = rest.rpartition("_")[2]
    return prefix == PREFIX and len(secret) == 48 and _checksum(secret[:-8]) == secret[-8:]


def key_digests(keyring: Keyring, key: str) -> list[UUID]:
    """What the database may know a key by, under each generation of the deployment's key."""
    return [UUID(bytes=d[:16]) for d in keyring.candidate_digests("api-key", key.encode())]


def issue_key(
    conn: Connection[Any], keyring: Keyring, account_id: UUID, role: Role, name: str
) -> tuple[str, str]:
    """Makes a key of an account: (key id, key). The key is shown once and never again."""
    key, key_id = new_key(role), new_key_id()
    conn.execute(INSERT_KEY, (key_digests(keyring, key)[0], account_id, key_id, str(role), name))
    return key_id, key


class KeyCache:
    """Keys seen in this process, for a moment."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._callers: dict[str, tuple[float, Caller]] = {}

    def known(self, authorization: str) -> Caller | None:
        """The caller of a header that was looked up a moment ago."""
        found = self._callers.get(authorization)
        if found is None or time.monotonic() - found[0] > CACHE_SECONDS:
            return None
        return found[1]

    async def look_up(self, conn: AsyncConnection[Any], key: str) -> Caller | None:
        """The caller of a key, from the database."""
        cursor = await conn.execute(FIND, (key_digests(self._keyring, key),))
        row = await cursor.fetchone()
        return None if row is None else Caller(row[0], Role(row[1]), row[2])

    def keep(self, authorization: str, caller: Caller) -> None:
        """Remembers a caller for a moment; only once their account is at hand."""
        if len(self._callers) >= CACHE_KEYS:
            self._callers.clear()
        self._callers[authorization] = (time.monotonic(), caller)


def _bearer(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not looks_like_key(key):
        raise Problem(401, "key-missing-or-unknown", "Send a key: Authorization: Bearer KEY.")
    return key


def header(request: Request, wanted: bytes) -> str | None:
    """The first header of a name, or none; without making the whole of them readable."""
    for name, value in request.scope["headers"]:
        if name == wanted:
            sent: str = value.decode("latin-1")
            return sent
    return None


_roles: Final[dict[object, tuple[Role, ...]]] = {}
"""Whom each dependency of `allow` lets in, for the documentation."""


def allow(*roles: Role) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency that lets callers of these roles in: else 401, or 403 for another role."""

    async def caller_of(request: Request) -> Caller:
        sent = header(request, b"authorization") or ""
        service = request.app.state.service
        caller: Caller | None = service.keys.known(sent)
        if caller is None:
            caller = await service.look_up_key(_bearer(sent))
            if caller is None:
                raise Problem(401, "key-missing-or-unknown", "The key is unknown or was revoked.")
            service.keys.keep(sent, caller)
        if caller.role not in roles:
            raise Problem(403, "role-not-allowed", "This key's role may not do this.")
        return caller

    _roles[caller_of] = roles
    return caller_of


def roles_of(call: object) -> tuple[Role, ...] | None:
    """The roles that a dependency lets in, if it is one of `allow`."""
    return _roles.get(call)
