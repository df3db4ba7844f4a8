"""What the page of blocked communications shows: its filters, its page, and what was said last."""

import re
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Form

from api.report.blocked import BlockFilters
from api.report.prefixes import read_ranges

PATH: Final = "/admin/blocked"
PURPOSE: Final = "[a-z][a-z0-9_]{0,63}"
"""What a purpose is named."""


class Typed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was filled in to block a number, and the field that it cannot be done for."""

    number: str = ""
    purposes: list[str] = []
    wrong: str = ""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, tag="blocked"):
    """What the list is narrowed to, as the form has it, and the page of it."""

    purpose: str = ""
    number_prefix: str = ""
    cursor: str = ""
    typed: Typed = Typed()
    said: str = ""
    error: str = ""

    def filters(self) -> BlockFilters:
        """The list's own filters; Problem where a field cannot be read."""
        return BlockFilters(self.purpose or None, read_ranges(self.number_prefix.strip() or None))

    def quiet(self) -> "Asked":
        """The same page without what was said and typed last."""
        return msgspec.structs.replace(self, said="", error="", typed=Typed())


def asked(
    purpose: Annotated[str, Form(max_length=64)] = "",
    number_prefix: Annotated[str, Form(max_length=30)] = "",
) -> Asked:
    """The form's filters; what the form does not offer narrows nothing."""
    return Asked(purpose if re.fullmatch(PURPOSE, purpose) else "", number_prefix)


List = Annotated[Asked, Depends(asked)]
