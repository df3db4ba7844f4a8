"""Every standing opt-out with its source: the admin's report (R-V3)."""

from collections.abc import Iterable
from typing import Any, Final

from consent_ledger.standing import OptOut, Standing
from consent_ledger.store.projection import Change, Column
from consent_ledger.words import Source


class OptOutReport:
    """One row for each source that has an opt-out standing on a number.

    `shown` is true on one of them, the hardest to lift: the number's row in the report. `purposes`
    are those that the contact's STOP ended, where the policy let it end only some.
    """

    table = "opt_out_report"
    columns = (
        Column("number_id", "uuid"),
        Column("source", "text"),
        Column("account_id", "uuid"),
        Column("since", "bigint"),
        Column("version", "integer"),
        Column("by", "text"),
        Column("channel", "text"),
        Column("shown", "boolean"),
        Column("purposes", "text"),
    )
    key = ("number_id", "source")
    removes = True

    def rows(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The opt-outs that began to stand, that turned out to have begun at another time, or that
        another one began to cover or no longer covers."""
        before, after = _standing(change.before.standing), _standing(change.after.standing)
        return [
            _row(change, source, *found)
            for source, found in after.items()
            if before.get(source) != found
        ]

    def gone(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The opt-outs that were lifted."""
        before, after = _standing(change.before.standing), _standing(change.after.standing)
        for source in before.keys() - after.keys():
            yield (change.number_id, str(source))


def _row(
    change: Change, source: Source, found: OptOut, shown: bool, purposes: str | None
) -> tuple[Any, ...]:
    return (
        change.number_id,
        str(source),
        change.account_id,
        found.mark.at,
        found.mark.version,
        found.by,
        found.channel,
        shown,
        purposes,
    )


def _standing(standing: Standing) -> dict[Source, tuple[OptOut, bool, str | None]]:
    """The opt-outs that stand, each with whether it is the one shown and the purposes it ended."""
    stand: dict[Source, tuple[OptOut, bool, str | None]] = {}
    for source, found in standing.opt_outs:
        ended = _ended(standing) if source is _CONTACT else None
        stand[source] = (found, not stand, ended)
    return stand


_CONTACT: Final = Source.CONTACT


def _ended(standing: Standing) -> str | None:
    """The purposes that the contact's STOP ended; None is all of them."""
    return " ".join(sorted(standing.scoped)) if standing.contact is None else None
