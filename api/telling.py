"""What the routes that tell have in common: who may, and what is answered."""

import json
import re
from typing import Any, Final

from fastapi import Request, Response

from api.auth import Caller
from api.problem_codes import TOLD
from api.responses import documented, reply
from api.service import Service
from api.submit import (
    Number,
    idempotency,
    receipt_fields,
    record,
    storable,
)
from consent_ledger import commands as c
from consent_ledger.facts import Evidence
from consent_ledger.ledger import Claim, Receipt
from consent_ledger.masking import mask

RECEIPT: Final[dict[str, Any]] = {
    "number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number_version": 3,
    "position": 42,
    "recorded": ["StopReceived", "ReplyIssued"],
}


def documented_receipt(recorded: str, *codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that records one fact and answers where it lies."""
    example = {**RECEIPT, "recorded": [recorded]}
    return documented("What was recorded", "Receipt", example, *TOLD, *codes)


async def recorded(
    request: Request,
    service: Service,
    caller: Caller,
    number: Number,
    command: c.Command,
    words: str | None = None,
) -> Response:
    """Records a command, and answers where it lies."""
    claims: tuple[Claim, ...] = await idempotency(request)
    receipt: Receipt = await record(service, caller, number, command, claims=claims, words=words)
    return reply(receipt_fields(receipt))


OPAQUE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""Members of an evidence object that look like this may stand in an event; the whole of it goes to
the vault and leaves a digest."""


def read_evidence(
    service: Service, given: str | dict[str, Any] | None
) -> tuple[Evidence | None, str | None]:
    """Ids and a digest for the event, and the whole for the vault."""
    if given is None:
        return None, None
    whole = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    ids = given if isinstance(given, dict) else {}
    whole = storable(whole)
    evidence = Evidence(
        text_digest=service.keyring.digest("words", whole.encode()).hex()[:32],
        form_id=_opaque(ids.get("form_id")),
        template_version=_opaque(ids.get("template_version")),
        disclosure_digest=_opaque(ids.get("disclosure_digest")),
        provider_message_id=_opaque(ids.get("provider_message_id")),
    )
    return evidence, whole


def _opaque(value: object) -> str | None:
    """An id that may stand in an event: short, and nothing that could be a phone number."""
    if not isinstance(value, str) or not OPAQUE_ID.fullmatch(value) or mask(value) != value:
        return None
    return value
