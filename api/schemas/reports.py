"""The report of opted-out numbers (contract section 6)."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from api.report.cursor import LONGEST
from api.schemas.base import Body, Instant, Number, example
from consent_ledger.words import Source

PAGE_LIMIT: Final = 1000
"""Numbers on a page of the report."""


class OptOutSummaryBody(Body):
    """What the report is narrowed to: source and time are those of the opt-out shown (R-V3)."""

    model_config = example(source="agent", number_prefix="0770")

    source: Source | None = None
    since: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    number_prefix: Number | None = None


class OptOutReportBody(OptOutSummaryBody):
    """The same, and which page; the whole report has no pages."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"source": "contact", "from": "2026-03-01T00:00:00Z", "limit": 50}]
        },
    )

    limit: Annotated[int, Field(strict=True, ge=1, le=PAGE_LIMIT)] | None = None
    cursor: Annotated[str, StringConstraints(max_length=LONGEST)] | None = None
