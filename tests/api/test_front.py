"""What is answered in front of FastAPI is what FastAPI would have come to."""

import asyncio

import httpx2
from fastapi import APIRouter, Response
from starlette.types import Receive, Scope, Send

from api.direct import DirectRoute
from api.front import Front
from api.schemas.base import OpaqueId

router = APIRouter(route_class=DirectRoute)


@router.post("/v1/things/{thing_id:path}/open")
async def opened(thing_id: OpaqueId, how: str = "") -> Response:
    """One with a query, which is left to FastAPI."""
    raise AssertionError


@router.post("/v1/things/{thing_id:path}/shut")
async def shut(thing_id: OpaqueId) -> Response:
    """One that is answered in front."""
    return Response(f"shut {thing_id}")


@router.post("/v1/things/{thing_id:path}")
async def changed(thing_id: OpaqueId) -> Response:
    """One that takes what the others leave."""
    return Response(f"changed {thing_id}")


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """The application behind."""
    await Response("behind")(scope, receive, send)


def ask(path: str, method: str = "POST") -> str:
    """Who answers a request."""

    async def request() -> str:
        transport = httpx2.ASGITransport(Front(behind, router.routes, {}))  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="http://ledger") as http:
            return (await http.request(method, path)).text

    return asyncio.run(request())


def test_a_path_with_an_id_goes_to_the_first_route_that_fits() -> None:
    """In the order in which they were added, whether or not that one is answered here."""
    assert ask("/v1/things/a/shut") == "shut a"
    assert ask("/v1/things/a%2Fb/shut") == "shut a/b"
    assert ask("/v1/things/a") == "changed a"
    assert ask("/v1/things/a/open") == "behind"
    assert ask("/v1/things/shut/open/shut") == "shut shut/open"


def test_what_is_not_asked_like_that_goes_on() -> None:
    """Another method, a query, another place: FastAPI knows what to say."""
    assert ask("/v1/things/a/shut", "GET") == "behind"
    assert ask("/v1/things/a/shut?now=1") == "behind"
    assert ask("/v1/other/a/shut") == "behind"
    assert ask("/v1/things") == "behind"
