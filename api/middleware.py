"""Around every request: a limit on its body, a line in the log, a place in the metrics.

Plain ASGI, as these run for every check.
"""

import time
import traceback
from functools import cache
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import internal, respond, too_large
from api.settings import BATCH_BODY_LIMIT, BODY_LIMIT, IMPORT_BODY_LIMIT

REQUESTS: Final = Counter(
    "consent_ledger_requests_total", "Requests by route and status", ["route", "status"]
)
SECONDS: Final = Histogram(
    "consent_ledger_request_seconds",
    "Time to answer by route",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
BATCHES: Final = ("/batch",)
IMPORTS: Final = "/v1/imports"
STREAMED: Final = ("/v1/scrubs",)
"""Bodies of any length, which their routes take in part by part, within limits of their own."""
NOBODY_LEFT: Final = 499
"""Counted for a caller that hung up before the answer, as nginx does: no failure of the service."""

log = structlog.get_logger("request")


class BodyLimit:
    """Refuses a body over the limit before it is read to its end: 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts the bytes as they come; a stated length over the limit is refused at once."""
        if scope["type"] != "http" or scope["path"] in STREAMED:
            await self.app(scope, receive, send)
            return
        limit = body_limit(scope["path"])
        if _stated_length(scope) > limit:
            await respond(too_large(limit))(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                # Any other exception would be told as a body that is not JSON.
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


def body_limit(path: str) -> int:
    """The most bytes that a body for this path may have."""
    if path == IMPORTS:
        return IMPORT_BODY_LIMIT
    return BATCH_BODY_LIMIT if path.endswith(BATCHES) else BODY_LIMIT


def _stated_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


class Observed:
    """A count and a time for every request, and a log line for each that went wrong.

    Method, route, status, time: never the URL's values or a body, so no number can be in them. A
    line for every check would cost more than the check; the metrics count them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Times the request and notes how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status: int | None = None

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            # The server would log it with its values.
            log.error("request_failed", error=type(error).__name__, place=_place(error))
            if status is not None:
                raise CutOffError from None
            await respond(internal())(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - began
            status, route = status or NOBODY_LEFT, _route(scope)
            counter, histogram = _measures(route, status)
            counter.inc()
            histogram.observe(seconds)
            if status >= 400:
                method = scope["method"]
                log.info("request", method=method, route=route, status=status, seconds=seconds)


class CutOffError(Exception):
    """An answer failed after it began: the connection has to be closed."""


def _place(error: Exception) -> str:
    """The line that failed, as its message may hold what somebody sent."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


@cache
def _measures(route: str, status: int) -> tuple[Counter, Histogram]:
    """The two measures of a route: as few as there are routes and statuses."""
    return REQUESTS.labels(route, str(status)), SECONDS.labels(route)


def _route(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path_format", "none")
