"""Short requests to this machine: sent in one piece, and the answer read by the parser in C.

Tests make tens of thousands of them, and a general transport takes as long over each as the
service that answers.
"""

import select
import socket
from typing import Any, Final

import httptools
import httpx2

SHORT: Final = 60_000
"""Bytes of a body that a socket takes at once: an answer that comes before the end of a longer one
is for the general transport."""
PART: Final = 1 << 16


class Loopback(httpx2.BaseTransport):
    """Keeps its connections; any thread may ask."""

    def __init__(self, base_url: str) -> None:
        place = httpx2.URL(base_url)
        self._place = (place.host, place.port or 80)
        self._idle: list[_Connection] = []
        self._general = httpx2.HTTPTransport(verify=False, trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, whole."""
        stream = request.stream
        short = isinstance(stream, httpx2.ByteStream) and request.method != "HEAD"
        body = b"".join(stream) if short else b""  # type: ignore[arg-type]
        if not short or len(body) > SHORT or (request.url.host, request.url.port) != self._place:
            return self._general.handle_request(request)
        connection = self._connection()
        try:
            answer = connection.ask(_written(request, body), request.extensions["timeout"]["read"])
        except TimeoutError as error:
            connection.close()
            raise httpx2.ReadTimeout(str(error), request=request) from error
        except (OSError, EOFError, httptools.HttpParserError) as error:
            connection.close()
            raise httpx2.ReadError(str(error), request=request) from error
        if connection.stays:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _connection(self) -> "_Connection":
        while True:
            try:
                found = self._idle.pop()
            except IndexError:
                break
            if found.is_open():
                return found
            found.close()
        try:
            return _Connection(socket.create_connection(self._place, 5))
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error

    def close(self) -> None:
        """Closes every connection."""
        while self._idle:
            self._idle.pop().close()
        self._general.close()


def _written(request: httpx2.Request, body: bytes) -> bytes:
    head = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    head += [b"%b: %b" % field for field in request.headers.raw]
    return b"\r\n".join([*head, b"", body])


class _Connection:
    """One at a time; what the parser finds is put together here."""

    def __init__(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self.stays = False

    def ask(self, written: bytes, seconds: float | None) -> httpx2.Response:
        """Sends a request and reads its answer."""
        self._fields: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._whole = self.stays = False
        self._socket.settimeout(seconds)
        self._socket.sendall(written)
        parser: Any = httptools.HttpResponseParser(self)
        while not self._whole:
            part = self._socket.recv(PART)
            if not part:
                raise EOFError("the connection ended before the answer did")
            parser.feed_data(part)
        self.stays = parser.should_keep_alive()
        return httpx2.Response(
            parser.get_status_code(),
            headers=self._fields,
            stream=httpx2.ByteStream(b"".join(self._parts)),
            extensions={"http_version": b"HTTP/1.1"},
        )

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of the parser."""
        self._fields.append((name, value))

    def on_body(self, part: bytes) -> None:
        """Of the parser."""
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """Of the parser."""
        self._whole = True

    def is_open(self) -> bool:
        """Whether the service has not closed it meanwhile: its end could be read then."""
        return not select.select([self._socket], [], [], 0)[0]

    def close(self) -> None:
        """Closes it."""
        self._socket.close()
