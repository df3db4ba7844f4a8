"""The composition root: settings in, an application out."""

import contextlib
import gc
from collections.abc import AsyncIterator
from threading import Lock
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from api import problems
from api.admin.session import SignInError
from api.admin_access import AdminLinks
from api.front import Front
from api.logs import configure_logging
from api.middleware import BodyLimit, Observed
from api.routes import (
    account,
    admin,
    admin_blocked,
    admin_decisions,
    admin_opt_outs,
    admin_reviews,
    blocked,
    carrier_reports,
    checks,
    consents,
    docs,
    feed,
    health,
    import_list,
    imports,
    keys,
    lexicon,
    messages,
    numbers,
    opt_outs,
    policy,
    provider_endpoints,
    releases,
    reports,
    reviews,
    scrubs,
    set_up,
    simulate,
    tell,
    texts,
    unreadable_senders,
    webhook_endpoints,
    webhooks,
)
from api.service import Service
from api.settings import Settings
from consent_ledger.interpreting import signs

DESCRIPTION = """May I text this number? And why, for ever.

Every answer names its reason, the events it rests on and who can change it. A number travels in a
body, never in a URL. Errors are `application/problem+json` with a stable `code`. Time-outs and 5xx
mean: do not text.
"""


MODULES = (
    checks,
    scrubs,
    tell,
    webhooks,
    messages,
    releases,
    opt_outs,
    consents,
    carrier_reports,
    numbers,
    reviews,
    unreadable_senders,
    reports,
    blocked,
    import_list,
    imports,
    policy,
    set_up,
    simulate,
    account,
    texts,
    lexicon,
    keys,
    provider_endpoints,
    feed,
    webhook_endpoints,
    admin,
    admin_opt_outs,
    admin_decisions,
    admin_blocked,
    admin_reviews,
    health,
    docs,
)
"""Searched in this order for each request: what is asked most often comes first."""


class Application(FastAPI):
    """FastAPI behind the direct routes, and a look at every request in front of both."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.added: list[BaseRoute] = []
        self._document: dict[str, Any] | None = None
        self._documenting = Lock()

    def add(self, router: APIRouter) -> None:
        """Takes a router in: its direct routes are answered in front of FastAPI."""
        self.include_router(router)
        self.added += router.routes

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made when it is first asked for."""
        with self._documenting:
            if self._document is None:
                # Imported here: few processes are asked, and a start should not wait for it.
                from api.openapi import completed

                self._document = completed(super().openapi(), self.added)
            return self._document

    def build_middleware_stack(self) -> ASGIApp:
        """The layers of a request, outermost first: observed, direct routes, FastAPI's own."""
        behind = super().build_middleware_stack()
        # Its outermost layer would tell a failure as plain text, before it is seen here.
        assert isinstance(behind, ServerErrorMiddleware)
        return Observed(Front(behind.app, self.added, self.exception_handlers))


def create_app(settings: Settings) -> Application:
    """The service as an ASGI application."""
    configure_logging(settings.log_level)
    service = Service(settings)
    signs()  # Built here, so that the first text does not wait a tenth of a second for it.

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        # The last act of start-up: full collections over the start-up heap cost checks 30 ms.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            await service.stop()

    app = Application(
        title="Consent ledger",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        # Spans and metrics of FastAPI's own hold URLs and what a body had wrong.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        default_response_class=Response,
        # It would lead from https to http: behind a proxy nobody here knows how the caller came.
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.admin_links = AdminLinks()
    for module in MODULES:
        app.add(module.router)
    problems.install(app)
    app.add_exception_handler(SignInError, admin.not_signed_in)
    app.add_middleware(BodyLimit)
    return app
