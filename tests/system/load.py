"""Load on a service that is killed now and then: who tells, who asks, who takes held texts.

What is not answered is told again, with the same id, until it is; so what everybody knows at the
end is what the ledger has to know.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from consent_ledger.ledger import Receipt
from consent_ledger.phone_number import Answered
from consent_ledger.words import Role
from tests.system.client import Client, NoAnswerError

OUR_NUMBER: Final = "+14155550199"
TALKERS: Final = 6
CLAIMANTS: Final = ("a", "b")
PROGRESS_SECONDS: Final = 60.0
BEGAN: Final = datetime.now(UTC) - timedelta(days=1)


class Load:
    """What was told and acknowledged, over all the lives of the service."""

    def __init__(self, keys: dict[Role, str]) -> None:
        self.keys = keys
        self.acknowledged: list[Receipt] = []
        self.last_words: dict[str, str] = {}
        self.taken: Counter[str] = Counter()
        self.claimants: dict[str, str] = {}
        self.lost = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._port = 0
        self._up = asyncio.Event()
        self._stopping = False

    def service_at(self, port: int) -> None:
        """A service answers at this port from now on."""
        self._port = port
        self._up.set()

    def service_gone(self) -> None:
        """No service answers; everybody waits for the next."""
        self._up.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everybody at work, until they have ended or the test has failed."""
        stories = [
            *(self._talk(f"+1415555{i:04}") for i in range(110, 110 + TALKERS)),
            *(self._ask(place) for place in range(2)),
            *(self._take(claimant) for claimant in CLAIMANTS),
        ]
        self._tasks = [asyncio.create_task(story) for story in stories]
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end(self) -> None:
        """Everybody finishes what they are at, with the service up."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def progress(self, count: int) -> None:
        """Returns when so many more facts were acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(PROGRESS_SECONDS):
            while len(self.acknowledged) < wanted:
                await asyncio.sleep(0.005)

    async def _until_answered(self, call: Callable[[Client], Awaitable[Any]], key: str) -> Any:
        """Tries until there is an answer, with whichever service is up."""
        while True:
            await self._up.wait()
            async with Client(self._port, key) as client:
                try:
                    status, answer = await call(client)
                except NoAnswerError:
                    status, answer = 503, None
            if status == 200:
                return answer
            assert status == 503, answer
            self.lost += 1
            await asyncio.sleep(0.02)

    async def _tell(self, path: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._until_answered(
            lambda client: client.post(path, **body), self.keys[Role.SENDER]
        )
        self.acknowledged.append(
            Receipt(
                UUID(answer["number_id"]),
                answer["number_version"],
                answer["position"],
                tuple(answer["recorded"]),
                Answered(),
            )
        )
        return answer

    async def _talk(self, number: str) -> None:
        """A contact who says STOP and START in turn."""
        for i, word in enumerate(itertools.cycle(("STOP", "START"))):
            if self._stopping:
                return
            at = (BEGAN + timedelta(seconds=i)).isoformat()
            await self._say(number, word, f"{number}-{i}", at)
            self.last_words[number] = word

    async def _say(self, number: str, word: str, message_id: str, at: str) -> None:
        text = {"from": number, "to": OUR_NUMBER, "body": word, "message_id": message_id}
        await self._tell("/v1/inbound-messages", **text, received_at=at)

    async def _ask(self, place: int) -> None:
        """A sender whose texts are held, and then released by consent."""
        for i in itertools.count():
            if self._stopping:
                return
            number = f"+1415{556 + place}{i:04}"
            for j in range(3):
                text = {"message_id": f"{number}-{j}", "number": number, "purpose": "conversation"}
                answer = await self._tell("/v1/messages", **text)
                assert answer["state"] == "deferred"
            await self._say(number, "CONSENT", f"{number}-yes", datetime.now(UTC).isoformat())

    async def _take(self, claimant: str) -> None:
        """A claimant who takes what may go, and asks again with the same key until it is told."""
        for i in itertools.count():
            if self._stopping:
                return
            body = {"claimed_by": claimant, "limit": 5}
            answer = await self._until_answered(
                lambda client, key=f"{claimant}-{i}", body=body: client.call(
                    "POST", "/v1/messages/release-next", body, idempotency_key=key
                ),
                self.keys[Role.SENDER],
            )
            for item in answer["items"]:
                self.taken[item["message_id"]] += 1
                self.claimants[item["message_id"]] = claimant
            await asyncio.sleep(0.01)
