"""What each field of a model means: the sentence below it in the source.

Pydantic can read them too, but does so when a class is made; this is done when the document is
asked for, so that a start of the service pays nothing for it.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel


def describe(schemas: dict[str, Any], kinds: Iterator[type[BaseModel]]) -> None:
    """Puts the meanings into the schemas of these models."""
    for kind in kinds:
        properties = schemas.get(kind.__name__, {}).get("properties", {})
        meanings = {name: text for each in reversed(kind.__mro__) for name, text in _of(each)}
        for name, field in kind.model_fields.items():
            shown = properties.get(field.alias or name)
            if shown is not None and name in meanings:
                shown.setdefault("description", meanings[name])


def _of(kind: type) -> list[tuple[str, str]]:
    return _in_module(kind.__module__).get(kind.__name__, []) if issubclass(kind, BaseModel) else []


@cache
def _in_module(name: str) -> dict[str, list[tuple[str, str]]]:
    if not name.startswith("api."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name: list(_below_fields(node)) for node in classes}


def _below_fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(node.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str() as text)):
                yield name, " ".join(text.split())
