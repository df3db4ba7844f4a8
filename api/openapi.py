"""The OpenAPI document: what FastAPI makes of the routes, and what it cannot know of them."""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any, Final

from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.auth import roles_of
from api.field_meanings import describe
from api.parameters import IDEMPOTENCY_KEY, PARAMETERS
from api.policy_schema import add_changes
from api.problem_codes import KEYED, WHEN, status_of
from api.problems import TYPE_BASE
from api.responses import CODES, schema_of
from api.schemas.answers import (
    account,
    base,
    blocked,
    feed,
    imports,
    messages,
    numbers,
    policy,
    texts,
    told,
)
from api.schemas.answers.base import Answered
from api.schemas.answers.problems import MEMBERS, OF_CODE, Problem
from api.schemas.base import Body
from api.strict import StrictRoute
from consent_ledger.words import Role

WRITTEN: Final = (account, blocked, feed, imports, messages, numbers, policy, texts, told)
"""Where the answers are; the document has a schema for each class of theirs."""

Json = dict[str, Any]

PROBLEM_JSON: Final = "application/problem+json"
REFERENCES: Final = "#/components/schemas/{model}"
RULE: Final = re.compile(r" \((?:rulebook|contract|section|row|R-)[^)]*\)")
"""Where a sentence of the sources names a rule: callers of the interface do not have the rules."""
UNUSED: Final = ("HTTPValidationError", "ValidationError")
"""Schemas of FastAPI's own errors, which nobody is answered with."""
OF_BODIES: Final = ("malformed-json", "body-too-large", "invalid-body")
AWAY: Final = ("internal-error", "unavailable")


def completed(document: Json, routes: Iterable[BaseRoute]) -> Json:
    """The document with all that a caller needs to know of each route."""
    shown = [each for each in routes if isinstance(each, APIRoute) and each.include_in_schema]
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in UNUSED:
        schemas.pop(name, None)
    schemas |= _answers()
    describe(schemas, chain(_kinds(Answered), _kinds(Body)))
    add_changes(schemas)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    used: set[str] = set()
    for route in shown:
        for verb in route.methods or ():
            used |= _complete(document["paths"][route.path_format][verb.lower()], route, schemas)
    components["examples"] = {code: _example(code) for code in WHEN if code in used}
    _clean(document)
    return document


def _answers() -> Json:
    """The schemas of everything that is answered."""
    models: list[Any] = [(each, "serialization") for each in _kinds(Answered)]
    _, found = models_json_schema(models, ref_template=REFERENCES)
    schemas: Json = found["$defs"]
    return schemas


def _kinds(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every class below one, but for lists of something that has no name yet."""
    for each in kind.__subclasses__():
        if each is not base.Items and "[" not in each.__name__:
            yield each
        yield from _kinds(each)


def _complete(operation: Json, route: APIRoute, schemas: Json) -> set[str]:
    """Adds what FastAPI leaves out of an operation; the codes of its problems."""
    _restore_examples(operation, route, schemas)
    # Clients name their methods by it; FastAPI's has the whole path in it.
    operation["operationId"] = f"{operation['tags'][0]}_{route.name}".replace(" ", "_")
    roles = _roles(route)
    if roles is not None:
        operation["x-roles"] = [str(role) for role in roles]
    for each in operation.get("parameters", []):
        each.setdefault("description", PARAMETERS[each["name"]])
    codes = _codes(route)
    if codes & set(KEYED):
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    _tell_problems(operation, codes)
    return codes


def _restore_examples(operation: Json, route: APIRoute, schemas: Json) -> None:
    """Every null of an example: FastAPI drops them. A body's example stands beside its schema."""
    for status, response in route.responses.items():
        for kind, content in response.get("content", {}).items():
            if "example" in content:
                operation["responses"][str(status)]["content"][kind]["example"] = content["example"]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        shown = schemas.get(name, {}).pop("examples", None)
        if shown and kind == "application/json":
            content["example"] = shown[0]


def _roles(route: APIRoute) -> tuple[Role, ...] | None:
    """Whose keys may call a route; None where it asks for no key."""
    calls = (each.call for each in route.dependant.dependencies)
    return next((found for call in calls if (found := roles_of(call)) is not None), None)


def _codes(route: APIRoute) -> set[str]:
    """The problems of a route's own, and those of its kind."""
    codes = {code for each in route.responses.values() for code in each.get(CODES, ())}
    found, roles = route.dependant, _roles(route)
    if roles is not None:
        codes |= {"key-missing-or-unknown", *AWAY}
        codes |= {"role-not-allowed"} if set(roles) != set(Role) else set()
    if isinstance(route, StrictRoute):
        codes |= {"unknown-query"} | ({"query-repeated"} if found.query_params else set())
    if found.query_params or found.path_params or found.header_params:
        codes.add("invalid-body")
    if found.body_params:
        codes |= set(OF_BODIES)
    if codes & set(KEYED):
        # The body is what a key stands for, so it is read where the route itself has no use for it.
        codes.add("body-too-large")
    return codes


def _tell_problems(operation: Json, codes: Iterable[str]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes, key=list(WHEN).index):
        by_status.setdefault(status_of(code), []).append(code)
    for status, listed in sorted(by_status.items()):
        names = ", ".join(f"`{code}`" for code in listed)
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: {names}",
            "content": {
                PROBLEM_JSON: {
                    "schema": _schema(listed),
                    "examples": {
                        code: {"$ref": f"#/components/examples/{code}"} for code in listed
                    },
                }
            },
        }


def _schema(codes: list[str]) -> Json:
    """The schema of a problem, or of those that have members of their own."""
    names = dict.fromkeys(OF_CODE.get(code, Problem).__name__ for code in codes)
    if len(names) == 1:
        return dict(schema_of(next(iter(names))))
    return {"anyOf": [schema_of(name) for name in names]}


def _example(code: str) -> Json:
    status = status_of(code)
    value: Json = {
        "type": TYPE_BASE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": WHEN[code],
        "code": code,
        **MEMBERS.get(code, {}),
    }
    if status == 422:
        value["errors"] = []
    return {"summary": code, "value": value}


def _clean(node: Any) -> None:
    """Titles that repeat a field's name, and the names of rules, say nothing to a caller."""
    for each in node if isinstance(node, list) else ():
        _clean(each)
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "description" and isinstance(value, str):
            node[name] = RULE.sub("", value)
        elif name == "properties":
            for field in value.values():
                if isinstance(field, dict):
                    field.pop("title", None)
        if name not in ("example", "examples"):
            _clean(value)
