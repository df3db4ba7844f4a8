"""The report of opted-out numbers (contract section 6), and the blocked list."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from api.report.cursor import LONGEST
from api.schemas.base import Body, Instant, Number, PurposeName, example
from consent_ledger.words import Source

PAGE_LIMIT: Final = 1000
"""Numbers on a page of the report."""


class OptOutSummaryBody(Body):
    """What the report is narrowed to: source and time are those of the opt-out shown (R-V3)."""

    model_config = example(source="agent", number_prefix="0770")

    source: Source | None = None
    """Only opt-outs by this source."""
    since: Annotated[Instant | None, Field(alias="from")] = None
    """Only opt-outs at this time or later."""
    to: Instant | None = None
    """Only opt-outs before this time."""
    number_prefix: Number | None = None
    """Only numbers that begin so: E.164 with its plus, or the digits dialled at home; three at the
    least."""


class OptOutReportBody(OptOutSummaryBody):
    """The same, and which page; the whole report has no pages."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"source": "contact", "from": "2026-03-01T00:00:00Z", "limit": 50}]
        },
    )

    limit: Annotated[int, Field(strict=True, ge=1, le=PAGE_LIMIT)] | None = None
    """Numbers on a page; left out, 100."""
    cursor: Annotated[str, StringConstraints(max_length=LONGEST)] | None = None
    """The `next_cursor` of the page before, with the same filters."""


class PurposeBlockReportBody(Body):
    """What the blocked list is narrowed to, and which page (R-B1)."""

    model_config = example(purpose="recall", number_prefix="0770", limit=50)

    purpose: PurposeName | None = None
    """Only blocks of this purpose."""
    number_prefix: Number | None = None
    """Only numbers that begin so: E.164 with its plus, or the digits dialled at home; three at the
    least."""
    limit: Annotated[int, Field(strict=True, ge=1, le=PAGE_LIMIT)] | None = None
    """Blocks on a page; left out, 100."""
    cursor: Annotated[str, StringConstraints(max_length=LONGEST)] | None = None
    """The `next_cursor` of the page before, with the same filters."""
