"""Is it alive, is it ready, how is it doing."""

import asyncio
import os
from typing import Any, Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.problems import respond, unavailable
from api.responses import WITHOUT_KEY, problems, reply, schema_of
from api.submit import ServiceIn
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.asking import ANSWER_SECONDS
from consent_ledger.store.keys import check_generation

router = APIRouter(tags=["health"])


STATUS: Final[dict[str, Any]] = {
    "application/json": {"schema": schema_of("Health"), "example": {"status": "ok"}}
}


# Load balancers may ask by HEAD; the server leaves the body of its answer out.
@router.head("/livez", include_in_schema=False)
@router.get(
    "/livez",
    responses={200: {"description": "The process answers", "content": STATUS}},
    openapi_extra=WITHOUT_KEY,
)
async def livez() -> Response:
    """The process answers."""
    return reply({"status": "ok"})


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    responses={
        200: {"description": "The database answers", "content": STATUS},
        **problems("unavailable"),
    },
    openapi_extra=WITHOUT_KEY,
)
async def readyz(service: ServiceIn) -> Response:
    """The database answers too, and its newest key is known here."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), service.connection() as conn:
            cursor = await conn.execute("SELECT coalesce(max(generation), 0) FROM key_generation")
            ((newest,),) = await cursor.fetchall()
            check_generation(newest, service.keyring.generations[0])
    except (UnavailableError, TimeoutError):
        return respond(unavailable())
    return reply({"status": "ok"})


@router.get(
    "/metrics",
    responses={
        200: {
            "description": "Prometheus text",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
    openapi_extra=WITHOUT_KEY,
)
async def metrics() -> Response:
    """Counts and times for Prometheus, of all processes of a service; no number is in them."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
