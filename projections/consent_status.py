"""The current consent status of a number with the source of its opt-out: what a check reads.

Its snapshot is also what a command starts from, so that neither reads the stream.
"""

from collections.abc import Iterable
from typing import Any, Final

from consent_ledger.store.codec import encode_snapshot
from consent_ledger.store.projection import Change, Column
from consent_ledger.words import Purpose

_SHOWN: Final = str(Purpose.CONVERSATION)


class ConsentStatus:
    """One row a number; the readable columns are for people who look with SQL."""

    table = "consent_status"
    columns = (
        Column("number_id", "uuid"),
        Column("account_id", "uuid"),
        Column("version", "integer"),
        Column("position", "position"),
        Column("consent", "text"),
        Column("opt_out_source", "text"),
        Column("do_not_text", "boolean"),
        Column("under_review", "boolean"),
        Column("snapshot", "bytea"),
    )
    key = ("number_id",)
    removes = False

    def rows(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The one row of the number."""
        after = change.after
        standing, version = after.standing, after.version
        opt_outs = standing.opt_outs
        row = (
            change.number_id,
            change.account_id,
            version,
            change.ordinals[version],
            str(standing.consent(_SHOWN)),
            str(opt_outs[0][0]) if opt_outs else None,
            standing.do_not_text,
            bool(standing.reviews),
            encode_snapshot(after),
        )
        return (row,)

    def gone(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """A number stays for ever, also when its person is erased."""
        return ()
