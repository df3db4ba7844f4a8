"""The fields of a schema as rows to read: place, type, limits and meaning."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

Json = dict[str, Any]

FEW: Final = 4
"""Values told where the field is; more are listed once for the whole page."""
LIMITS: Final = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
)


class Row(NamedTuple):
    """One field; `values` names a list of values that stands elsewhere on the page."""

    place: str
    kind: str
    values: str | None
    required: bool
    meaning: str


def resolved(document: Json, schema: Json) -> Json:
    """What a schema refers to, or itself."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return dict(document["components"]["schemas"][name]) if name else schema


def rows(document: Json, schema: Json, place: str = "") -> Iterator[Row]:
    """Every field of an object, and of the objects in it."""
    seen = set()
    for each in _variants(document, schema):
        required = set(each.get("required", ()))
        for name, field in each.get("properties", {}).items():
            if name in seen:
                continue
            seen.add(name)
            kind, values = kind_of(document, field)
            limits = ", ".join(_limits(field))
            told = f"{kind}, {limits}" if limits else kind
            meaning = field.get("description", "")
            yield Row(f"{place}{name}", told, values, name in required, meaning)
            yield from rows(document, _inside(document, field), f"{place}{name}{_mark(field)}")


def _variants(document: Json, schema: Json) -> Iterator[Json]:
    found = resolved(document, schema)
    for each in found.get("anyOf", ()):
        yield from _variants(document, each)
    yield found


def _inside(document: Json, field: Json) -> Json:
    """What the fields of a field are of: of a list, or of a map, those of its items."""
    for each in _variants(document, field):
        items = each.get("items") or each.get("additionalProperties")
        if isinstance(items, dict):
            return items
    return field


def _mark(field: Json) -> str:
    whole = [field, *field.get("anyOf", ())]
    if any("items" in each for each in whole):
        return "[]."
    return ".*." if any("additionalProperties" in each for each in whole) else "."


def kind_of(document: Json, field: Json) -> tuple[str, str | None]:
    """The type of a field in words, and where many values are listed."""
    if "anyOf" in field:
        told = [kind_of(document, each) for each in field["anyOf"]]
        kinds = dict.fromkeys(kind for kind, _ in told)
        return " or ".join(kinds), next((values for _, values in told if values), None)
    found = resolved(document, field)
    if "enum" in found:
        return _choice(field, found["enum"])
    if "const" in found:
        return f"“{found['const']}”", None
    if "items" in found:
        kind, values = kind_of(document, found["items"])
        return f"list of {kind}", values
    return found.get("format") or found.get("type", "any value"), None


def _choice(field: Json, values: list[Any]) -> tuple[str, str | None]:
    name = field.get("$ref", "").rpartition("/")[2]
    if name and len(values) > FEW:
        return name, name
    return "one of " + ", ".join(f"“{value}”" for value in values), None


def _limits(field: Json) -> Iterator[str]:
    for each in (field, *field.get("anyOf", ())):
        for keyword, text in LIMITS:
            if keyword in each:
                yield text.format(f"{each[keyword]:,}")
