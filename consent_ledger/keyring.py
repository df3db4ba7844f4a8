"""The deployment's keys, and the keyed-hash id that stands for a number elsewhere."""

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final
from uuid import UUID

from msgspec import convert

from consent_ledger.number import E164, UnparseableNumber

KEY_MIN_BYTES: Final = 32
"""As long as the SHA-256 output: RFC 2104 section 3 advises against shorter keys."""


class KeyringError(ValueError):
    """The key ring can't be used. The message never holds key material."""


class _Keyed:
    """HMAC-SHA256 (RFC 2104) with the key and the domain's label already hashed in.

    Two bare hash states copy in half the time that an hmac object takes.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, domain: str) -> None:
        block = (key if len(key) <= 64 else sha256(key).digest()).ljust(64, b"\0")
        self._inner = sha256(bytes(b ^ 0x36 for b in block) + domain.encode() + b"\0")
        self._outer = sha256(bytes(b ^ 0x5C for b in block))

    def digest(self, data: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()

    def begun(self, data: bytes) -> "_Keyed":
        """The same, with the first of the data already hashed in."""
        found = _Keyed.__new__(_Keyed)
        found._inner, found._outer = self._inner.copy(), self._outer
        found._inner.update(data)
        return found


class Keyring:
    """The deployment's secret keys by generation; the highest is the newest.

    A plain hash of ten digits can be enumerated, so ids are keyed; old generations stay, because
    a number's stream keeps the id that it was first given (rulebook section 9). Raises
    KeyringError for an empty ring, a generation below 1 or a key under 32 bytes.
    """

    __slots__ = ("_digests", "_ids", "_keys", "_newest")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys or min(keys) < 1:
            raise KeyringError("a key ring needs at least one generation, numbered from 1")
        if any(len(key) < KEY_MIN_BYTES for key in keys.values()):
            raise KeyringError(f"every key needs at least {KEY_MIN_BYTES} bytes")
        self._keys = {
            generation: bytes(keys[generation]) for generation in sorted(keys, reverse=True)
        }
        self._ids = tuple(_Keyed(key, "number-id") for key in self._keys.values())
        self._newest = self._ids[0]
        # Keying a hash costs ten times a digest; there are as many as the code names purposes.
        self._digests: dict[tuple[bytes, str], _Keyed] = {}

    @classmethod
    def generate(cls) -> "Keyring":
        return cls({1: secrets.token_bytes(KEY_MIN_BYTES)})

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """The ring written as '1:base64,2:base64'. Raises KeyringError."""
        keys: dict[int, bytes] = {}
        for entry in text.split(","):
            generation, key = _key_entry(entry)
            if generation in keys:
                raise KeyringError(f"key generation {generation} is there twice")
            keys[generation] = key
        return cls(keys)

    def dump(self) -> str:
        """The secret text that `parse` reads back."""
        entries = sorted(self._keys.items())
        return ",".join(f"{g}:{base64.b64encode(key).decode()}" for g, key in entries)

    def rotated(self) -> "Keyring":
        """This ring with a fresh key as its newest generation."""
        return Keyring({**self._keys, max(self._keys) + 1: secrets.token_bytes(KEY_MIN_BYTES)})

    @property
    def generations(self) -> tuple[int, ...]:
        """Newest first, in the order of `candidate_ids`."""
        return tuple(self._keys)

    def number_id(self, account_id: UUID, e164: str) -> UUID:
        """The id of a canonical number in one account, under the newest key.

        A version 8 UUID (RFC 9562 section 5.8) of 122 bits of HMAC-SHA256. Raises
        UnparseableNumber unless the text is E.164: an id of anything else would look new for ever.
        """
        return _number_id(self._newest, account_id, e164)

    def candidate_ids(self, account_id: UUID, e164: str) -> tuple[UUID, ...]:
        """Every id that the number can be stored under, newest generation first."""
        return tuple(_number_id(keyed, account_id, e164) for keyed in self._ids)

    def id_makers(self, account_id: UUID) -> tuple[Callable[[bytes], bytes], ...]:
        """For many numbers of one account: E.164 bytes to the bytes of the id, newest key first.

        A maker trusts that its text is E.164; `candidate_ids` checks it.
        """
        return tuple(_id_maker(keyed, account_id) for keyed in self._ids)

    def check_value(self, generation: int) -> str:
        """64 hex digits by which a database knows a key again without learning it."""
        return self.digest("key-check", generation.to_bytes(8), generation=generation).hex()

    def digest(self, purpose: str, data: bytes, *, generation: int | None = None) -> bytes:
        """32 bytes of HMAC for a named purpose, by default under the newest key.

        Different purposes never give the same bytes. Raises KeyringError for an unknown
        generation.
        """
        key = self._keys.get(max(self._keys) if generation is None else generation)
        if key is None:
            raise KeyringError(f"no key of generation {generation}")
        keyed = self._digests.get((key, purpose))
        if keyed is None:
            keyed = self._digests[key, purpose] = _Keyed(key, f"digest:{_domain(purpose)}")
        return keyed.digest(data)

    def candidate_digests(self, purpose: str, data: bytes) -> tuple[bytes, ...]:
        """What was stored under any generation could be one of these, newest first."""
        return tuple(self.digest(purpose, data, generation=g) for g in self._keys)

    def __repr__(self) -> str:
        return f"Keyring(generations={self.generations})"


def _number_id(keyed: _Keyed, account_id: UUID, e164: str) -> UUID:
    if not E164.fullmatch(e164):
        raise UnparseableNumber
    # Python's own UUID takes more than twice as long to make.
    return convert(_version_8(keyed.digest(account_id.bytes + e164.encode())), UUID)


_SEVENTH: Final = tuple(bytes([byte & 0x0F | 0x80]) for byte in range(256))
_NINTH: Final = tuple(bytes([byte & 0x3F | 0x80]) for byte in range(256))
"""The bytes of an id that hold version 8 and the variant, for each byte of a digest."""


def _version_8(found: bytes) -> bytes:
    return found[:6] + _SEVENTH[found[6]] + found[7:8] + _NINTH[found[8]] + found[9:16]


def _id_maker(keyed: _Keyed, account_id: UUID) -> Callable[[bytes], bytes]:
    hashed = keyed.begun(account_id.bytes)

    def make(e164: bytes) -> bytes:
        return _version_8(hashed.digest(e164))

    return make


def _domain(purpose: str) -> str:
    if not purpose or "\0" in purpose:
        raise KeyringError("a digest needs a purpose, without a zero character in it")
    return purpose


def _key_entry(entry: str) -> tuple[int, bytes]:
    generation, _, key = entry.strip().partition(":")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", generation):
        raise KeyringError("a key ring is written as generation:base64, separated by commas")
    try:
        return int(generation), base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise KeyringError(f"the key of generation {generation} is not base64") from None
