"""The direct routes, answered in front of FastAPI.

Between the server and a route FastAPI has seven layers and a search through all routes, which take
longer than a check. A request for a direct route's path and method is answered here, by the same
handler and with the same problems; every other goes on to FastAPI.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from api.direct import DirectRequest, DirectRoute
from api.middleware import body_limit
from api.strict import Handler

FAILURE: Final = "consent_ledger.failure"
"""Where a failure waits in the scope for the one who tells it."""


class _Direct(NamedTuple):
    """A direct route, and what is needed to call it."""

    route: DirectRoute
    handle: Handler
    limit: int


class Front:
    """Answers what is asked most often, and leaves the rest to the application behind it."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[BaseRoute],
        handlers: Mapping[Any, ExceptionHandler],
    ) -> None:
        self._app = app
        self._direct: dict[tuple[str, str], _Direct] = {}
        self._searched: dict[str, list[tuple[Route, _Direct | None]]] = defaultdict(list)
        for route in routes:
            if isinstance(route, Route):
                self._add(route)
        self._told = ExceptionMiddleware(_fail_again, handlers)

    def _add(self, route: Route) -> None:
        direct = None
        if isinstance(route, DirectRoute) and route.direct is not None:
            direct = _Direct(route, route.direct, body_limit(route.path))
        if direct is None or route.param_convertors:
            self._searched[_head(route.path)].append((route, direct))
        else:
            for method in route.methods or ():
                self._direct[method, route.path] = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        found = None
        if scope["type"] == "http" and not scope["query_string"]:
            found = self._direct.get((scope["method"], scope["path"])) or self._by_id(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = found.route
        try:
            response = await found.handle(DirectRequest(scope, receive, found.limit))
        except ClientDisconnect:
            return
        except Exception as error:
            scope[FAILURE] = error
            await self._told(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _by_id(self, scope: Scope) -> _Direct | None:
        """The direct route of a path with an id, where FastAPI would come to it, too."""
        path, method = scope["path"], scope["method"]
        for route, direct in self._searched.get(_head(path), ()):
            if method in (route.methods or ()) and (match := route.path_regex.match(path)):
                scope["path_params"] = match.groupdict()
                return direct
        return None


def _head(path: str) -> str:
    """The first two parts of a path, which say what it is about: no route has an id there."""
    return "/".join(path.split("/", 3)[:3])


async def _fail_again(scope: Scope, receive: Receive, send: Send) -> None:
    raise scope.pop(FAILURE)
