"""Answers held to the OpenAPI document: what is answered is what the document says."""

import re
from functools import cached_property
from typing import Any, Final

import httpx2

from tests.api.shapes import misfits
from tests.service import LOCAL

Json = dict[str, Any]

PROBLEM_JSON: Final = "application/problem+json"


class Document:
    """The document of a service, and whether an answer is as it says."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    @cached_property
    def whole(self) -> Json:
        """The document, asked for once."""
        found: Json = httpx2.get(f"{self._base_url}/openapi.json", **LOCAL).json()
        return found

    @cached_property
    def operations(self) -> dict[tuple[str, str], Json]:
        """Every operation by verb and path."""
        return {
            (verb.upper(), path): operation
            for path, item in self.whole["paths"].items()
            for verb, operation in item.items()
        }

    @cached_property
    def _paths(self) -> list[tuple[str, re.Pattern[str], str]]:
        # What has fewer parts left open comes first: `release-next` is no message's id.
        ordered = sorted(self.operations, key=lambda each: (each[1].count("{"), -len(each[1])))
        found = []
        for verb, path in ordered:
            pattern = re.sub(r"\\{\w+\\}", ".+", re.escape(path))
            found.append((verb, re.compile(pattern), path))
        return found

    def operation(self, request: httpx2.Request) -> tuple[str, str] | None:
        """Which operation a request is for; None where it is for none."""
        path = request.url.raw_path.decode().partition("?")[0]
        named = ((v, p) for v, pattern, p in self._paths if pattern.fullmatch(path))
        return next((each for each in named if each[0] == request.method), None)

    def check(self, response: httpx2.Response) -> None:
        """Fails where an answer is not as documented; a hook of a client."""
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind not in ("application/json", PROBLEM_JSON):
            return
        found = self.operation(response.request)
        if found is not None:
            response.read()
            self._hold(found, response.status_code, kind, response.json())

    def _hold(self, operation: tuple[str, str], status: int, kind: str, body: Any) -> None:
        told = self.operations[operation]["responses"].get(str(status))
        assert told is not None, (operation, status, body)
        content = told["content"].get(kind)
        assert content is not None, (operation, status, kind)
        assert list(misfits(self.whole, content["schema"], body)) == [], (operation, status)
        if kind == PROBLEM_JSON:
            assert body["code"] in content["examples"], (operation, body["code"])
