"""Ids that others give, as an event may hold them."""

import re
from typing import Final

from api.schemas.base import is_number
from api.submit import digest

ID: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def opaque(name: str) -> str:
    """An id as an event may hold it: a digest of one that looks like a number, or like no id."""
    if ID.fullmatch(name) and not is_number(name):
        return name
    return digest(name.encode("utf-8", "surrogatepass")).hex
