"""A service of the tests' own: it answers as it is told to, also where a real one is too quick."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

Answer = Callable[[str, str, bytes], tuple[int, Any]]
"""From the method, the path and the body to a status and what goes out as JSON."""
LOOK_SECONDS: Final = 0.02
"""How soon it hears that it may end; half a second otherwise, which each test would wait."""


@dataclass
class FakeService:
    """Where it answers, and what it heard: methods with paths, and bodies that came whole."""

    url: str
    asked: list[str] = field(default_factory=list)
    whole: list[bytes] = field(default_factory=list)
    heard: threading.Event = field(default_factory=threading.Event)
    """Set once a whole request came."""

    @property
    def options(self) -> tuple[str, ...]:
        """What has a command ask it."""
        return ("--url", self.url, "--api-key", "k")


@contextmanager
def answering(answer: Answer) -> Iterator[FakeService]:
    """A service that gives these answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            service.asked.append(f"{self.command} {self.path}")
            body = self.body()
            if body is None:
                self.close_connection = True
                return
            service.whole.append(body)
            service.heard.set()
            status, said = answer(self.command, self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def body(self) -> bytes | None:
            """The whole body, sent with its length or in chunks; None where it was cut off."""
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            found = b""
            while line := self.rfile.readline().strip():
                size = int(line, 16)
                found += self.rfile.read(size + 2)[:size]
                if not size:
                    return found
            return None

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service = FakeService(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
