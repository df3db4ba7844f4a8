"""No answer is older than an acknowledged change of the set-up (R-O4): two processes, one database.

An admin changes a policy, a permission, a location or a sending number through one process; the
moment it is acknowledged a sender asks through the other, with a check, a batch or a text about to
go. `STALE_SET_UP_ROUNDS` sets the number of changes.
"""

import asyncio
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Final, NamedTuple

import pytest

from consent_ledger.keyring import Keyring
from consent_ledger.words import Role
from tests.store.drive import check_ledger, open_account
from tests.system.client import Client
from tests.system.service import Running, keys_of, running

ROUNDS: Final = int(os.environ.get("STALE_SET_UP_ROUNDS", "2000"))
CAUGHT: Final = 300
"""Changes under services with a cache: more than enough to catch each way of asking."""
CONTACT: Final = "+14155550150"
DESK: Final = "+14155550190"
PURPOSE: Final = "recall"
WAYS: Final = ("check", "batch", "message")

Told = tuple[str, str, dict[str, Any] | None]


class Turn(NamedTuple):
    """A change, and whether the account's next text may go."""

    telling: Told
    may_text: bool


class Story(NamedTuple):
    """Changes that come in turn, over and over, and the question that they decide."""

    begins: tuple[Told, ...]
    turns: tuple[Turn, ...]
    question: dict[str, Any]


def _permission(whose: str, permission: str, **more: Any) -> Told:
    return "PUT", f"/v1/{whose}/permission", {"permission": permission, **more}


def _location(name: str) -> Told:
    return "POST", "/v1/locations", {"id": name, "name": "Main Street"}


def _sending_number(sending_number: str) -> Told:
    body = {"number": sending_number, "location": "main", "purposes": [PURPOSE]}
    return "POST", "/v1/sending-numbers", body


BY_JO: Final = {"sent_by": "jo", "manual": True}
STORIES: Final = {
    "policy": Story(
        (),
        (
            Turn(("PUT", "/v1/policy", {"preset": "authorization"}), False),
            Turn(("PUT", "/v1/policy", {"preset": "opt-out"}), True),
        ),
        {},
    ),
    "user": Story(
        (),
        (
            Turn(_permission("users/jo", "deny"), False),
            Turn(_permission("users/jo", "allow"), True),
        ),
        BY_JO,
    ),
    "group": Story(
        (_permission("users/jo", "inherit", groups=["desk"]),),
        (
            Turn(_permission("groups/desk", "deny"), False),
            Turn(_permission("groups/desk", "allow"), True),
        ),
        BY_JO,
    ),
    "location": Story(
        (_location("main"), _sending_number(DESK)),
        (
            Turn(("DELETE", "/v1/locations/main", None), False),
            Turn(_location("main"), True),
        ),
        {"location": "main"},
    ),
    "sending number": Story(
        (_location("main"), _sending_number(DESK)),
        (
            Turn(("DELETE", "/v1/sending-numbers/{sending_number_id}", None), False),
            Turn(_sending_number(DESK), True),
        ),
        {"sending_number": DESK},
    ),
}


class Stale(NamedTuple):
    """An answer that was older than it may be."""

    story: str
    way: str
    told: Any
    answer: Any


