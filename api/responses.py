"""Answers as JSON bytes, and what the documentation says of them."""

from typing import Any, Final

import msgspec
from fastapi import Response

PROBLEM: Final[dict[str, Any]] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
}
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

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
    description: str, example: Any, *, status: int = 200, problems: tuple[int, ...] = ()
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its answer by example, and the problems that it may be."""
    content = {"application/json": {"example": example}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": description, "content": content}
    }
    for code in (401, 403, 422, 503, *problems):
        found[code] = {"description": "A problem", **PROBLEM}
    return found
