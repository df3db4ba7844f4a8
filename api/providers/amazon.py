"""What is fetched from Amazon: the certificates that sign, and the confirmation of a topic."""

import asyncio
import time
from typing import Final, Protocol

import httpx2

from api.providers.aws_sns import is_amazons
from consent_ledger.ledger import UnavailableError

SECONDS: Final = 5.0
"""SNS gives up on its own request after fifteen."""
LIMIT: Final = 65_536
"""Bytes of an answer; a certificate has some two thousand."""
KEPT: Final = 16
"""Certificates at hand: one a region, and Amazon changes them about once a year."""
KEPT_SECONDS: Final = 86_400.0
REFUSED_SECONDS: Final = 30.0
"""An address that gave nothing is not asked again for so long, whoever names it."""
AT_ONCE: Final = 2
"""Requests to Amazon under way; more of them wait."""


class Fetch(Protocol):
    """Anything that gets the bytes of an address."""

    async def __call__(self, url: str) -> bytes:
        """The bytes; UnavailableError where there are none."""
        ...


async def fetch(url: str) -> bytes:
    """The bytes of one of Amazon's own addresses, and of no other; follows no redirect."""
    if not is_amazons(url):
        raise UnavailableError("the address is not Amazon's")
    found = b""
    try:
        async with (
            httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != 200:
                raise UnavailableError("Amazon refused")
            async for chunk in response.aiter_bytes():
                found += chunk
                if len(found) > LIMIT:
                    raise UnavailableError("Amazon's answer is too long")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UnavailableError("Amazon cannot be reached") from error
    return found


class Amazon:
    """Certificates by address, kept for a day; one a process."""

    def __init__(self, get: Fetch = fetch) -> None:
        self.get = get
        self._kept: dict[str, tuple[float, bytes | None]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def certificate(self, url: str) -> bytes:
        """The certificate at an address; UnavailableError where there is none, so that Amazon
        sends the message again."""
        until, found = self._kept.get(url, (0.0, None))
        if time.monotonic() >= until:
            async with self._turn:
                found = await self._fetched(url)
        if found is None:
            raise UnavailableError("Amazon's certificate cannot be fetched")
        return found

    async def confirm(self, url: str) -> None:
        """Tells Amazon that a topic may deliver here."""
        async with self._turn:
            await self.get(url)

    async def _fetched(self, url: str) -> bytes | None:
        until, found = self._kept.get(url, (0.0, None))
        if time.monotonic() < until:  # Somebody else fetched it while this request waited.
            return found
        try:
            found = await self.get(url)
        except UnavailableError:
            found = None
        seconds = REFUSED_SECONDS if found is None else KEPT_SECONDS
        self._kept.pop(url, None)
        while len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[url] = (time.monotonic() + seconds, found)
        return found
