"""Phone numbers: E.164 or refuse, and the keyed-hash id that stands for one everywhere else.

The only place that trusts a phone string. Behind it a number is either canonical (rulebook
section 9: one person, one id) or an opaque id; no text that leaves this module, an error's and
a repr's included, carries digits that someone typed.
"""

import base64
import binascii
import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Final
from uuid import UUID

from phonenumbers import phonenumberutil as library
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumber import PhoneNumber

TABLE_VERSION: Final = 1
"""Of our own rewriting table below: a change to it re-keys numbers, so it is a dated decision."""

E164_MAX_DIGITS: Final = 15
"""ITU-T E.164 section 6.2.1; libphonenumber's German lengths alone would reach 17."""

SHORT_CODE_MAX_DIGITS: Final = 6
"""Common short codes have up to six digits; no E.164 number with a mobile behind it is so short."""

LONGEST_TEXT: Final = 64
"""Characters read: a scheme, 15 digits and every separator people use fit twice over."""

_E164_DIGITS: Final = frozenset(range(SHORT_CODE_MAX_DIGITS + 1, E164_MAX_DIGITS + 1))

# South Africa's plan has nine digits; the other lengths in the metadata are network service
# codes, and accepting them lets every mistyped South African number through.
_NATIONAL_LENGTHS: Final = {27: (9,)}

_MEXICO_MOBILE_1 = re.compile(r"\+521(\d{10})")
_ARGENTINA_WITHOUT_9 = re.compile(r"\+54([123]\d{9})")
_BRAZIL_EIGHT_DIGITS = re.compile(r"\+55([1-9]{2})([6-9]\d{7})")

_REWRITES: Final = {
    # The 1 before Mexican mobiles went away in 2019; old address books and carriers keep it.
    52: (_MEXICO_MOBILE_1, r"+52\1"),
    # The 9 only says that the caller pays: number blocks do not overlap, so both forms are one
    # phone. The form with 9 wins: it is the one that libphonenumber knows for a mobile.
    54: (_ARGENTINA_WITHOUT_9, r"+549\1"),
    # Brazilian mobiles grew a leading 9 between 2012 and 2016; landlines start with 2 to 5.
    55: (_BRAZIL_EIGHT_DIGITS, r"+55\g<1>9\2"),
}

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SCHEME = re.compile(r"(?:whatsapp|sms|mms|rcs|tel):", re.IGNORECASE)
_PHONE_TEXT = re.compile(r"[\s(]*\+?[\d\s().\-/\u2010-\u2015\u2212\u00b7]+")


