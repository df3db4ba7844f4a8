"""Where a page of a list begins."""

from api.problems import invalid


def read_place(cursor: str | None) -> int:
    """The place after which a page begins, from the cursor of the page before; a 422 for others."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 18:
        raise invalid("cursor", "cursor-malformed", "Use the next_cursor of the page before.")
    return int(cursor)
