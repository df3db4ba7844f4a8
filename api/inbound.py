"""A contact's text, whichever way it came: read, recorded, answered."""

import time
from typing import Any, Final
from uuid import UUID

import msgspec
from prometheus_client import Histogram

from api import unreadable_senders
from api.service import Service
from api.submit import digest, receipt_fields, storable
from consent_ledger import commands as c
from consent_ledger.facts import Evidence, event_id
from consent_ledger.keywords import lexicon_of
from consent_ledger.ledger import INBOUND_CLAIM, Claim, Submission
from consent_ledger.lexicon import Understood
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.words import ActorKind, Basis, Channel

HONOURED: Final = Histogram(
    "consent_ledger_stop_honoured_seconds",
    "From the receipt of a STOP, by whoever received it first, to the first check that refuses",
    buckets=(0.01, 0.1, 1, 10, 60, 600, 3_600, 86_400, 864_000),
)
"""The honour clock (rulebook section 8): every check after the commit refuses, so it ends there.
Ten business days are the law's ceiling (47 CFR 64.1200(a)(10))."""


class Inbound(msgspec.Struct, frozen=True):
    """A text as a provider or sender delivers it; `scope` keeps their message ids apart."""

    sender: str
    to: str
    body: str
    message_id: str
    media_count: int
    at: int | None
    basis: Basis
    scope: str
    answered_by_provider: bool = False
    correlation_id: str | None = None


async def receive(
    service: Service, account_id: UUID, text: Inbound, claims: tuple[Claim, ...] = ()
) -> dict[str, Any]:
    """Records a text and answers how it was understood and what to reply (contract section 4).

    Words from a sender that is no number are kept for a person to read, never refused.
    """
    began = time.time()
    body = storable(text.body)
    region = service.account(account_id).default_region
    try:
        e164 = _canonical(text.sender, region)
    except UnparseableNumber:
        return await _keep(service, account_id, text)
    ids = service.keyring.candidate_ids(account_id, e164)
    command = c.HearText(
        told=c.Told(
            actor=ActorKind.CONTACT,
            channel=Channel.SMS,
            at=text.at,
            basis=text.basis,
            evidence=Evidence(
                provider_message_id=text.message_id,
                text_digest=service.keyring.digest("words", body.encode()).hex()[:32],
            ),
            correlation_id=text.correlation_id,
        ),
        media_count=text.media_count,
        sending_number_id=_sending_number(service, account_id, text.to, region),
        answered_by_provider=text.answered_by_provider,
    )
    # A provider's message id is one fact (R-O1); another number's cannot hide it.
    key = digest(text.scope.encode(), text.message_id.encode(), ids[-1].bytes)
    submission = Submission(
        account_id=account_id,
        candidates=ids,
        number=e164,
        command=command,
        claims=(Claim(INBOUND_CLAIM, key), *claims),
        words=body,
    )
    receipt = await service.writer.record(submission)
    answer = receipt.answer
    if answer.understood_as == Understood.STOP and receipt.recorded:
        received = began if text.at is None else min(began, text.at / 1_000_000)
        HONOURED.observe(time.time() - received)
    reply = None
    if answer.reply is not None:
        reply = {"kind": answer.reply, "to": e164, "text": answer.text}
    review = event_id(receipt.number_id, answer.review) if answer.review is not None else None
    return {
        **receipt_fields(receipt),
        "understood_as": answer.understood_as,
        "reply": reply,
        "review_id": review,
    }


def _canonical(text: str, region: str | None) -> str:
    """The account's own region first: in a national form a calling code is only a coincidence."""
    try:
        return canonical(text, region)
    except UnparseableNumber:
        return canonical(text, region, assume_international=True)


def _sending_number(
    service: Service, account_id: UUID, text: str, region: str | None
) -> UUID | None:
    try:
        e164 = _canonical(text, region)
    except UnparseableNumber:
        return None
    return service.keyring.candidate_ids(account_id, e164)[-1]


async def _keep(service: Service, account_id: UUID, text: Inbound) -> dict[str, Any]:
    view = await service.reader.view(account_id, [])
    reading, _ = lexicon_of(view.account.keywords).read(storable(text.body))
    async with service.connection() as conn:
        said = (storable(text.sender), storable(text.body), storable(text.message_id))
        await unreadable_senders.keep(conn, account_id, *said)
    return {
        "number_id": None,
        "number_version": 0,
        "position": None,
        "recorded": [],
        "understood_as": str(reading.understood_as),
        "reply": None,
        "review_id": None,
        "kept_for_review": True,
    }
