"""The items of a batch, each by itself: one that cannot be read has its own problem."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from api.problems import Problem, shape_errors
from api.repeated_names import REPEATED, Named
from api.schemas.base import Body, OpaqueId
from api.schemas.batch import BatchBody

SLICE: Final = 200
"""Items handled before other requests get their turn: some 5 ms, so a batch delays no check."""

Item = TypeVar("Item", bound=Body)

_CORRELATION_ID: Final[TypeAdapter[str]] = TypeAdapter(OpaqueId)


class Unread:
    """An item that does not fit: its problem, and the id by which its sender knows it."""

    __slots__ = ("correlation_id", "problem")

    def __init__(self, problem: Problem, correlation_id: str | None) -> None:
        self.problem = problem
        self.correlation_id = correlation_id

    def told(self) -> dict[str, Any]:
        """What is wrong with it, as an answer has it."""
        found = self.problem
        return {"code": found.code, "detail": found.detail, "errors": found.errors}


async def read_items(
    body: BatchBody, read: Sequence[Item], kind: type[Item]
) -> Sequence[Item | Unread]:
    """The items of a body in their order: as they were read with it, or else one by one."""
    if body.unread is None:
        return read
    found: list[Item | Unread] = []
    for done, item in enumerate(body.unread):
        if done % SLICE == 0:
            await asyncio.sleep(0)
        found.append(_read(kind, item))
    return found


def _read(kind: type[Item], item: Any) -> Item | Unread:
    try:
        read = kind.model_validate(item)
    except ValidationError as error:
        errors = shape_errors(error.errors(include_url=False, include_input=False))
        return Unread(_unfit(errors), _correlation_id(item))
    if isinstance(item, Named):
        fault = {"loc": (item.unclear,), "type": "name_repeated", "msg": REPEATED}
        own = None if item.unclear == "correlation_id" else _correlation_id(item)
        return Unread(_unfit(shape_errors([fault])), own)
    return read


def _unfit(errors: list[dict[str, str]]) -> Problem:
    """With the code of the same item as a body of its own."""
    return Problem(422, "invalid-body", "The item does not fit; see errors.", errors=errors)


def _correlation_id(item: Any) -> str | None:
    """What the sender knows an item by, where that much of it can be read."""
    try:
        given = item.get("correlation_id") if isinstance(item, dict) else None
        return _CORRELATION_ID.validate_python(given, strict=True)
    except ValidationError:
        return None
