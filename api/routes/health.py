"""Is it alive, is it ready, how is it doing."""

from typing import Any, Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.problems import respond, unavailable
from api.responses import PROBLEM, WITHOUT_KEY, reply
from api.submit import ServiceIn
from consent_ledger.ledger import UnavailableError

router = APIRouter(tags=["health"])


STATUS: Final[dict[str, Any]] = {"application/json": {"example": {"status": "ok"}}}


@router.get(
    "/livez",
    responses={200: {"description": "The process answers", "content": STATUS}},
    openapi_extra=WITHOUT_KEY,
)
async def livez() -> Response:
    """The process answers."""
    return reply({"status": "ok"})


@router.get(
    "/readyz",
    responses={
        200: {"description": "The database answers", "content": STATUS},
        503: {"description": "The database is away", **PROBLEM},
    },
    openapi_extra=WITHOUT_KEY,
)
async def readyz(service: ServiceIn) -> Response:
    """The database answers too."""
    try:
        async with service.connection() as conn:
            await conn.execute("SELECT 1 FROM deployment")
    except UnavailableError:
        return respond(unavailable())
    return reply({"status": "ok"})


@router.get(
    "/metrics",
    responses={200: {"description": "Prometheus text", "content": {"text/plain": {}}}},
    openapi_extra=WITHOUT_KEY,
)
async def metrics() -> Response:
    """Counts and times for Prometheus; no number is in them."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
