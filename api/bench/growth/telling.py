"""Real histories of some thousands of numbers, told to the ledger's own writer.

Every message id has the number's id inside, so that the histories can be repeated for other
numbers by putting their ids in its place.
"""

import asyncio
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from api.bench.growth.people import e164
from api.bench.growth.stories import story_of
from api.demo.seed import lines_of, set_up, writing
from api.demo.telling import Scene, Step, Teller
from api.submit import digest
from consent_ledger import commands as c
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import INBOUND_CLAIM, MESSAGE_CLAIM, Claim, Ledger, Receipt, Submission
from consent_ledger.store.connection import Connect

SEED: Final = "growth"
AT_A_TIME: Final = 250
"""Numbers whose histories are told at once."""
SCOPE: Final = "bench"
"""Whose message ids the inbound texts have."""


Claimed = list[tuple[UUID, int, bytes]]
"""Of each claim its key, its kind, and the bytes that the key is a digest of."""


async def tell(
    connect: Connect, ring: Keyring, account_id: UUID, count: int, total: int, until: int
) -> Claimed:
    """Tells the histories of the first `count` numbers of `total`, which end at `until`."""
    claimed: Claimed = []
    async with await connect() as conn:
        policy = (await set_up(conn, ring, account_id)).policies[-1].policy
    lines = lines_of(ring, account_id)
    scene = Scene(Random(SEED), policy, until, ring, lines, policy.consent_purposes)
    async with writing(connect, ring) as ledger:
        for first in range(0, count, AT_A_TIME):
            places = range(first, min(first + AT_A_TIME, count))
            await asyncio.gather(
                *(_tell_one(ledger, scene, account_id, place, total, claimed) for place in places)
            )
    return claimed


async def _tell_one(
    ledger: Ledger, scene: Scene, account_id: UUID, place: int, total: int, claimed: Claimed
) -> None:
    teller = Teller(_own_chances(scene, place), place)
    teller.begin()
    story_of(place)(teller)
    number = e164(place, total)
    ids = scene.keyring.candidate_ids(account_id, number)
    receipts: dict[int, Receipt] = {}
    for step in teller.steps:
        command = _own(step, ids[0], receipts)
        claims = tuple(_claims(command, ids[0], claimed))
        submission = Submission(account_id, ids, number, command, claims, step.words)
        receipts[id(step)] = await ledger.record(submission)


def _own_chances(scene: Scene, place: int) -> Scene:
    """The scene with chances of the number's own, whatever the order of telling."""
    return Scene(
        Random(f"{SEED} {place}"),
        scene.policy,
        scene.until,
        scene.keyring,
        scene.lines,
        scene.asks,
    )


def _own(step: Step, number_id: UUID, receipts: dict[int, Receipt]) -> c.Command:
    """The step's command, with message ids that name the number."""
    command = step.command
    if step.after is not None and isinstance(command, c.Judge):
        command = replace(command, refers_to=receipts[id(step.after)].answer.review or 0)
    message_id = getattr(command, "message_id", None)
    if message_id is not None:
        command = replace(command, message_id=number_id.hex + message_id[-3:])
    evidence = command.told.evidence
    if evidence is not None and evidence.provider_message_id is not None:
        own = f"SM{number_id.hex}{evidence.provider_message_id[-2:]}"
        evidence = replace(evidence, provider_message_id=own)
        command = replace(command, told=replace(command.told, evidence=evidence))
    return command


def _claims(command: c.Command, number_id: UUID, claimed: Claimed) -> Iterable[Claim]:
    """The claims that the routes make: of a message's id, of a provider's."""
    if isinstance(command, c.AskMessage):
        yield _claim(MESSAGE_CLAIM, [command.message_id.encode()], claimed)
    elif isinstance(command, c.ReceiveText) and command.told.evidence is not None:
        provider_id = command.told.evidence.provider_message_id or ""
        parts = [SCOPE.encode(), provider_id.encode(), number_id.bytes]
        yield _claim(INBOUND_CLAIM, parts, claimed)


def _claim(kind: int, parts: Sequence[bytes], claimed: Claimed) -> Claim:
    key = digest(*parts)
    hashed = b"".join(len(part).to_bytes(8) + part for part in parts)
    claimed.append((key, kind, hashed))
    return Claim(kind, key)
