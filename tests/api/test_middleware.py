"""What no route foresaw: a failure of the service's own is told and logged without its cause."""

import asyncio
import io
import json
from typing import Any

import httpx2
import pytest
import structlog
from starlette.types import Receive, Scope, Send

from api import middleware
from api.middleware import BodyLimit, Observed
from tests.api.clinic import ANN

SAID = f"no such number: {ANN}"


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that fails with a number in its hands."""
    raise RuntimeError(SAID)


async def fails_halfway(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that fails after its answer began."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError(SAID)


async def never(*_: Any) -> Any:
    """What is not called."""
    raise AssertionError


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged meanwhile."""
    stream = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[structlog.processors.JSONRenderer()],
        wrapper_class=structlog.BoundLogger,
    )
    monkeypatch.setattr(middleware, "log", logger)
    return stream


def ask(app: Any) -> httpx2.Response:
    """One request to an application."""

    async def request() -> httpx2.Response:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://ledger") as http:
            return await http.get("/v1/checks")

    return asyncio.run(request())


def test_a_failure_is_a_problem_and_a_line_that_says_where_not_what(log: io.StringIO) -> None:
    """Contract section 2: no stack trace, no exception text, and do not text."""
    response = ask(Observed(BodyLimit(fails)))
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "internal-error"
    assert ANN[2:] not in response.text
    assert ANN[2:] not in log.getvalue()
    failed, request = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (failed["event"], failed["error"]) == ("request_failed", "RuntimeError")
    assert failed["place"].startswith("test_middleware.py:")
    assert (request["event"], request["status"]) == ("request", 500)


def test_a_caller_that_left_is_no_failure_of_the_service(log: io.StringIO) -> None:
    """Who is called at night for a 5xx is not called because somebody hung up."""

    async def is_left(scope: Scope, receive: Receive, send: Send) -> None:
        """An application that has nobody to answer."""

    async def request() -> None:
        scope = {"type": "http", "method": "POST", "path": "/v1/checks", "headers": []}
        await Observed(is_left)(scope, receive=never, send=never)

    asyncio.run(request())
    (line,) = [json.loads(each) for each in log.getvalue().splitlines()]
    assert (line["event"], line["status"]) == ("request", 499)


def test_an_answer_that_began_is_cut_off(log: io.StringIO) -> None:
    """What was sent cannot be taken back, but it must not look whole."""
    with pytest.raises(middleware.CutOffError) as failure:
        ask(Observed(fails_halfway))
    assert ANN[2:] not in str(failure.value)
    assert ANN[2:] not in log.getvalue()
