"""The servers that are measured: the service with a constant route beside, and an empty one."""

import os
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Response

from api.app import create_app
from api.auth import Caller, allow
from api.direct import DirectRoute
from api.responses import reply
from api.routes.checks import EXAMPLE
from api.schemas.questions import CheckBody
from api.settings import Settings
from api.submit import ServiceIn
from consent_ledger.words import Role

router = APIRouter(include_in_schema=False, route_class=DirectRoute)


@router.post("/bench/constant")
async def constant(
    body: CheckBody, caller: Annotated[Caller, Depends(allow(*Role))], service: ServiceIn
) -> Response:
    """A check's own key, body and answer, without the question."""
    return reply(EXAMPLE)


def with_constant() -> FastAPI:
    """The service and a constant route, with the settings of the environment."""
    app = create_app(Settings())  # type: ignore[call-arg]
    app.add(router)
    return app


def empty() -> FastAPI:
    """A FastAPI application that does nothing."""
    app = FastAPI(openapi_url=None)

    @app.post("/empty")
    async def nothing() -> Response:
        return Response(b"{}", media_type="application/json")

    return app


def serve(which: str, port: int) -> None:
    """Serves one of them on loopback until it is ended."""
    import uvicorn

    app = with_constant() if which == "service" else empty()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    serve(os.environ["BENCH_SERVER"], int(os.environ["BENCH_PORT"]))
