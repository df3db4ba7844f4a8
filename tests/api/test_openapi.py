"""The interface describes itself: a valid document, and a page that works offline."""

import re
from typing import Any, Final

import pytest

from api.problem_codes import WHEN, status_of
from tests.api.routes import EVERYONE, ROUTES, WITHOUT_KEY
from tests.api.shapes import misfits
from tests.service import Running

VERBS = {"get", "post", "put", "delete"}


@pytest.fixture(scope="module")
def document(service: Running) -> dict[str, Any]:
    """The OpenAPI document."""
    answer = service.http.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by verb and path."""
    return {
        (verb.upper(), path): operation
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    }


def resolved(document: dict[str, Any], reference: str) -> Any:
    """What a local reference names."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(node: Any) -> list[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in references(value)]
    if isinstance(node, list):
        return [each for value in node for each in references(value)]
    return []


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    """OpenAPI 3.1: what it must have, and no reference that leads nowhere."""
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    assert document["info"]["version"]
    for reference in references(document):
        assert reference.startswith("#/")
        assert isinstance(resolved(document, reference), dict)
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))
    assert all(verb.lower() in VERBS for verb, _ in operations(document))


def test_every_path_parameter_is_declared(document: dict[str, Any]) -> None:
    """And none is declared that the path has not."""
    for (_, path), operation in operations(document).items():
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_every_operation_tells_what_it_does_and_answers(document: dict[str, Any]) -> None:
    """A sentence, a success, and a problem for every operation that needs a key."""
    for operation_id, operation in operations(document).items():
        assert operation.get("description"), operation_id
        codes = set(operation["responses"])
        assert codes & {"200", "201"}, operation_id
        if operation_id not in WITHOUT_KEY:
            assert {"401", "422", "500", "503"} <= codes, operation_id
            problem = operation["responses"]["401"]["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_who_may_call_is_told(document: dict[str, Any]) -> None:
    """The roles of the contract; where every key will do, no 403 is told of."""
    found = operations(document)
    for route in ROUTES:
        operation = found[route.operation]
        assert set(operation["x-roles"]) == route.roles, route
        assert ("403" in operation["responses"]) is (route.roles != EVERYONE), route


def test_every_body_and_answer_has_a_schema(document: dict[str, Any]) -> None:
    """With a meaning for each of its fields and parameters, and no field of any shape."""
    for operation_id, operation in operations(document).items():
        told = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (each for one in told for each in one.get("content", {}).values()):
            assert content["schema"], operation_id
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], (operation_id, parameter["name"])
            assert parameter["description"], (operation_id, parameter["name"])
    for name, schema in document["components"]["schemas"].items():
        for field, shape in schema.get("properties", {}).items():
            assert shape.get("description"), (name, field)
            assert shape.keys() & {"type", "anyOf", "$ref", "const"}, (name, field)


