"""Secrets of providers, encrypted in the database with a key made from the deployment's."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError

NONCE: Final = 12


def seal(keyring: Keyring, secret: str) -> bytes:
    """A secret, encrypted: nonce, then AES-256-GCM under the newest generation."""
    nonce = os.urandom(NONCE)
    key = keyring.digest("provider-secret", b"")
    return nonce + AESGCM(key).encrypt(nonce, secret.encode(), None)


def unseal(keyring: Keyring, sealed: bytes) -> str:
    """The secret again, under whichever generation it was encrypted."""
    for key in keyring.candidate_digests("provider-secret", b""):
        try:
            return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], None).decode()
        except InvalidTag:
            continue
    raise UnavailableError("a provider's secret cannot be decrypted")
