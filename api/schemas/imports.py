"""What can be asked of an import (contract section 4)."""

from enum import StrEnum


class Status(StrEnum):
    """What a row came to. Asked for by `rejected`, a row of which one cell was refused is too."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
