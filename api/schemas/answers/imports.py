"""Lists from elsewhere (contract section 4)."""

from typing import Literal

from api.schemas.answers.base import Answered, Id, Items, Moment
from api.schemas.imports import Status as RowStatus

ImportState = Literal["receiving", "waiting", "running", "done", "failed", "undoing", "undone"]


class Import(Answered):
    """How far an import is, and what its rows came to."""

    import_id: Id
    """The import's id."""
    state: ImportState
    """It has ended with `done`, `failed` or `undone`; until then, ask again."""
    dry_run: bool
    """Whether it only tells the effect, and records nothing."""
    file_digest: str | None
    """SHA-256 of the list, in hexadecimal."""
    same_as: Id | None
    """The import that took in the same list before: then this one changes nothing."""
    explanation: str | None
    """What that means for who expects a change, as a sentence; null where nothing is to be told."""
    rows: int
    """Rows read so far."""
    accepted: int
    """Rows of which something was recorded."""
    unchanged: int
    """Rows that say what was on record."""
    rejected: int
    """Rows that were refused as a whole."""
    partly_rejected: int
    """Rows, among the accepted and unchanged, of which some phone cell was refused."""
    would_opt_out: int | None = None
    """Of a dry run: numbers that it would opt out."""
    would_opt_in: int | None = None
    """Of a dry run: numbers that it would give consent, with nothing that bars them."""
    failed_because: str | None
    """Why it failed, as a sentence."""
    created_at: Moment
    """When it was sent."""
    finished_at: Moment | None
    """When it ended."""


class CellProblem(Answered):
    """What is wrong with a row, or with one cell of it."""

    column: str | None
    """The column; null where it is the row."""
    code: str
    """A code of the table in docs/reference/http.md."""
    detail: str
    """The same as a sentence."""


class ImportRow(Answered):
    """What a row came to."""

    row: int
    """Its line in the list, the header being line 1 of a CSV."""
    ref: str | None
    """Its own `ref`."""
    status: RowStatus
    """What it came to."""
    recorded: list[str]
    """The types of the events that it recorded."""
    number_ids: list[Id]
    """The ids of its numbers."""
    problems: list[CellProblem]
    """What is wrong with it."""


class ImportPage(Items[Import]):
    """Imports, the latest first."""


class ImportRowPage(Items[ImportRow]):
    """Rows in the order of the list."""
