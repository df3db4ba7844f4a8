"""Bodies with many items. They are read as a whole; where that fails, the items are kept as they
came, so that each can be read by itself and one bad row holds back no other."""

import json
from typing import Any, Final, Self

import pydantic_core
from pydantic import Field, PrivateAttr, ValidationError

from api.schemas.base import Body

BATCH_LIMIT: Final = 10_000
"""Items in a batch (contract section 3)."""
Limited: Final = Field(max_length=BATCH_LIMIT)


class BatchBody(Body):
    """A body with `items`; `unread` are those that have still to be read one by one."""

    _unread: list[Any] | None = PrivateAttr(default=None)

    @property
    def unread(self) -> list[Any] | None:
        """The items as they came, where they could not be read as a whole."""
        return self._unread

    def read_one_by_one(self, items: list[Any]) -> None:
        """What is wrong with an item is to be told of it alone."""
        self._unread = items

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """The body; a ValidationError about the items only where they are no list or too many."""
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError:
            whole = _loaded(json_data)
            items = whole.get("items") if isinstance(whole, dict) else None
            if not isinstance(items, list) or len(items) > BATCH_LIMIT:
                raise
        # What is wrong beside the items is wrong for all of them.
        found = super().model_validate_json(json.dumps({**whole, "items": []}), **options)
        found.read_one_by_one(items)
        return found


def _loaded(data: str | bytes | bytearray) -> Any:
    """The JSON as Python has it; None where it is none.

    Half a surrogate pair, as a text that was cut within an emoji has it, is an error of one item.
    """
    try:
        return pydantic_core.from_json(data)
    except ValueError:
        pass
    try:
        return json.loads(data if isinstance(data, str) else data.decode())
    except (ValueError, RecursionError):
        return None
