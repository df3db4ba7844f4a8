"""Routes that know what they are asked: nothing in a query or a body is passed over."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, get_args, get_origin

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Body, Form
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.problems import Problem, invalid
from api.repeated_names import REPEATED, Named, read_named

LONG: Final = 65_536
"""Bytes of a body whose names are looked at beside all else, as nobody is known to have sent it: a
megabyte of small objects would hold up every check for a tenth of a second."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """A route that knows its query: a typing mistake in `as_of` must not answer for today."""

    def get_route_handler(self) -> Handler:
        """The handler, behind a look at the names of the query and of the body."""
        handle = super().get_route_handler()
        return self.strict(_looking(handle) if self._reads_json else handle)

    @property
    def _reads_json(self) -> bool:
        bodies = [each.field_info for each in self.dependant.body_params]
        return any(isinstance(each, Body) and not isinstance(each, Form) for each in bodies)

    def strict(self, handle: Handler) -> Handler:
        """A handler of this route behind that look."""
        params = self.dependant.query_params
        known = {each.alias for each in params}
        once = {each.alias for each in params if not _takes_many(each.field_info.annotation)}
        reads_json = self._reads_json

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                _look_at(request.query_params, known, once)
            return await handle(_as_json(request) if reads_json else request)

        return strict


def _looking(handle: Handler) -> Handler:
    """The handler behind a look at the names of the body, which it reads again."""

    async def look(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            raise HTTPException(400) from None
        is_long = len(body) > LONG
        found = await asyncio.to_thread(read_named, body) if is_long else read_named(body)
        if isinstance(found, Named):
            raise repeated(found.unclear)
        return await handle(request)

    return look


def repeated(name: str) -> RequestValidationError:
    """The fault of a body that has a name twice."""
    fault = {"type": "name_repeated", "loc": ("body", name), "msg": REPEATED}
    return RequestValidationError([fault])


def _as_json(request: Request) -> Request:
    """The request with its body called JSON: `curl -d` calls it a form where nobody says a word,
    and these routes read nothing else."""
    others = [each for each in request.scope["headers"] if each[0] != b"content-type"]
    headers = [*others, (b"content-type", b"application/json")]
    return Request({**request.scope, "headers": headers}, request.receive)


def _look_at(query: QueryParams, known: set[str], once: set[str]) -> None:
    """Problem where the query has a name that nobody reads, or one whose value is not clear."""
    if any(name not in known for name in query):
        raise Problem(422, "unknown-query", f"The query may have: {_listed(known)}.", errors=[])
    for name in sorted(once):
        if len(query.getlist(name)) > 1:
            # The last would count: `dry_run=true&dry_run=false` would record.
            raise invalid(name, "query-repeated", f"The query has `{name}` more than once.")


def _takes_many(annotation: Any) -> bool:
    """Whether a parameter is declared as a list, or as a list or nothing."""
    return list in {get_origin(each) or each for each in (annotation, *get_args(annotation))}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
