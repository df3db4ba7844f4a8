"""What a provider tells, recorded: a contact's texts, and what became of ours."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from api.auth import Caller
from api.delivery_codes import read_code
from api.ids import opaque
from api.inbound import Inbound, receive
from api.providers.base import UNKNOWN, Confirmation, Fact, Reply, Report, Text
from api.routes.carrier_reports import report_claim, sent_as
from api.schemas.base import TEXT_LIMIT
from api.service import Service
from api.submit import Number, record, told
from consent_ledger import commands as c
from consent_ledger.carrier import DeliveryClass
from consent_ledger.facts import Evidence
from consent_ledger.lexicon import Understood
from consent_ledger.masking import mask
from consent_ledger.moments import EARLIEST
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.phone_number import FUTURE_TOLERANCE
from consent_ledger.standing import MICROSECONDS
from consent_ledger.words import ActorKind, Basis, Channel, Role

SENDER_LIMIT: Final = 200
"""Characters of a sender that are kept, as in `POST /v1/inbound-messages`."""
MEDIA_LIMIT: Final = 1_000
CODE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Told(msgspec.Struct, frozen=True):
    """Whose request it was: the account, the provider's name and that of its table of codes."""

    account_id: UUID
    provider: str
    codes: str
    now: float


async def record_all(service: Service, request: Told, facts: Sequence[Fact]) -> list[Reply]:
    """Records every fact of a request, in its order; the replies to send.

    All are tried before the first failure is told: the provider sends the request again, and what
    was recorded is known by its message id (R-O1).
    """
    pending = [asyncio.ensure_future(_record(service, request, fact)) for fact in facts]
    done = await asyncio.gather(*pending, return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return [each for each in done if isinstance(each, Reply)]


async def _record(service: Service, request: Told, fact: Fact) -> Reply | None:
    match fact:
        case Text():
            return await _text(service, request, fact)
        case Report():
            await _report(service, request, fact)
        case Confirmation():
            await service.amazon.confirm(fact.url)
    return None


async def _text(service: Service, request: Told, text: Text) -> Reply | None:
    inbound = Inbound(
        sender=text.sender[:SENDER_LIMIT],
        to=text.to[:SENDER_LIMIT],
        body=text.body[:TEXT_LIMIT],
        message_id=opaque(text.message_id),
        media_count=min(text.media_count, MEDIA_LIMIT),
        at=text.at,
        basis=Basis.PROVIDER,
        scope=request.provider,
        answered_by_provider=text.handled is not None,
    )
    answer = await receive(service, request.account_id, inbound)
    # A review may find that the words are no STOP; the provider holds to its list all the same.
    if (text.handled or "").upper() == "STOP" and answer["understood_as"] != Understood.STOP:
        await _provider_stopped(service, request, text)
    reply = answer["reply"]
    return Reply(reply["kind"], reply["to"], text.to, reply["text"]) if reply else None


async def _provider_stopped(service: Service, request: Told, text: Text) -> None:
    """Words that the provider takes for STOP: the number is on its list from now on (R-F7)."""
    number = read(service, request.account_id, text.sender)
    if number is not None:
        stopped = Report(text.sender, text.message_id, "STOP", text.at)
        await _deliver(service, request, stopped, number, DeliveryClass.OPTED_OUT)


async def _report(service: Service, request: Told, report: Report) -> None:
    """A recipient that is no number, such as a short code, has no row to be recorded in."""
    number = read(service, request.account_id, report.recipient)
    if number is None:
        return
    provider = report.provider or request.codes
    report_class = read_code(provider, code_of(report))
    await _deliver(service, request, report, number, report_class)


async def _deliver(
    service: Service, request: Told, report: Report, number: Number, meaning: DeliveryClass
) -> None:
    caller = Caller(request.account_id, Role.SENDER, request.provider)
    provider_id = opaque(report.message_id)
    known_as, refers_to = provider_id, None
    for name in dict.fromkeys((report.reference, report.message_id)):
        refers_to = await sent_as(service, caller, number, name)
        if name is not None and refers_to is not None:
            known_as = opaque(name)
            break
    # A report of any other time would be refused (R-O3): it counts from now instead.
    latest = request.now * MICROSECONDS + FUTURE_TOLERANCE
    believable = report.at is not None and EARLIEST <= report.at <= latest
    command = c.ReportDelivery(
        told=told(
            caller,
            report.at if believable else None,
            channel=Channel.WEBHOOK,
            actor=ActorKind.SYSTEM,
            basis=Basis.PROVIDER,
            evidence=Evidence(provider_message_id=provider_id),
        ),
        provider=opaque(report.provider or request.codes),
        code=code_of(report),
        delivery_class=str(meaning),
        message_id=known_as,
        refers_to=refers_to,
    )
    # Known again by the provider's own id: two attempts at one text are two reports.
    claim = report_claim(msgspec.structs.replace(command, message_id=provider_id), number)
    await record(service, caller, number, command, claims=claim)


def read(service: Service, account_id: UUID, text: str) -> Number | None:
    """The number of a report, read as that of an incoming text is; None where it is none."""
    region = service.account(account_id).default_region
    for anywhere in (False, True):
        try:
            e164 = canonical(text, region, assume_international=anywhere)
            return Number(e164, service.keyring.candidate_ids(account_id, e164))
        except UnparseableNumber:
            continue
    return None


def code_of(report: Report) -> str:
    """The code as an event may hold it; what is not written like one tells nothing."""
    code = report.code.strip()
    return code if CODE.fullmatch(code) and mask(code) == code else UNKNOWN