class Deployment:
    """Two services, an account for each story, and what came of it."""

    def __init__(
        self, services: list[Running], keys: dict[str, dict[Role, str]], rounds: int
    ) -> None:
        self.services = services
        self.keys = keys
        self.rounds = rounds
        self.asked: Counter[tuple[str, str]] = Counter()
        self.stale: list[Stale] = []
        self.seconds = 0.0

    async def work(self) -> None:
        """Every story at once, until there were so many changes."""
        began = time.perf_counter()
        await asyncio.gather(*(self._tell(name) for name in STORIES))
        self.seconds = time.perf_counter() - began

    async def _tell(self, name: str) -> None:
        story, keys = STORIES[name], self.keys[name]
        async with AsyncExitStack() as stack:
            admins, senders = [
                [await stack.enter_async_context(Client(s.port, keys[role])) for s in self.services]
                for role in (Role.ADMIN, Role.SENDER)
            ]
            ids: dict[str, Any] = {}
            for telling in story.begins:
                ids |= await _tell(admins[0], telling, ids)
            for sender in senders:
                await sender.told("/v1/checks", number=CONTACT, purpose=PURPOSE, **story.question)
            dice = random.Random()
            for i, turn in enumerate(itertools.cycle(story.turns)):
                if self.asked.total() >= self.rounds:
                    return
                there, way = dice.randrange(2), WAYS[i % len(WAYS)]
                told = await _tell(admins[there], turn.telling, ids)
                ids |= told
                answer = await _ask(senders[1 - there], way, story.question, f"{name}-{i}")
                self.asked[name, way] += 1
                if not _is_fresh(answer, told, turn):
                    self.stale.append(Stale(name, way, told, answer))


async def _tell(admin: Client, telling: Told, ids: dict[str, Any]) -> dict[str, Any]:
    method, path, body = telling
    status, answer = await admin.call(method, path.format(**ids), body)
    assert status == 200, (telling, status, answer)
    return dict(answer)


async def _ask(
    sender: Client, way: str, question: dict[str, Any], message_id: str
) -> dict[str, Any]:
    asked = {"purpose": PURPOSE, **question}
    match way:
        case "check":
            return await sender.told("/v1/checks", number=CONTACT, **asked)
        case "batch":
            items = [{"number": CONTACT}, {"number": DESK}]
            found = await sender.told("/v1/checks/batch", items=items, **asked)
            first, second = found["results"]
            assert first["may_text"] is second["may_text"]
            return dict(first)
        case _:
            text = {"message_id": message_id, "number": CONTACT}
            return await sender.told("/v1/messages", **text, **asked)


def _is_fresh(answer: dict[str, Any], told: dict[str, Any], turn: Turn) -> bool:
    version = told.get("policy_version", answer["policy_version"])
    return answer["may_text"] is turn.may_text and answer["policy_version"] == version


async def _accounts(url: str, keyring: Keyring) -> dict[str, dict[Role, str]]:
    return {name: keys_of(url, keyring, await open_account(url, "opt-out")) for name in STORIES}


@pytest.fixture
def deploy(database_url: str) -> Iterator[Callable[..., Deployment]]:
    """Starts two services on one database."""
    keyring = Keyring.generate()
    with ExitStack() as stack:

        def start(rounds: int, **orders: Any) -> Deployment:
            keys = asyncio.run(_accounts(database_url, keyring))
            given = {"database_url": database_url, "key": keyring.dump(), **orders}
            services = [stack.enter_context(running(**given)) for _ in range(2)]
            return Deployment(services, keys, rounds)

        yield start


def test_no_answer_is_older_than_a_change_of_the_set_up(
    deploy: Callable[..., Deployment], database_url: str
) -> None:
    """Policies, permissions, locations and numbers, asked about in every way: none is stale."""
    whole = deploy(ROUNDS)
    asyncio.run(whole.work())
    print(f"{whole.asked.total()} changes, {len(whole.stale)} stale, {whole.seconds:.1f} s")
    assert whole.asked.keys() == set(itertools.product(STORIES, WAYS))
    assert whole.asked.total() >= ROUNDS
    assert whole.stale == []
    check_ledger(database_url)


def test_a_set_up_that_is_kept_too_long_would_be_caught(
    deploy: Callable[..., Deployment],
) -> None:
    """The same of services that remember an account for a moment: every story and way notices."""
    whole = deploy(CAUGHT, forgetful_of_accounts=True)
    asyncio.run(whole.work())
    assert {each.story for each in whole.stale} == set(STORIES)
    assert {each.way for each in whole.stale} == set(WAYS)
