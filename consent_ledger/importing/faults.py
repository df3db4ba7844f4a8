"""What can be wrong with a row of an imported list; no fault repeats what a cell holds."""

from typing import Final, NamedTuple

DETAILS: Final = {
    "number-missing": "The row has no phone number.",
    "number-unparseable": "This is no phone number that can be read.",
    "number-damaged": "A spreadsheet has changed this number; its digits cannot be trusted.",
    "code-apart": (
        "The number has no plus, and a code of another country or of an area stands beside it;"
        " write whole numbers with a plus."
    ),
    "opt-out-unreadable": "sms_opt_out is TRUE, FALSE or empty.",
    "opt-out-unclear": "opt_out_source names who opted out, and sms_opt_out says nothing.",
    "source-unknown": "opt_out_source is contact, agent, system or empty.",
    "consent-unknown": "consent is granted, declined, revoked, none or empty.",
    "level-unknown": "level is implied, express, express_written or empty.",
    "unknown-purpose": "The account has no such purpose.",
    "time-unreadable": "occurred_at is a time with its zone, such as 2026-03-04T10:00:00Z.",
    "time-without-zone": "occurred_at must name its zone, such as Z or +01:00.",
    "time-too-early": "occurred_at lies before 1970.",
    "occurred-at-in-future": "A fact may not lie more than 5 minutes in the future.",
    "row-unreadable": "The row is not JSON, or no object of texts, numbers and booleans.",
    "row-too-long": "The row is longer than 65,536 characters.",
    "row-too-short": "The row has fewer cells than the header.",
    "row-too-long-for-header": "The row has more cells than the header.",
    "quoting-broken": "A quotation mark opens a cell and none closes it.",
    "row-in-cell": (
        "A quoted cell of the row holds a line that reads as another row of the list; close the"
        " quotation mark where the cell ends, or write the cell on one line."
    ),
    "columns-unclear": (
        "The row names no phone column, one column twice, or a number, a time, an opt-out or a"
        " consent under another name; call them `phone2`, `occurred_at`, `sms_opt_out` and"
        " `consent`, or leave them out."
    ),
    "header-repeated": (
        "Names of columns stand in this row or one above it, below the header; if they differ from"
        " the header's, send the parts as files of their own, without titles."
    ),
    "opt-out-aside": (
        "A column that is left aside says that the contact opted out: if so, put TRUE into a column"
        " `sms_opt_out`; if it speaks of something else, leave it out."
    ),
    "column-untitled": (
        "The row has something in a column without a name; name the column, or leave it out."
    ),
    "record-unreadable": "What is on record cannot be read; nothing was changed.",
}
"""What is wrong with a row, by its code; no detail repeats a value."""


class Fault(NamedTuple):
    """What is wrong with a cell, or with the whole row where the column is None."""

    column: str | None
    code: str


class FaultError(Exception):
    """A cell that makes its row, or a number of it, unusable."""

    def __init__(self, column: str | None, code: str) -> None:
        super().__init__(code)
        self.fault = Fault(column, code)
