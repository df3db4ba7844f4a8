"""What a report of opt-outs is narrowed to (R-V3)."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from consent_ledger.prefix import Range
from consent_ledger.words import Source


class Filters(msgspec.Struct, frozen=True, array_like=True):
    """All of them apply to the opt-out shown of a number; None narrows nothing.

    `since` and `before` are microseconds since 1970, the first included and the second not.
    `ranges` are those of the number's first digits.
    """

    source: Source | None = None
    since: int | None = None
    before: int | None = None
    ranges: tuple[Range, ...] | None = None

    @property
    def digest(self) -> str:
        """The same for the same report, however its prefix was typed."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


def conditions_of(filters: Filters) -> list[str]:
    """What narrows `opt_outs_shown`, called s.

    Only what applies, so that the plan is that of the question.
    """
    given = {
        "AND s.source = %(source)s": filters.source,
        "AND s.since >= %(since)s": filters.since,
        "AND s.since < %(before)s": filters.before,
    }
    return [condition for condition, value in given.items() if value is not None]


def report_params(account_id: UUID, filters: Filters) -> dict[str, Any]:
    """The parameters that the conditions of a report name."""
    ranges = filters.ranges or ()
    return {
        "account_id": account_id,
        "source": filters.source and str(filters.source),
        "since": filters.since,
        "before": filters.before,
        "starts": [each.start for each in ranges],
        "ends": [each.end for each in ranges],
    }
