"""A name that stands twice in a JSON body: nobody can know which of its two values counts.

Readers of JSON mostly take the last one without a word. Then `{"manual": false, "manual": true}` is
a question that nobody asked, and a consent can be to what nobody agreed to.
"""

import json
from collections import Counter
from typing import Any, Final

from pydantic import BaseModel

from api.schemas.batch import BatchBody

_SPACE: Final = b" \t\r\n"
REPEATED: Final = "A name stands here twice, so it cannot be known which value counts."


class Named(dict[str, Any]):
    """An object that is unclear: `repeated` is a name that it has twice itself, and `unclear` that
    one, or one whose value holds such an object."""

    __slots__ = ("repeated", "unclear")

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counted = Counter(name for name, _ in pairs)
        self.repeated = next((name for name in counted if counted[name] > 1), None)
        within = (name for name, value in pairs if is_unclear(value))
        self.unclear: str = self.repeated or next(within, "")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) or any(map(is_unclear, found.values())):
        return Named(pairs)
    return found


def is_unclear(value: Any) -> bool:
    """Whether an object in what `read_named` read has a name twice."""
    kind = type(value)
    return kind is Named or (kind is list and any(map(is_unclear, value)))


def read_named(body: bytes) -> Any:
    """The JSON, what is unclear of it as Named; None where it is none, which is told elsewhere."""
    try:
        return json.loads(body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def is_surely_clear(read: BaseModel, body: bytes) -> bool:
    """Whether a body that was read has each name once; some that do are to be looked at closely.

    Every name ends in a quote and a colon. Where there are no more of those than fields that were
    set, none is there twice: that is known in less than half a microsecond, as every check asks.
    """
    written = body.translate(None, _SPACE).count(b'":')
    fields = len(read.__pydantic_fields_set__)
    if written == fields:
        return True
    if isinstance(read, BatchBody):
        items = vars(read)["items"]
        return written == fields + sum(len(item.__pydantic_fields_set__) for item in items)
    return written == _count_names(read)


def _count_names(value: Any) -> int:
    if isinstance(value, BaseModel):
        fields = value.__pydantic_fields_set__
        return len(fields) + sum(_count_names(getattr(value, name)) for name in fields)
    if type(value) is dict:
        return len(value) + sum(map(_count_names, value.values()))
    return sum(map(_count_names, value)) if type(value) is list else 0
