"""The direct routes, answered in front of FastAPI.

Between the server and a route FastAPI has seven layers and a search through all routes, which take
longer than a check. A request for a direct route's path and method is answered here, by the same
handler and with the same problems; every other goes on to FastAPI.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from api.direct import DirectRequest, DirectRoute, Handler
from api.middleware import body_limit

FAILURE: Final = "consent_ledger.failure"
"""Where a failure waits in the scope for the one who tells it."""


class Front:
    """Answers what is asked most often, and leaves the rest to the application behind it."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[BaseRoute],
        handlers: Mapping[Any, ExceptionHandler],
    ) -> None:
        self._app = app
        self._direct: dict[tuple[str, str], tuple[DirectRoute, Handler, int]] = {
            (method, route.path): (route, route.direct, body_limit(route.path))
            for route in routes
            if isinstance(route, DirectRoute) and route.direct is not None
            for method in route.methods or ()
        }
        self._told = ExceptionMiddleware(_fail_again, handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        found = None
        if scope["type"] == "http" and not scope["query_string"]:
            found = self._direct.get((scope["method"], scope["path"]))
        if found is None:
            await self._app(scope, receive, send)
            return
        route, handle, limit = found
        scope["route"] = route
        try:
            response = await handle(DirectRequest(scope, receive, limit))
        except ClientDisconnect:
            return
        except Exception as error:
            scope[FAILURE] = error
            await self._told(scope, receive, send)
        else:
            await response(scope, receive, send)


async def _fail_again(scope: Scope, receive: Receive, send: Send) -> None:
    raise scope.pop(FAILURE)
