"""A caller over one kept-alive connection: small, so that the services are what takes time."""

import asyncio
import contextlib
import json
from types import TracebackType
from typing import Any, Final, Self

ANSWER_SECONDS: Final = 20.0
"""A caller waits no longer; then there is no answer, which is a no."""


class NoAnswerError(Exception):
    """The connection ended, or nothing came: whether it was recorded is not known."""


class Client:
    """Calls a service on this machine with one key."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def call(
        self, method: str, path: str, body: Any = None, idempotency_key: str | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of an answer; NoAnswerError where there is none."""
        try:
            return await asyncio.wait_for(
                self._call(method, path, body, idempotency_key), ANSWER_SECONDS
            )
        except (OSError, EOFError, TimeoutError) as error:
            await self._close()
            raise NoAnswerError from error

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        """A POST."""
        return await self.call("POST", path, body)

    async def told(self, path: str, **body: Any) -> dict[str, Any]:
        """The answer to a POST that has to be 200."""
        status, answer = await self.post(path, **body)
        assert status == 200, (status, answer)
        return dict(answer)

    async def _call(
        self, method: str, path: str, body: Any, idempotency_key: str | None
    ) -> tuple[int, Any]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        data = b"" if body is None else json.dumps(body).encode()
        keyed = f"idempotency-key: {idempotency_key}\r\n" if idempotency_key else ""
        writer.write(
            f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self._key}\r\n"
            f"content-type: application/json\r\n{keyed}content-length: {len(data)}\r\n\r\n".encode()
            + data
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        answer = await reader.readexactly(int(fields["content-length"]))
        return int(head[0].split()[1]), json.loads(answer)

    async def _close(self) -> None:
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
