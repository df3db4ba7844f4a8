"""Routes that are called directly: body, caller and service, without the dependency solver.

A check does less work than FastAPI's solver does for it. A route whose endpoint takes no more than
`body`, `caller`, `service`, `request` and ids from its path is bound here once, when it is defined;
it is documented by FastAPI like any other, and any other signature is left to FastAPI.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from api.half_text import mended
from api.problems import too_large
from api.repeated_names import Named, is_surely_clear, is_unclear, read_named
from api.schemas.batch import BatchBody
from api.strict import Handler, StrictRoute, repeated

PROVIDED: Final = {"body", "caller", "service", "request"}

Provide = Callable[[Request], Awaitable[Any]]


class DirectRequest(Request):
    """A request whose body is of a bounded size: it is read whole, or refused."""

    def __init__(self, scope: Scope, receive: Receive, limit: int) -> None:
        super().__init__(scope, receive)
        self._limit = limit
        self._read: bytes | None = None

    async def body(self) -> bytes:
        """The body; Problem 413 once it is over the limit, ClientDisconnect if it breaks off."""
        if self._read is not None:
            return self._read
        parts, length, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part = message.get("body", b"")
            length += len(part)
            if length > self._limit:
                raise too_large(self._limit)
            parts.append(part)
            more = message.get("more_body", False)
        self._read = parts[0] if len(parts) == 1 else b"".join(parts)
        return self._read


class DirectRoute(StrictRoute):
    """A route that FastAPI documents and this class calls.

    `direct` is the handler by which it is called, None where its signature asks for more. Ids in
    the path are read from the request's `path_params`.
    """

    direct: Handler | None = None

    def get_route_handler(self) -> Handler:
        """The direct handler, where the endpoint's signature is as simple as that."""
        found = self.dependant
        takes = dict(found.call.__annotations__) if found.call else {}
        in_path = {each.name: _from_path(each.name, takes[each.name]) for each in found.path_params}
        plain = not (found.query_params or found.header_params)
        names = set(takes) - {"return"} - set(in_path)
        if not plain or not names <= PROVIDED or len(found.body_params) > 1:
            return super().get_route_handler()
        provide: dict[str, Provide] = {each.name or "": _call(each) for each in found.dependencies}
        provide |= in_path
        body = found.body_params[0].field_info.annotation if found.body_params else None
        model = cast("type[BaseModel] | None", body)
        self.direct = _handler(self.endpoint, provide, model, "request" in names)
        # What has a query comes by way of FastAPI, and takes this one.
        return self.strict(self.direct)


def _call(dependant: Any) -> Provide:
    call: Provide = dependant.call
    return call


def _from_path(name: str, kind: Any) -> Provide:
    """What a place in the path holds, as the endpoint wants it."""
    validate = TypeAdapter(kind).validate_python

    async def read(request: Request) -> Any:
        try:
            return validate(request.path_params[name])
        except ValidationError as error:
            raise _faults(error, "path", name) from None

    return read


def _faults(error: ValidationError, *place: str) -> RequestValidationError:
    """What was wrong, as FastAPI tells it, without what was sent."""
    return RequestValidationError(
        [
            {**each, "loc": (*place, *each["loc"])}
            for each in error.errors(include_url=False, include_input=False)
        ]
    )


def _check_names(read: BaseModel, body: bytes) -> None:
    """RequestValidationError where a body that was read has a name twice; where only items of a
    batch do, those are left to be told one by one."""
    if is_surely_clear(read, body):
        return
    found = read_named(body)
    if not isinstance(found, Named):
        return
    if not isinstance(read, BatchBody) or found.repeated is not None:
        raise repeated(found.unclear)
    beside = (name for name in found if name != "items" and is_unclear(found[name]))
    for name in beside:
        raise repeated(name)
    read.read_one_by_one(found["items"])


def _handler(
    endpoint: Callable[..., Awaitable[Response]],
    provide: dict[str, Provide],
    model: type[BaseModel] | None,
    wants_request: bool,
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    # A contact's words are not refused for how their JSON was made.
    checks_names = not getattr(model, "takes_half_text", False)

    async def handle(request: Request) -> Response:
        arguments: dict[str, Any] = {}
        for name, call in provide.items():
            arguments[name] = await call(request)
        if model is not None:
            sent = await request.body()
            arguments["body"] = body = _parsed(model, sent)
            if checks_names:
                _check_names(body, sent)
        if wants_request:
            arguments["request"] = request
        return await endpoint(**arguments)

    return handle


def _parsed(model: type[BaseModel], body: bytes) -> BaseModel:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        whole = mended(body) if getattr(model, "takes_half_text", False) else None
        if whole not in (None, body):
            return _parsed(model, whole)
        raise _faults(error, "body") from None
