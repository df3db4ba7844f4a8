"""An import as it is told: to who sent it, and in the list of all."""

from typing import Any, Final

from api import render
from api.importing import book
from api.problems import Problem

SAME_LIST: Final = (
    "This list was imported before, so nothing is recorded of it again: what contacts and staff"
    " have said since stays. To have all of its rows count anew, undo that import and send it once"
    " more."
)
IMPORT: Final[dict[str, Any]] = {
    "import_id": "0b9a2c1e-5d6f-4a3b-8c7d-9e0f1a2b3c4d",
    "state": "done",
    "dry_run": False,
    "file_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "same_as": None,
    "explanation": None,
    "rows": 3,
    "accepted": 1,
    "unchanged": 1,
    "rejected": 1,
    "partly_rejected": 0,
    "failed_because": None,
    "created_at": "2026-03-04T10:00:00Z",
    "finished_at": "2026-03-04T10:00:01Z",
}
"""For the documents."""


def not_found() -> Problem:
    """Of an id that is no import of the account."""
    return Problem(404, "not-found", "No import has this id.")


def shown_import(found: book.Import) -> dict[str, Any]:
    """How far it is, and what its rows came to."""
    would = {"would_opt_out": found.would_opt_out, "would_opt_in": found.would_opt_in}
    return {
        "import_id": str(found.import_id),
        "state": found.state,
        "dry_run": found.dry_run,
        "file_digest": found.file_digest,
        "same_as": None if found.same_as is None else str(found.same_as),
        "explanation": None if found.same_as is None else SAME_LIST,
        "rows": found.rows,
        "accepted": found.accepted,
        "unchanged": found.unchanged,
        "rejected": found.rejected,
        "partly_rejected": found.partly_rejected,
        **(would if found.dry_run else {}),
        "failed_because": found.failed_because,
        "created_at": render.instant(found.instant),
        "finished_at": render.instant(found.finished_at if found.state in book.ENDED else None),
    }