def examples(document: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    """What is shown of a body or an answer."""
    if "example" in content:
        return [content["example"]]
    named = content.get("examples", {}).values()
    return [resolved(document, each["$ref"])["value"] for each in named]


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    """Nulls too: what is shown is what is sent and answered."""
    for operation_id, operation in operations(document).items():
        told = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (each for one in told for each in one.get("content", {}).values()):
            for example in examples(document, content):
                assert list(misfits(document, content["schema"], example)) == [], operation_id


def test_every_problem_is_told_with_its_status(document: dict[str, Any]) -> None:
    """Each code under the status that it comes with; no code is told of that nothing gives."""
    given = set()
    for operation_id, operation in operations(document).items():
        for status, response in operation["responses"].items():
            problems = response["content"].get("application/problem+json", {}).get("examples", {})
            assert (int(status) >= 400) is bool(problems), (operation_id, status)
            assert all(status_of(code) == int(status) for code in problems), operation_id
            given |= problems.keys()
    assert given == WHEN.keys() == document["components"]["examples"].keys()


def test_a_repetition_is_offered_where_it_is_safe(document: dict[str, Any]) -> None:
    """Every POST that records takes an Idempotency-Key, and says so."""
    without = {"/v1/imports/{import_id}/undo", "/v1/webhooks/{provider}/{endpoint}"}
    for (verb, path), operation in operations(document).items():
        keyed = any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
        recorded = operation["responses"].get("200", operation["responses"].get("201"))
        name = recorded["content"].get("application/json", {}).get("schema", {}).get("$ref", "")
        shape = resolved(document, name) if name else {}
        if verb == "POST" and "recorded" in shape.get("properties", {}) and path not in without:
            assert keyed, path


def test_what_is_not_as_documented_is_found_out(document: dict[str, Any]) -> None:
    """A field too many, too few, of another kind or out of its list: each is told."""
    schema = {"$ref": "#/components/schemas/ContactAnswer"}
    number = {"number": "+1", "opted_out": True, "opt_out_source": None, "consent": "none"}
    right = {"opted_out": True, "numbers": [number]}
    assert list(misfits(document, schema, right)) == []
    for wrong in (
        {"opted_out": True},
        {**right, "more": 1},
        {**right, "opted_out": 1},
        {**right, "numbers": [{**number, "consent": "maybe"}]},
        {**right, "numbers": [{**number, "opt_out_source": 7}]},
    ):
        assert len(list(misfits(document, schema, wrong))) == 1, wrong


def test_every_operation_says_how_it_is_secured(document: dict[str, Any]) -> None:
    """By a key, or by none where there is a signature or nothing to protect."""
    scheme = document["components"]["securitySchemes"]["key"]
    assert scheme == {"type": "http", "scheme": "bearer"}
    for operation_id, operation in operations(document).items():
        security = operation.get("security", document.get("security"))
        assert security == ([] if operation_id in WITHOUT_KEY else [{"key": []}]), operation_id


def test_every_body_and_every_answer_has_an_example(document: dict[str, Any]) -> None:
    """An example that works when pasted is worth a page of prose."""
    for operation_id, operation in operations(document).items():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content.get("schema", {})
            body = resolved(document, schema["$ref"]) if "$ref" in schema else schema
            assert content.get("example") or body.get("examples"), operation_id
        if operation_id in WITHOUT_KEY:
            continue
        for code in ("200", "201"):
            if code in operation["responses"]:
                kinds = operation["responses"][code]["content"].values()
                assert any(kind.get("example") for kind in kinds), (operation_id, code)


def test_limits_are_named(document: dict[str, Any]) -> None:
    """Section 2: how many items, how many characters, how many on a page."""
    schemas = document["components"]["schemas"]
    assert schemas["BatchCheckBody"]["properties"]["items"]["maxItems"] == 10_000
    assert schemas["InboundBody"]["properties"]["body"]["maxLength"] == 10_000
    for (verb, path), operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "limit":
                assert parameter["schema"]["maximum"] == 1_000, (verb, path)


def test_the_page_loads_nothing_from_elsewhere(service: Running) -> None:
    """It works offline: every source and link is its own."""
    answer = service.http.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    links = re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)""", page)
    assert links
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links)
    assert not re.search(r"@import|url\(|<script|<link|<iframe", page)


ASKED: Final = {"/v1/scrubs": "?purpose={purpose}"}
"""What a route needs in its URL."""


def test_the_page_shows_every_operation(service: Running, document: dict[str, Any]) -> None:
    """With its body by example, its fields and a command to paste."""
    page = service.http.get("/docs").text
    for verb, path in operations(document):
        assert f"{verb}</span><code>{path}</code>" in page
        assert (
            f"curl -s -X {verb} &#x27;{service.base_url}{path}{ASKED.get(path, '')}&#x27;" in page
        )
    for schema in document["components"]["schemas"].values():
        for value in schema.get("enum", ()):
            assert value in page
    assert "<td><code>contact_numbers</code><td>list of string, at most 20 items" in page
    assert "+14155550100" in page


def test_health_is_told_without_a_key(service: Running) -> None:
    """Alive, ready, and counted by route, for machines that watch."""
    assert service.http.get("/livez").json() == {"status": "ok"}
    assert service.http.get("/readyz").json() == {"status": "ok"}
    for path in ("/livez", "/readyz"):
        asked, found = service.http.get(path), service.http.head(path)
        assert (found.status_code, found.content) == (200, b"")
        assert found.headers["content-length"] == asked.headers["content-length"]
    assert service.http.post("/livez").headers["allow"] == "GET, HEAD"
    metrics = service.http.get("/metrics")
    assert 'route="/readyz"' in metrics.text
    assert metrics.headers["content-type"].startswith("text/plain")
