"""The servers that are measured: the service with a constant route beside, and an empty one."""

import os
from typing import Final

from fastapi import APIRouter, FastAPI, Response

from api import render
from api.app import create_app
from api.callers import Anyone
from api.direct import DirectRoute
from api.questions import read_question
from api.responses import reply
from api.schemas.questions import CheckBody
from api.settings import Settings
from api.submit import ServiceIn
from consent_ledger.decision import Decision
from consent_ledger.standing import Mark
from consent_ledger.words import (
    STATUS_LABELS,
    Answer,
    Consent,
    Purpose,
    Reason,
    Source,
)

AT: Final = 1_772_704_800_000_000
STOPPED: Final = Decision(
    answer=Answer.DENY,
    reason=Reason.OPTED_OUT_BY_CONTACT,
    consent=Consent.REVOKED,
    status_label=STATUS_LABELS[2],
    purpose=Purpose.CONVERSATION,
    policy_version=1,
    opt_out_source=Source.CONTACT,
    do_not_text=True,
    source=Source.CONTACT,
    since=AT,
    evidence=(Mark(AT, 3, "StopReceived"),),
)
"""What nearly all numbers of the bench are answered."""

router = APIRouter(include_in_schema=False, route_class=DirectRoute)


@router.post("/bench/constant")
async def constant(body: CheckBody, caller: Anyone, service: ServiceIn) -> Response:
    """A check's own key, parsing and rendering, without the database and the decision."""
    number, _, _ = read_question(service, caller.account_id, body)
    return reply(render.answer(STOPPED, number.ids[0], 3, 42, AT))


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
