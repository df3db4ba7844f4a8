"""From a request to the ledger and back: the parts that every telling route shares."""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request
from psycopg import AsyncConnection

from api.auth import Caller, header
from api.problems import Problem, invalid, unparseable
from api.secrets_at_rest import seal, unseal
from api.service import Service
from consent_ledger import commands as c
from consent_ledger.ledger import IDEMPOTENCY_CLAIM, Claim, ClaimReusedError, Receipt, Submission
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.words import ActorKind, Basis, Channel, Role

KEY_LIMIT: Final = 255
"""Characters of an Idempotency-Key, as the header's draft standard suggests."""

ACTOR_OF_ROLE: Final = {
    Role.SENDER: ActorKind.SENDER,
    Role.AGENT: ActorKind.AGENT,
    Role.ADMIN: ActorKind.ADMIN,
    Role.AUDITOR: ActorKind.SENDER,
}


async def service_of(request: Request) -> Service:
    """The running service. Async, as FastAPI would run it in a thread otherwise, for each check."""
    service: Service = request.app.state.service
    return service


ServiceIn = Annotated[Service, Depends(service_of)]


class Number:
    """A number of a caller's account: canonical, and by its ids, newest key first."""

    __slots__ = ("e164", "ids")

    def __init__(self, e164: str, ids: tuple[UUID, ...]) -> None:
        self.e164 = e164
        self.ids = ids


def read_number(service: Service, account_id: UUID, text: str, field: str = "number") -> Number:
    """The number that a text names, in national form too; else a 422 that names the field."""
    try:
        e164 = canonical(text, service.account(account_id).default_region)
    except UnparseableNumber:
        raise unparseable(field) from None
    return Number(e164, service.keyring.candidate_ids(account_id, e164))


def read_contacts(
    service: Service, account_id: UUID, texts: Sequence[str]
) -> tuple[tuple[UUID, ...], ...]:
    """The ids of a contact's other numbers."""
    return tuple(
        read_number(service, account_id, text, f"contact_numbers/{i}").ids
        for i, text in enumerate(texts)
    )


def sending_number_id(service: Service, account_id: UUID, text: str | None) -> UUID | None:
    """The id of a sending number; it lives in the set-up under the oldest key of the ring."""
    if text is None:
        return None
    return read_number(service, account_id, text, "sending_number").ids[-1]


def digest(*parts: bytes) -> UUID:
    """A digest of parts, as short as a key of the claims table."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8))
        hashed.update(part)
    return UUID(bytes=hashed.digest()[:16])


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: without NUL, and with no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


async def idempotency(request: Request) -> tuple[Claim, ...]:
    """The claim of an Idempotency-Key, if the request has one: same key, same body."""
    key = header(request, b"idempotency-key")
    if key is None:
        return ()
    if not 0 < len(key) <= KEY_LIMIT:
        raise Problem(
            400, "idempotency-key-malformed", "An Idempotency-Key has 1 to 255 characters."
        )
    body = digest(await request.body())
    claimed = digest(request.url.path.encode(), key.encode())
    return (Claim(IDEMPOTENCY_CLAIM, claimed, body),)


def of_row(claims: tuple[Claim, ...], row: int) -> tuple[Claim, ...]:
    """The claims of one row of a batch, made of the batch's own: its body is hashed once."""
    place = str(row).encode()
    return tuple(Claim(each.kind, digest(each.key.bytes, place), each.body) for each in claims)


async def reserve(service: Service, caller: Caller, claims: tuple[Claim, ...]) -> None:
    """Keeps a batch's key before its rows are handled: another body records none of them."""
    if claims:
        async with service.connection() as conn:
            await keep_answer(service, conn, caller, claims, {})
            await kept_answer(service, conn, caller, claims)


FIND_KEPT: Final = """
SELECT body, answer FROM claims WHERE account_id = %s AND kind = %s AND key = %s"""
KEEP: Final = """
INSERT INTO claims (account_id, kind, key, number_id, version, body, answer)
VALUES (%s, %s, %s, %s, 0, %s, %s) ON CONFLICT DO NOTHING"""


async def kept_answer(
    service: Service, conn: AsyncConnection[Any], caller: Caller, claims: tuple[Claim, ...]
) -> dict[str, Any] | None:
    """The answer that a request with this Idempotency-Key was given before, if it was."""
    for claim in claims:
        params = (caller.account_id, claim.kind, claim.key)
        row = await (await conn.execute(FIND_KEPT, params)).fetchone()
        if row is not None:
            if row[0] != claim.body:
                raise ClaimReusedError(claim.kind)
            found: dict[str, Any] = json.loads(unseal(service.keyring, bytes(row[1])))
            return found
    return None


async def keep_answer(
    service: Service,
    conn: AsyncConnection[Any],
    caller: Caller,
    claims: tuple[Claim, ...],
    answer: dict[str, Any],
) -> None:
    """Keeps an answer for a repetition; encrypted, as it may hold a number or an API key."""
    for claim in claims:
        sealed = seal(service.keyring, json.dumps(answer))
        account_id = caller.account_id
        params = (account_id, claim.kind, claim.key, account_id, claim.body, sealed)
        await conn.execute(KEEP, params)


def told(
    caller: Caller,
    at: int | None,
    by: str | None = None,
    *,
    channel: Channel = Channel.API,
    actor: ActorKind | None = None,
    correlation_id: str | None = None,
    **fields: Any,
) -> c.Told:
    """Who tells what, when."""
    return c.Told(
        actor=actor or ACTOR_OF_ROLE[caller.role],
        channel=channel,
        actor_id=by,
        at=at,
        basis=fields.pop("basis", Basis.SENDER),
        correlation_id=correlation_id,
        **fields,
    )


async def record(
    service: Service,
    caller: Caller,
    number: Number,
    command: c.Command,
    *,
    claims: tuple[Claim, ...] = (),
    words: str | None = None,
    contacts: tuple[tuple[UUID, ...], ...] = (),
) -> Receipt:
    """Records a command on a number; returns after its commit."""
    submission = Submission(
        account_id=caller.account_id,
        candidates=number.ids,
        number=number.e164,
        command=command,
        claims=claims,
        words=storable(words) if words else None,
        contacts=contacts,
    )
    return await service.writer.record(submission)


def receipt_fields(receipt: Receipt) -> dict[str, Any]:
    """What every acknowledged write answers (contract section 2)."""
    return {
        "number_id": str(receipt.number_id),
        "number_version": receipt.version,
        "position": receipt.position,
        "recorded": list(receipt.recorded),
    }


def require_by(by: str | None) -> str:
    """`by` is needed where a person's act is recorded."""
    if by is None:
        raise invalid("by", "missing", "Say who does this: an opaque user id.")
    return by
