"""What answers are made of. Each field has its meaning below it; the document shows both."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time, RFC 3339 in UTC."""
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]

NUMBER_ID = "The opaque id of the number. It is no phone number, and may be logged."
NUMBER_VERSION = "How many events the number has; 0 where nothing was ever recorded."
POSITION = "A place in the ledger. Opaque, and it only grows."
RECORDED = "The types of the events that this request recorded; empty for a repetition."

Item = TypeVar("Item")


class Answered(BaseModel):
    """An answer: documented here, and built nowhere from this class."""

    model_config = ConfigDict(defer_build=True)


class FieldError(Answered):
    """What is wrong with one field. The value that was sent is nowhere."""

    pointer: str
    """Where: a JSON pointer into the body, or a slash and the name of a query parameter."""
    code: str
    """What, stable."""
    detail: str
    """The same as a sentence."""


class Items(Answered, Generic[Item]):
    """A list, or a page of one."""

    items: list[Item]
    """In the order that the route tells."""
    next_cursor: str | None
    """Ask with it as `cursor` for what follows; null where nothing does."""


class Receipt(Answered):
    """What was recorded, and where it lies."""

    number_id: Annotated[Id, Field(description=NUMBER_ID)]
    number_version: Annotated[int, Field(description=NUMBER_VERSION)]
    position: Annotated[int, Field(description=POSITION)]
    recorded: Annotated[list[str], Field(description=RECORDED)]