class UnparseableNumber(ValueError):
    """The text is no phone number that a text could go to. The message never echoes it."""

    def __init__(self) -> None:
        super().__init__("not a phone number in international form or in the region's own")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the metadata says of one calling code, in the shape that the fast path asks for."""

    code: str
    lengths: frozenset[int]  # of the whole E.164 text, plus sign included
    trunk: re.Pattern[str] | None
    rewrite: tuple[re.Pattern[str], str] | None

    def may_hold_trunk(self, e164: str) -> bool:
        if self.trunk is None:
            return False
        start = len(self.code) + 1
        found = self.trunk.match(e164, start)
        return found is not None and found.end() > start

    def settle(self, e164: str) -> str | None:
        """The one form of a number, or None if no number of this calling code is that long."""
        if self.rewrite is not None:
            found = self.rewrite[0].fullmatch(e164)
            e164 = e164 if found is None else found.expand(self.rewrite[1])
        return e164 if len(e164) in self.lengths else None


def canonical(
    text: str, default_region: str | None = None, *, assume_international: bool = False
) -> str:
    """The E.164 text of a phone number, in the one form that its owner's id is made of.

    `default_region` is an ISO 3166 code that national forms are read in; `assume_international`
    reads digits without a plus as calling code first (Plivo, Vonage). A possible but invalid
    number is accepted: a STOP from one must count. Idempotent. Raises UnparseableNumber, also
    for short codes, vanity letters and extensions. Source: rulebook section 9, ITU-T E.164.
    """
    if _E164.fullmatch(text):
        plan = _plans().get(text[1:4])
        if plan is not None and not plan.may_hold_trunk(text):
            settled = plan.settle(text)
            if settled is not None:
                return settled
    return _read(text, default_region, assume_international)


def region_of(e164: str) -> str:
    """The ISO 3166 region of a canonical number ('001' where it belongs to none)."""
    number = library.parse(e164, None)
    return library.region_code_for_number(number) or library.region_code_for_country_code(
        number.country_code or 0
    )


def national_digits(e164: str) -> str:
    """The digits after the calling code, as a report's prefix search compares them (R-V3).

    Argentina's mobile 9 is left out: people there search by area code.
    """
    plan = _plans().get(e164[1:4])
    if plan is None:
        raise UnparseableNumber
    start = len(plan.code) + 1
    return e164[start + 1 :] if plan.code == "54" and e164[start] == "9" else e164[start:]


@cache
def _plans() -> dict[str, _Plan]:
    """Plans by the first three digits, so that finding one is a single look-up."""
    plans = {}
    for code, regions in library.COUNTRY_CODE_TO_REGION_CODE.items():
        plan = _plan(code, regions[0])
        missing = 3 - len(plan.code)
        for tail in range(10**missing):
            plans[plan.code + (f"{tail:0{missing}d}" if missing else "")] = plan
    return plans


def _plan(code: int, region: str) -> _Plan:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        raise LookupError(f"no metadata for calling code {code}")
    national = _NATIONAL_LENGTHS.get(code, metadata.general_desc.possible_length)
    whole = {len(str(code)) + length for length in national}
    trunk = metadata.national_prefix_for_parsing
    return _Plan(
        code=str(code),
        lengths=frozenset(1 + digits for digits in whole & _E164_DIGITS),
        trunk=re.compile(trunk) if trunk else None,
        rewrite=_REWRITES.get(code),
    )


def _read(text: str, region: str | None, assume_international: bool) -> str:
    """The patient path: every reading in turn, the first that gives a possible number."""
    clean = _clean(text)
    for reading, reading_region in _readings(clean, region, assume_international):
        settled = _by_library(reading, reading_region)
        if settled is not None:
            return settled
    raise UnparseableNumber


def _clean(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise UnparseableNumber
    shown = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )
    bare = _SCHEME.sub("", shown.strip(), count=1)
    if not _PHONE_TEXT.fullmatch(bare):
        raise UnparseableNumber
    return bare.strip()


def _readings(
    text: str, region: str | None, international: bool
) -> Iterator[tuple[str, str | None]]:
    digits = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    plus = "+" in text
    if len(digits) <= SHORT_CODE_MAX_DIGITS:
        if not plus and not international and _is_short_mobile(digits, region):
            yield digits, region
        return
    if international and not plus:
        yield "+" + digits, None
    yield text, region
    if "(0)" in text:
        yield text.replace("(0)", ""), region
    if not plus and digits.startswith("00"):
        yield "+" + digits[2:], None


def _is_short_mobile(digits: str, region: str | None) -> bool:
    """Niue's and the Cook Islands' mobiles have as few digits as other countries' short codes."""
    number = _parsed(digits, region)
    mobile = (library.PhoneNumberType.MOBILE, library.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return number is not None and library.number_type(number) in mobile


def _by_library(text: str, region: str | None) -> str | None:
    number = _parsed(text, region)
    if number is None:
        return None
    e164 = library.format_number(number, library.PhoneNumberFormat.E164)
    plan = _plans().get(e164[1:4])
    settled = None if plan is None else plan.settle(e164)
    if plan is None or settled is None or settled == text or not plan.may_hold_trunk(settled):
        return settled
    # The library takes one trunk prefix away; of '+4300...' that would leave a second reading.
    return _by_library(settled, None)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return library.parse(text, region.upper() if region else None)
    except library.NumberParseException:
        return None


MASK: Final = "[number]"

_SEPARATORS = r"[\s().\-/\u00b7\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\u2212\ufeff]{0,4}"
# Instants and opaque ids are what a log is searched by, and no phone number is written so.
_LEFT_ALONE = (
    r"(?P<kept>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?!\d)"
    r"|(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f]))"
)
_NUMBER_LIKE = re.compile(
    rf"{_LEFT_ALONE}|[+\uff0b]{_SEPARATORS}\d(?:{_SEPARATORS}\d){{3,}}|\d(?:{_SEPARATORS}\d){{6,}}"
)


def mask(text: str) -> str:
    """The text with every run that could be a phone number replaced, for logs (section 9).

    A run is seven digits or more with separators between, or four or more after a plus. ISO 8601
    instants and UUIDs stay readable.
    """
    return _NUMBER_LIKE.sub(lambda m: m["kept"] or MASK, text)


KEY_MIN_BYTES: Final = 32
"""As long as the SHA-256 output: RFC 2104 section 3 advises against shorter keys."""

_VERSION_8: Final = (8 << 76) | (0b10 << 62)
_ROOM_FOR_VERSION: Final = ~((0xF << 76) | (0b11 << 62))


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
    if not _E164.fullmatch(e164):
        raise UnparseableNumber
    bits = int.from_bytes(keyed.digest(account_id.bytes + e164.encode())[:16])
    return UUID(int=bits & _ROOM_FOR_VERSION | _VERSION_8)


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
