"""A load client of its own process: bounded in connections and time, on loopback alone.

Reads one JSON object from standard input, {"port", "path", "connections", "seconds", "key",
"template", "numbers", "unique"}, and prints {"count", "errors", "seconds", "p50_ms", "p99_ms"}.
`template` is a body in which NUMBER and ID stand for a number and a fresh id, as ID does in the
path. The numbers are `first` and every `step` from there on; with `random` each request takes any
of them. With `most` the run is over after so many requests, if not before.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any, Final, cast

import httptools

HOST: Final = "127.0.0.1"
"""Load goes nowhere else."""
FIRST_NUMBER: Final = 4_150_000_000
WARM_UP: Final = 0.3
"""Seconds of a run that are not counted."""


class Connection(asyncio.Protocol):
    """One keep-alive connection that has one request under way at a time."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Feeds the response to the parser, which calls on_message_complete."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """One answer is whole: note it and ask again."""
        self._run.note(time.perf_counter() - self._began, self._parser.get_status_code())
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """The run ends when all connections have."""
        self._run.lost()


class Run:
    """A bounded run: so many connections for so long."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._sent = 0
        self._random = random.Random(spec.get("run"))
        self._open = spec["connections"]
        self._done = asyncio.Event()
        self._latencies: list[float] = []
        self._errors = 0
        self._began = time.perf_counter()
        self._counted_from = self._began + spec.get("warm_up", WARM_UP)
        self._until = self._counted_from + spec["seconds"]

    def next_request(self) -> bytes | None:
        """The bytes of the next request; None when time is up."""
        spec = self._spec
        if time.perf_counter() >= self._until or self._sent == spec.get("most"):
            return None
        self._sent += 1
        index = self._sent if spec["unique"] else self._sent % spec["numbers"]
        if spec.get("random"):
            index = self._random.randrange(spec["numbers"])
        first = spec.get("first", FIRST_NUMBER)
        number = f"+1{first + spec.get('offset', 0) + index * spec.get('step', 1)}"
        fresh = f"{spec['run']}-{self._sent}"
        body: str = spec["template"].replace("NUMBER", number).replace("ID", fresh)
        path: str = spec["path"].replace("ID", fresh)
        kind = spec.get("content_type", "application/json")
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {spec['key']}"
            f"\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode()

    def note(self, seconds: float, status: int) -> None:
        """Counts an answer, once the warm-up is over."""
        if status >= 400:
            self._errors += 1
        elif time.perf_counter() > self._counted_from:
            self._latencies.append(seconds)

    def lost(self) -> None:
        """A connection has ended."""
        self._open -= 1
        if self._open == 0:
            self._done.set()

    async def result(self) -> dict[str, Any]:
        """Runs to the end: what was counted."""
        loop = asyncio.get_running_loop()
        for _ in range(self._spec["connections"]):
            await loop.create_connection(lambda: Connection(self), HOST, self._spec["port"])
        await self._done.wait()
        latencies = sorted(self._latencies)
        count = len(latencies)
        seconds = time.perf_counter() - self._counted_from
        return {
            "count": count,
            "errors": self._errors,
            "seconds": seconds,
            "rate": count / seconds,
            "p50_ms": latencies[count // 2] * 1000 if count else 0.0,
            "p99_ms": latencies[count * 99 // 100] * 1000 if count else 0.0,
        }


async def _main() -> None:
    spec = json.load(sys.stdin)
    print(json.dumps(await Run(spec).result()), flush=True)


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(_main())
    except ImportError:
        asyncio.run(_main())
