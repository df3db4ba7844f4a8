"""Answers as JSON bytes, and what the documentation says of them."""

from typing import Any, Final

import msgspec
from fastapi import Response

CODES: Final = "x-codes"
"""Where a route's `responses` keep the codes of its problems, until the document is made."""
WITHOUT_KEY: Final[dict[str, Any]] = {"security": []}
"""Said of a route in the document: it asks for no key."""

_encode = msgspec.json.Encoder().encode
_JSON: Final = (b"content-type", b"application/json")


class Reply(Response):
    """JSON bytes. Its headers are known, so it does not look for them as its base does."""

    def __init__(self, body: bytes, status: int) -> None:
        self.body = body
        self.status_code = status
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), _JSON]


def reply(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Reply(_encode(body), status)


def documented(
    description: str,
    answer: str,
    example: Any,
    *codes: str,
    status: int = 200,
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its answer by schema and example, and the problems of its own.

    `answer` is the name of a class of `api.schemas.answers`. What any route of its kind may be
    answered with, such as 401, is added where the document is made (`api.openapi`).
    """
    content = {"application/json": {"schema": schema_of(answer), "example": example}}
    return {status: {"description": description, "content": content}, **problems(*codes)}


def schema_of(name: str) -> dict[str, str]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The part of a route's `responses` that names the problems of its own."""
    # Without a 422, FastAPI would add one in a shape that no answer here has.
    return {422: {"description": "", CODES: codes}}
