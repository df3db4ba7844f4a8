"""Texts that are held, and which of them may be ready to go (contract section 5).

`ready` is what the number's facts say; the policy, the hour and the permissions of the moment are
asked again when a list is made and when a text is released.
"""

from collections.abc import Iterable
from typing import Any

from consent_ledger.store.codec import encode_held
from consent_ledger.store.projection import Change, Column


class DeferredMessages:
    """One row for each text that waits or waited; its place is that of its latest question."""

    table = "deferred_messages"
    columns = (
        Column("number_id", "uuid"),
        Column("message_id", "text"),
        Column("account_id", "uuid"),
        Column("position", "position"),
        Column("state", "text"),
        Column("ready", "boolean"),
        Column("policy_version", "integer"),
        Column("held", "bytea"),
    )
    key = ("number_id", "message_id")
    removes = False

    def rows(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The texts whose fate or readiness changed."""
        before, after = change.before.standing, change.after.standing
        for message_id, held in change.held.items():
            was = change.held_before.get(message_id)
            ready = held.may_be_ready(after)
            if held is was and ready == held.may_be_ready(before):
                continue
            yield (
                change.number_id,
                message_id,
                change.account_id,
                change.ordinals.get(held.version),
                str(held.state),
                ready,
                held.policy_version,
                encode_held(held),
            )

    def gone(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """A text keeps its row, so that its fate can be told."""
        return ()
