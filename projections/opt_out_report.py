"""Every standing opt-out with its source: the admin's report (R-V3)."""

from collections.abc import Iterable
from typing import Any

from consent_ledger.store.projection import Change, Column
from consent_ledger.words import Source


class OptOutReport:
    """One row for each source that has an opt-out standing on a number."""

    table = "opt_out_report"
    columns = (
        Column("number_id", "uuid"),
        Column("source", "text"),
        Column("account_id", "uuid"),
        Column("since", "bigint"),
        Column("version", "integer"),
        Column("by", "text"),
        Column("channel", "text"),
    )
    key = ("number_id", "source")
    removes = True

    def rows(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The opt-outs that began to stand, or turned out to have begun at another time."""
        for source in Source:
            found = change.after.standing.opt_out_by(source)
            if found is not None and found != change.before.standing.opt_out_by(source):
                yield (
                    change.number_id,
                    str(source),
                    change.account_id,
                    found.mark.at,
                    found.mark.version,
                    found.by,
                    found.channel,
                )

    def gone(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The opt-outs that were lifted."""
        for source in Source:
            stood = change.before.standing.opt_out_by(source)
            if stood is not None and change.after.standing.opt_out_by(source) is None:
                yield (change.number_id, str(source))
