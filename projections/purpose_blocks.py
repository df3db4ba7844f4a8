"""The blocked list: every number with each purpose that staff blocked for it (R-B1)."""

from collections.abc import Iterable
from typing import Any

from consent_ledger.store.projection import Change, Column


class PurposeBlocks:
    """One row for each purpose that is blocked for a number.

    `version` names the fact that blocked it, the first since the block was last lifted: who did it,
    and how, is read there.
    """

    table = "purpose_blocks"
    columns = (
        Column("number_id", "uuid"),
        Column("purpose", "text"),
        Column("account_id", "uuid"),
        Column("since", "bigint"),
        Column("version", "integer"),
    )
    key = ("number_id", "purpose")
    removes = True

    def rows(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The blocks that began, or turned out to have begun at another time."""
        before, after = change.before.standing.blocks, change.after.standing.blocks
        if before == after:
            return ()
        return [
            (change.number_id, purpose, change.account_id, mark.at, mark.version)
            for purpose, mark in after.items()
            if before.get(purpose) != mark
        ]

    def gone(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The blocks that were lifted."""
        before, after = change.before.standing.blocks, change.after.standing.blocks
        return [(change.number_id, purpose) for purpose in before if purpose not in after]
