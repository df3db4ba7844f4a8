"""What a page shows, sealed into its address.

Every form's answer sends the browser on to an address, so that to reload and to go back repeat
nothing. What a page is narrowed to has digits of a number in it, which no address may show: so it
is encrypted there, with the deployment's key and for the account alone. The pages themselves stay
out of every cache: who goes back after signing out is asked to sign in.
"""

import base64
import os
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Response
from msgspec.structs import replace

from api.admin.pages import sent_on
from api.auth import Caller
from api.service import Service
from consent_ledger.keyring import Keyring

T = TypeVar("T")

NONCE: Final = 12
"""Bytes that GCM asks for."""
PURPOSE: Final = "admin-page"
UNREADABLE: Final = "This address says nothing here any more. Choose again what to look at."

_packer: Final = msgspec.msgpack.Encoder(uuid_format="bytes")
"""Short, as a hundred ticked numbers have to fit into one line of a request."""


def sealed(service: Service, caller: Caller, shown: msgspec.Struct) -> str:
    """The text that stands in an address for what a page shows."""
    nonce = os.urandom(NONCE)
    key = AESGCM(service.keyring.digest(PURPOSE, b""))
    held = nonce + key.encrypt(nonce, _packer.encode(shown), caller.account_id.bytes)
    return base64.urlsafe_b64encode(held).decode().rstrip("=")


def unsealed(service: Service, caller: Caller, text: str, kind: type[T]) -> T | None:
    """What an address of this account stands for; None where it is another page's, or made up."""
    try:
        held = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        opened = _opened(service.keyring, caller.account_id, held)
        return None if opened is None else msgspec.msgpack.decode(opened, type=kind)
    except (ValueError, msgspec.MsgspecError):
        return None


def _opened(ring: Keyring, account_id: UUID, held: bytes) -> bytes | None:
    for key in ring.candidate_digests(PURPOSE, b""):
        try:
            return AESGCM(key).decrypt(held[:NONCE], held[NONCE:], account_id.bytes)
        except InvalidTag:
            continue
    return None


def address(service: Service, caller: Caller, path: str, shown: msgspec.Struct) -> str:
    """Where a page is found again as it is now."""
    return f"{path}?view={sealed(service, caller, shown)}"


def onward(service: Service, caller: Caller, path: str, shown: msgspec.Struct) -> Response:
    """The answer to a form: the browser goes on to a page that says what was done."""
    return sent_on(address(service, caller, path, shown))


class Paged(Protocol):
    """A page of several."""

    @property
    def cursor(self) -> str:
        """Where the page before it ended; empty for the first one."""
        ...

    def quiet(self) -> Any:
        """The same page without what was said last."""
        ...


def ways(
    service: Service, caller: Caller, path: str, shown: Paged, following: str | None
) -> dict[str, str | None]:
    """The addresses of the first page and of the one after a cursor, where they are others."""

    def way(cursor: str | None) -> str | None:
        if cursor is None:
            return None
        return address(service, caller, path, replace(shown.quiet(), cursor=cursor))

    return {"first": way("" if shown.cursor else None), "following": way(following)}
