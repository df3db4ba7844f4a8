"""Who may see the admin page: a link that works once, or an admin's key, gives a session.

A session is a cookie that the service signs and does not remember, so that every process accepts
it. It names the key it was opened with, and ends when that is revoked.
"""

import hashlib
import hmac
import secrets
import time
from typing import Final
from uuid import UUID

import msgspec

from consent_ledger.keyring import Keyring

SESSION_SECONDS: Final = 8 * 60 * 60
"""A working day."""
COOKIE: Final = "consent_ledger_admin"
PURPOSE: Final = "admin-session"


class Access(msgspec.Struct, frozen=True):
    """The account that may be seen, and the key by whose right."""

    account_id: UUID
    key_id: str


class AdminLinks:
    """Links that were handed out and not used; they live as long as the process."""

    def __init__(self) -> None:
        self._links: dict[bytes, Access] = {}

    def make(self, access: Access) -> str:
        """The token of a new link."""
        token = secrets.token_urlsafe(32)
        self._links[_digest(token)] = access
        return token

    def use(self, token: str) -> Access | None:
        """What a link opens, the first time."""
        return self._links.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    # Looked up by its digest, so that the time taken tells nothing of the tokens there are.
    return hashlib.sha256(token.encode()).digest()


def open_session(ring: Keyring, access: Access) -> str:
    """The cookie of a new session."""
    expires = int(time.time()) + SESSION_SECONDS
    text = f"{access.account_id.hex}.{access.key_id}.{expires}"
    return f"{text}.{ring.digest(PURPOSE, text.encode()).hex()}"


def read_session(ring: Keyring, cookie: str) -> Access | None:
    """Whose session a cookie is; None for one that was made up or has ended."""
    text, _, signature = cookie.rpartition(".")
    signed = [d.hex() for d in ring.candidate_digests(PURPOSE, text.encode())]
    if not any(hmac.compare_digest(each, signature) for each in signed):
        return None
    account_id, key_id, expires = text.split(".")
    if int(expires) < time.time():
        return None
    return Access(UUID(hex=account_id), key_id)
