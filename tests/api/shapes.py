"""Whether a value has the shape that the OpenAPI document gives it, told by every place it has not.

Only what the document uses is known; a keyword that is not is an error, so that none is passed
over. A field that the document does not name is one, too: nothing is answered undocumented.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

Json = dict[str, Any]

TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
FORMATS: Final = {
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "uuid": UUID,
    "binary": str,
}
LOOKED_AT: Final = 20
"""Items of a list that are looked at: ten thousand answers of one kind are like the first."""
SAID: Final = {"description", "title", "default", "examples"}
"""Keywords that no value can break."""


def misfits(document: Json, schema: Json, value: Any, at: str = "") -> Iterator[str]:
    """Every place where a value is not as the schema says."""
    for keyword, said in schema.items():
        if keyword not in SAID:
            yield from CHECKS[keyword](document, schema, said, value, at)


def _ref(document: Json, schema: Json, said: str, value: Any, at: str) -> Iterator[str]:
    found: Any = document
    for part in said.removeprefix("#/").split("/"):
        found = found[part]
    yield from misfits(document, found, value, at)


def _type(document: Json, schema: Json, said: str, value: Any, at: str) -> Iterator[str]:
    wanted = TYPES[said]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        yield f"{at} is no {said}: {value!r}"


def _properties(document: Json, schema: Json, said: Json, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if name in said:
            yield from misfits(document, said[name], item, f"{at}/{name}")
        elif not isinstance(schema.get("additionalProperties"), dict):
            yield f"{at}/{name} is not documented"


def _others(document: Json, schema: Json, said: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            yield from misfits(document, said, value[name], f"{at}/{name}")


def _required(document: Json, schema: Json, said: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at}/{name} is missing" for name in said if name not in value)


def _items(document: Json, schema: Json, said: Json, value: Any, at: str) -> Iterator[str]:
    for place, item in enumerate(value[:LOOKED_AT] if isinstance(value, list) else ()):
        yield from misfits(document, said, item, f"{at}/{place}")


def _any_of(document: Json, schema: Json, said: Any, value: Any, at: str) -> Iterator[str]:
    tried = [list(misfits(document, each, value, at)) for each in said]
    if all(tried):
        yield from min(tried, key=len)


def _enum(document: Json, schema: Json, said: Any, value: Any, at: str) -> Iterator[str]:
    if value not in said:
        yield f"{at} is none of {said}: {value!r}"


def _const(document: Json, schema: Json, said: Any, value: Any, at: str) -> Iterator[str]:
    if value != said:
        yield f"{at} is not {said!r}: {value!r}"


def _pattern(document: Json, schema: Json, said: str, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str) and not re.search(said, value):
        yield f"{at} does not match {said}"


def _format(document: Json, schema: Json, said: str, value: Any, at: str) -> Iterator[str]:
    try:
        FORMATS[said](value) if isinstance(value, str) else None
    except ValueError:
        yield f"{at} is no {said}: {value!r}"


def _least(document: Json, schema: Json, said: int, value: Any, at: str) -> Iterator[str]:
    size = value if isinstance(value, (int, float)) else len(value or ())
    if value is not None and size < said:
        yield f"{at} is less than {said}"


def _most(document: Json, schema: Json, said: int, value: Any, at: str) -> Iterator[str]:
    size = value if isinstance(value, (int, float)) else len(value or ())
    if value is not None and size > said:
        yield f"{at} is more than {said}"


CHECKS: Final = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _others,
    "required": _required,
    "items": _items,
    "anyOf": _any_of,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "format": _format,
    "minimum": _least,
    "minLength": _least,
    "minItems": _least,
    "maximum": _most,
    "maxLength": _most,
    "maxItems": _most,
}
