"""Signatures, compared so that the time taken tells nothing."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from api.providers.base import Request

FIVE_MINUTES: Final = 300
"""Seconds that a signed time may be off, where a provider signs each attempt anew."""
SIGNATURES: Final = 8
"""Signatures of one request that are looked at; providers send two while a secret changes."""


def any_same(given: bytes, expected: Iterable[bytes]) -> bool:
    """Whether one of the expected signatures was given.

    Each is compared before any counts: the time taken must not tell which was near.
    """
    same = [hmac.compare_digest(each, given) for each in expected]
    return any(same)


def raw(text: str) -> bytes:
    """The bytes of any text, also of one that is no text."""
    return text.encode("utf-8", "surrogatepass")


def hmac_base64(secret: str, data: bytes, method: str = "sha256") -> bytes:
    """An HMAC as most providers write it."""
    return b64encode(hmac.digest(raw(secret), data, method))


def is_fresh(timestamp: str, now: float, *, before: float) -> bool:
    """Whether a signed time, in seconds since 1970, is near: neither stale nor of the future."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return False
    return now - before <= int(timestamp) <= now + FIVE_MINUTES


def from_base64(text: str) -> bytes | None:
    """The bytes that a text of base64 stands for; None where it is none."""
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        return None


def has_basic_credentials(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the request carries one of the pairs `user:password`, by RFC 7617."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    given = from_base64(encoded.strip())
    if scheme.lower() != "basic" or given is None:
        return False
    # Digests, so that not even the length of a password shows.
    return any_same(sha256(given).digest(), (sha256(raw(s)).digest() for s in secrets))


def has_no_credentials(request: Request) -> bool:
    """Whether the request does not say who sends it: some clients wait until they are asked."""
    return "authorization" not in request.headers


def user_and_password(secret: str) -> str | None:
    """What is wrong with a secret that has to be `user:password`."""
    user, colon, password = secret.partition(":")
    return None if user and colon and password else "is not user:password"
