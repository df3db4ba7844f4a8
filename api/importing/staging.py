"""The file of an import while it is worked on: in pieces, encrypted, deleted at the end.

It is in the database, so that any process can go on with it after another one was killed.
"""

import os
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection, Connection

from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError

PIECE: Final = 1 << 20
"""Bytes of a piece: a few of them are all that is in memory of a file."""
NONCE: Final = 12
PURPOSE: Final = "import-file"

PUT: Final = "INSERT INTO import_parts (import_id, part, data) VALUES (%s, %s, %s)"
GET: Final = "SELECT data FROM import_parts WHERE import_id = %s AND part = %s"
DROP: Final = "DELETE FROM import_parts WHERE import_id = %s"


def seal(keyring: Keyring, data: bytes) -> bytes:
    """Bytes of a list, encrypted under the newest generation."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(keyring.digest(PURPOSE, b"")).encrypt(nonce, data, None)


def unseal(keyring: Keyring, sealed: bytes) -> bytes:
    """The bytes again, under whichever generation they were encrypted."""
    for key in keyring.candidate_digests(PURPOSE, b""):
        try:
            return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], None)
        except InvalidTag:
            continue
    raise UnavailableError("a list cannot be decrypted")


async def put_piece(
    conn: AsyncConnection[Any], keyring: Keyring, import_id: UUID, part: int, data: bytes
) -> None:
    """Keeps one piece."""
    await conn.execute(PUT, (import_id, part, seal(keyring, data)))


def pieces(conn: Connection[Any], keyring: Keyring, import_id: UUID) -> Iterator[bytes]:
    """The pieces of a file, in order."""
    part = 0
    while True:
        row = conn.cursor(binary=True).execute(GET, (import_id, part)).fetchone()
        if row is None:
            return
        yield unseal(keyring, bytes(row[0]))
        part += 1


async def drop(conn: AsyncConnection[Any], import_id: UUID) -> None:
    """Forgets a file."""
    await conn.execute(DROP, (import_id,))
