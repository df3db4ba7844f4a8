"""No check anywhere answers from before an acknowledged fact (R-O4): two processes, one database.

Whoever tells something through one process asks through the other the moment it is acknowledged.
`ZERO_STALE_CHECKS` sets the number of such questions.
"""

import asyncio
import itertools
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from consent_ledger.keyring import Keyring
from consent_ledger.words import Role
from tests.store.drive import check_ledger, open_account
from tests.system.client import Client
from tests.system.service import Running, keys_of, running

CHECKS: Final = int(os.environ.get("ZERO_STALE_CHECKS", "5000"))
CAUGHT: Final = 300
"""Questions to the services with a cache: more than enough to catch them."""
OUR_NUMBER: Final = "+14155550199"
BEGAN: Final = datetime.now(UTC) - timedelta(days=3)


class Deployment:
    """Two services, three accounts, and every answer that was older than it may be."""

    def __init__(self, services: list[Running], keys: list[dict[Role, str]], checks: int) -> None:
        self.services = services
        self.texts, self.users, self.policies = keys
        self.left = checks
        self.stale: list[Any] = []
        self.asked = 0

    @asynccontextmanager
    async def pair(self, keys: dict[Role, str], tells: Role) -> AsyncIterator["Pair"]:
        """A connection that tells and one that asks, through either process."""
        async with AsyncExitStack() as stack:
            clients = [
                [await stack.enter_async_context(Client(s.port, keys[role])) for s in self.services]
                for role in (tells, Role.SENDER)
            ]
            yield Pair(self, clients[0], clients[1])


class Pair:
    """One who tells through one process and asks through the other."""

    def __init__(self, whole: Deployment, tell: list[Client], ask: list[Client]) -> None:
        self._whole, self._tell, self._ask = whole, tell, ask
        self._dice = random.Random()

    async def tell_and_ask(
        self,
        telling: tuple[str, str, dict[str, Any]],
        question: dict[str, Any],
        is_good: Callable[[dict[str, Any], dict[str, Any]], bool],
    ) -> None:
        """Tells a fact; what is then answered has to be good."""
        there = self._dice.randrange(2)
        status, told = await self._tell[there].call(*telling)
        assert status == 200, (telling, status, told)
        self._whole.asked += 1
        answer = await self._ask[1 - there].told("/v1/checks", **question)
        if not is_good(told, answer):
            self._whole.stale.append((told, answer))


async def _say_words(whole: Deployment, number: str) -> None:
    """STOP and START in turn, each later than the one before."""
    async with whole.pair(whole.texts, Role.SENDER) as pair:
        for i, word in enumerate(itertools.cycle(("STOP", "START"))):
            if whole.asked >= whole.left:
                return
            text = {
                "from": number,
                "to": OUR_NUMBER,
                "body": word,
                "message_id": f"{number}-{i}",
                "received_at": (BEGAN + timedelta(seconds=i)).isoformat(),
            }
            reason = "no_consent_needed" if word == "START" else "opted_out_by_contact"
            await pair.tell_and_ask(
                ("POST", "/v1/inbound-messages", text),
                {"number": number, "purpose": "conversation"},
                lambda told, answer, reason=reason: (
                    answer["reason"] == reason
                    and answer["number_version"] == told["number_version"]
                    and answer["position"] >= told["position"]
                ),
            )


async def _permit(whole: Deployment, user: str) -> None:
    """A user's permission, given and taken."""
    async with whole.pair(whole.users, Role.ADMIN) as pair:
        for permission in itertools.cycle(("deny", "allow")):
            if whole.asked >= whole.left:
                return
            await pair.tell_and_ask(
                ("PUT", f"/v1/users/{user}/permission", {"permission": permission}),
                {"number": "+14155550150", "purpose": "recall", "sent_by": user, "manual": True},
                lambda told, answer, may=permission == "allow": answer["may_text"] is may,
            )


async def _adopt(whole: Deployment) -> None:
    """A strict policy and a mild one in turn."""
    async with whole.pair(whole.policies, Role.ADMIN) as pair:
        for name in itertools.cycle(("authorization", "opt-out")):
            if whole.asked >= whole.left:
                return
            await pair.tell_and_ask(
                ("PUT", "/v1/policy", {"preset": name}),
                {"number": "+14155550150", "purpose": "recall"},
                lambda told, answer, may=name == "opt-out": (
                    answer["may_text"] is may and answer["policy_version"] == told["policy_version"]
                ),
            )


async def _begin(whole: Deployment) -> None:
    """Every service is asked once with every key."""
    for service, keys in itertools.product(
        whole.services, (whole.texts, whole.users, whole.policies)
    ):
        for role in (Role.SENDER, Role.ADMIN):
            async with Client(service.port, keys[role]) as client:
                await client.told("/v1/checks", number="+14155550150", purpose="recall")


async def _work(whole: Deployment) -> None:
    await _begin(whole)
    numbers = [f"+1415555{i:04}" for i in range(110, 122)]
    await asyncio.gather(
        *(_say_words(whole, number) for number in numbers),
        *(_permit(whole, user) for user in ("jo", "al")),
        _adopt(whole),
    )


async def _accounts(url: str) -> list[UUID]:
    return [await open_account(url, "opt-out") for _ in range(3)]


@pytest.fixture
def deploy(database_url: str) -> Iterator[Callable[..., Deployment]]:
    """Starts two services on one database."""
    keyring = Keyring.generate()
    with ExitStack() as stack:

        def start(checks: int, **orders: Any) -> Deployment:
            keys = [keys_of(database_url, keyring, a) for a in asyncio.run(_accounts(database_url))]
            given = {"database_url": database_url, "key": keyring.dump(), **orders}
            services = [stack.enter_context(running(**given)) for _ in range(2)]
            return Deployment(services, keys, checks)

        yield start


def test_no_answer_is_older_than_what_was_acknowledged(
    deploy: Callable[..., Deployment], database_url: str
) -> None:
    """STOP, START, permissions and policies through both processes: not one stale answer."""
    whole = deploy(CHECKS)
    asyncio.run(_work(whole))
    assert whole.asked >= CHECKS
    assert whole.stale == []
    check_ledger(database_url)


def test_a_cache_would_be_caught(deploy: Callable[..., Deployment]) -> None:
    """The same questions to services that remember answers for a moment find stale ones."""
    whole = deploy(CAUGHT, forgetful=True)
    asyncio.run(_work(whole))
    assert len(whole.stale) > 10
