"""One delivery over HTTP, to an address that was checked a moment before."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final, NamedTuple, Self

import httpx2

from api.feed.addresses import Address, RefusedUrlError, check_url, resolve

POST_SECONDS: Final = 10.0
"""From looking up the name to the end of the answer; a receiver queues what takes longer."""
BUSY: Final = (429, 503)
"""Statuses with which a receiver may say when it can be told again."""
SECONDS_DIGITS: Final = 9
"""Digits of Retry-After that are read, some thirty years; what is made of it is bounded."""
ANSWER_BYTES: Final = 16_384
"""Of an answer that are read so that its connection can be used again; nobody looks at them."""


class Outcome(NamedTuple):
    """What became of a delivery: the status of the answer, or why there was none."""

    status: int | None
    error: str | None
    retry_after: float | None = None
    """Seconds after which the receiver asks to be told again, where it is too busy now."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver says that it wants nothing more, ever."""
        return self.status == 410


@cache
def _tls() -> ssl.SSLContext:
    """Certificates to trust, loaded once: that takes longer than a delivery."""
    return httpx2.create_ssl_context()


class Poster:
    """Posts to one endpoint, over connections of its own: another host's are never used."""

    def __init__(self, private: bool) -> None:
        self._private = private

    async def __aenter__(self) -> Self:
        self._client = httpx2.AsyncClient(
            verify=await asyncio.to_thread(_tls),
            trust_env=False,
            follow_redirects=False,
            timeout=POST_SECONDS,
            limits=httpx2.Limits(max_connections=1),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, text: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Posts a body; any failure is an outcome."""
        try:
            async with asyncio.timeout(POST_SECONDS):
                url = check_url(text, self._private)
                return await self._try(url, headers, body, await resolve(url, self._private))
        except RefusedUrlError:
            return Outcome(None, "address_refused")
        except (TimeoutError, httpx2.TimeoutException):
            return Outcome(None, "timed_out")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError):
            return Outcome(None, "not_reached")

    async def _try(
        self, url: httpx2.URL, headers: Mapping[str, str], body: bytes, addresses: list[Address]
    ) -> Outcome:
        for place, address in enumerate(addresses, start=1):
            try:
                return await self._send(url, headers, body, address)
            except httpx2.ConnectError:
                if place == len(addresses):
                    raise
        return Outcome(None, "not_reached")

    async def _send(
        self, url: httpx2.URL, headers: Mapping[str, str], body: bytes, address: Address
    ) -> Outcome:
        request = self._client.build_request(
            "POST",
            url.copy_with(host=str(address)),
            headers={**headers, "Host": url.netloc.decode()},
            content=body,
            extensions={"sni_hostname": url.raw_host.decode()},
        )
        answer = await self._client.send(request, stream=True)
        try:
            await _read_some(answer)
        finally:
            await answer.aclose()
        return Outcome(answer.status_code, None, _asked_to_wait(answer))


def _asked_to_wait(answer: httpx2.Response) -> float | None:
    """What Retry-After says (RFC 9110), seconds or a date; None where it says nothing."""
    text = answer.headers.get("retry-after", "").strip()
    if answer.status_code not in BUSY:
        return None
    if text.isascii() and text.isdigit():
        return float(text.lstrip("0")[:SECONDS_DIGITS] or 0)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


async def _read_some(answer: httpx2.Response) -> None:
    read = 0
    async for piece in answer.aiter_raw():
        read += len(piece)
        if read > ANSWER_BYTES:
            return
