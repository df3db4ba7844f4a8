"""Every problem of the interface: its code, the status it comes with, and when, in a sentence.

`docs/reference/problems.md` says more of each; a test holds it to this table.
"""

from typing import Final

STATUS_OF: Final[dict[str, int]] = {
    "malformed-json": 400,
    "idempotency-key-malformed": 400,
    "key-missing-or-unknown": 401,
    "credentials-missing": 401,
    "role-not-allowed": 403,
    "signature-mismatch": 403,
    "not-found": 404,
    "list-not-sent": 408,
    "opt-in-forbidden": 409,
    "consent-request-refused": 409,
    "import-not-ended": 409,
    "nothing-to-undo": 409,
    "already-released": 409,
    "not-releasable": 409,
    "webhook-endpoint-limit": 409,
    "endpoint-taken": 409,
    "body-too-large": 413,
    "unsupported-media-type": 415,
    "internal-error": 500,
    "too-many-followers": 503,
    "unavailable": 503,
}
"""Any other code of `WHEN` is about a field, so 422."""

WHEN: Final[dict[str, str]] = {
    "malformed-json": "The body is not JSON in UTF-8.",
    "idempotency-key-malformed": "An Idempotency-Key has 1 to 255 characters.",
    "key-missing-or-unknown": "Send a key: Authorization: Bearer KEY.",
    "credentials-missing": "Send the endpoint's user and password.",
    "role-not-allowed": "This key's role may not do this.",
    "signature-mismatch": "The request's signature does not match.",
    "not-found": "Nothing here has this id.",
    "list-not-sent": "The list did not come.",
    "opt-in-forbidden": "The contact or the carrier opted this number out.",
    "consent-request-refused": "A request for consent may not go now; `reason` says why.",
    "import-not-ended": "Wait until the import is done or failed.",
    "nothing-to-undo": "This import recorded nothing of its own.",
    "already-released": "Another claimant has this text, or it was handed out.",
    "not-releasable": "This text may not go, or not yet.",
    "webhook-endpoint-limit": "An account has at most 50 endpoints.",
    "endpoint-taken": "Another account has an endpoint of this name.",
    "body-too-large": "The body is over its limit.",
    "unsupported-media-type": "The body is of a kind that this route does not read.",
    "internal-error": "The ledger failed. Do not text; ask again.",
    "too-many-followers": "This process serves as many followers as it may. Try again.",
    "unavailable": "The ledger cannot answer now. Do not text; ask again.",
    "invalid-body": "The request does not fit; see errors.",
    "unknown-query": "The query names something that this route does not know.",
    "query-repeated": "The query says a thing twice.",
    "idempotency-key-reused": "This Idempotency-Key was used before with another body.",
    "missing": "Say who does this: an opaque user id.",
    "number-unparseable": "This is no phone number that can be read.",
    "number-column-missing": "The list has no column that names its numbers.",
    "number-column-repeated": "Several columns of the list may hold the number.",
    "answer-column-taken": "The list has a column that the answer would add.",
    "wrong-encoding": "Send the list in UTF-8.",
    "header-too-long": "The header of the list is too long.",
    "header-runs-on": "The header of the list seems to hold a row, or a number.",
    "import-unreadable": "No row of the list can be read.",
    "unknown-purpose": "The account has no such purpose.",
    "sent-by-required": "This account asks who sends a manual text.",
    "occurred-at-in-future": "A fact may not lie more than 5 minutes in the future.",
    "time-in-future": "A question about the past needs a past time.",
    "time-too-early": "No text was sent before 1970.",
    "time-too-late": "Nothing can be told of so late a time.",
    "expires-at-in-past": "The text would have expired already.",
    "disconnected-on-not-past": "The day of disconnection must be before today (UTC).",
    "secret-unusable": "This is not the kind of secret that the provider has.",
    "message-id-reused": "This message id was used for another number.",
    "unknown-preset": "There is no preset of this name.",
    "policy-refused": "The policy contradicts itself, or has a field that no policy has.",
    "set-up-refused": "The account's rules do not admit this.",
    "keyword-protected": "This word ends texts, whatever the account says.",
    "keyword-taken": "This word means something else already.",
    "keyword-unknown": "This is no default word of this kind.",
    "keyword-unusable": "This can be no word of a list.",
    "reply-unanswerable": "A text would ask the contact for a word that does not count.",
    "webhook-url-refused": "Webhooks go over https to hosts on the internet.",
    "webhook-malformed": "The request is signed, and yet cannot be read.",
    "unknown-type": "No event has this type.",
    "unknown-category": "No category has this name.",
    "unknown-state": "Messages are listed by state=releasable.",
    "cursor-malformed": "Use the next_cursor of the page before.",
    "cursor-of-other-filters": "This cursor belongs to a report with other filters.",
    "whole-report-has-no-pages": "A file has all rows; leave this out.",
    "prefix-too-short": "Numbers are looked for by three digits or more.",
    "prefix-unreadable": "A prefix has digits, a plus before them and separators.",
}
"""What the documentation shows as `detail`."""

KEYED: Final = ("idempotency-key-malformed", "idempotency-key-reused")
"""Of every route that takes an Idempotency-Key."""

TOLD: Final = ("number-unparseable", "occurred-at-in-future", "time-too-early", *KEYED)
"""Of every route that is told a fact about a number."""
ASKED: Final = ("number-unparseable", "unknown-purpose", "sent-by-required")
"""Of every route that is asked about a number."""


def status_of(code: str) -> int:
    """The status that a code comes with."""
    return STATUS_OF.get(code, 422)
