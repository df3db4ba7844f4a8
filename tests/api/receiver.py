"""A receiver of webhooks on this machine: it keeps what was posted, and answers as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

import msgspec
from standardwebhooks import Webhook

SECONDS: Final = 20.0
"""What takes longer does not come."""
LOOK_SECONDS: Final = 0.02
"""How soon it hears that it may end; half a second otherwise, which each test would wait."""


class Delivery(NamedTuple):
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found

    @property
    def event_id(self) -> str:
        """The event's id."""
        return str(self.event["id"])

    def signed_by(self, secret: str) -> bool:
        """Whether the library of Standard Webhooks takes it under this secret."""
        try:
            return bool(Webhook(secret).verify(self.body, self.headers))
        except Exception:
            return False


class Receiver:
    """Its URL, all that came, and the statuses that the next answers have; then it is 204."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.came: list[Delivery] = []
        self.answers: list[int] = []
        self.always: int = 204
        self.location: str | None = None
        self.retry_after: str | None = None
        self.endless = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def answer(self) -> int:
        """The status of the next answer."""
        return self.answers.pop(0) if self.answers else self.always

    @property
    def ids(self) -> list[str]:
        """The ids of the events that came, in the order in which they did."""
        return [delivery.event_id for delivery in self.came]

    @property
    def types(self) -> list[str]:
        """Their types, without the prefix."""
        return [d.event["type"].removeprefix("ConsentLedger.") for d in self.came]

    def got(self, count: int) -> list[Delivery]:
        """Waits for so many deliveries."""
        eventually(lambda: len(self.came) >= count)
        return self.came


def eventually(holds: Callable[[], object]) -> None:
    """Waits until something holds."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:
                # The sender was killed in the middle: a request that was cut off never came.
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came.append(Delivery(headers, body))
            receiver.may_answer.wait(SECONDS)
            self.send_response(receiver.answer())
            if receiver.location is not None:
                self.send_header("Location", receiver.location)
            if receiver.retry_after is not None:
                self.send_header("Retry-After", receiver.retry_after)
            if receiver.endless:
                self.end_headers()
                self.endless()
                return
            self.send_header("Content-Length", "0")
            self.end_headers()

        def endless(self) -> None:
            self.close_connection = True
            try:
                for _ in range(1_000):
                    self.wfile.write(b"x" * 65_536)
            except OSError:
                receiver.endless = False

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver = Receiver(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.may_answer.set()
            server.shutdown()
            thread.join()
