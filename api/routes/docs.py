"""The reference of the HTTP interface, made from the OpenAPI document; works offline."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.docs_page import page
from api.responses import reply
from api.submit import ServiceIn

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The interface as data."""
    return reply(await _document(request))


async def _document(request: Request) -> dict[str, Any]:
    """The document, made in a thread: it takes half a second, in which checks want answers."""
    return await run_in_threadpool(request.app.openapi)


@router.get("/docs")
async def docs(request: Request, service: ServiceIn) -> Response:
    """Every route with its fields and an example; nothing is loaded from elsewhere."""
    made = page(await _document(request), service.settings.base_url)
    return Response(made, media_type="text/html")
