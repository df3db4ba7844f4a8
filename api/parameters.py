"""What the parameters of the interface mean, for the OpenAPI document."""

from typing import Any, Final

from api.submit import KEY_LIMIT

PARAMETERS: Final = {
    "limit": "Items on a page.",
    "cursor": "The `next_cursor` of the page before.",
    "number_id": "The opaque id of a number: `POST /v1/numbers/lookup` tells it.",
    "message_id": "Your own id of the text.",
    "review_id": "The id of a review, from a reply's answer or the list.",
    "kept_id": "The id of a text from an unreadable sender, from the list.",
    "location_id": "The location's id.",
    "sending_number_id": "The opaque id of a number that the account sends from.",
    "user_id": "The user's opaque id.",
    "group_id": "The group's id.",
    "key_id": "The key's id, from the list.",
    "import_id": "The import's id.",
    "endpoint_id": "The webhook endpoint's id.",
    "endpoint": "The provider endpoint's name: part of the URL that the provider calls.",
    "provider": "The provider.",
    "kind": "Which reply or request.",
    "language": "The language whose wording is meant; left out, the one for all.",
    "state": "Only `releasable`.",
    "status": "Only rows that came to this.",
    "dry_run": "Tell the effect, and record nothing.",
    "type": "Types of events, with commas between.",
    "category": "Kinds of events, with commas between: docs/reference/http.md has them.",
    "from": "What happened at this time or later.",
    "to": "What happened before this time.",
    "q": "A part of what was said, or of the reason given, in any case of letters.",
    "as_of": "Answer for this past moment, with all that is known now.",
    "known_at": "Answer with what the ledger had recorded by this past moment.",
    "after": "A position: events behind it. `now` is those that are recorded from now on.",
    "wait": "Seconds to wait for an event where there is none.",
    "user": "Only replies to this user's texts.",
    "accept": "`text/event-stream` streams the events.",
    "last-event-id": "Of a stream: the id of the last event that came, in place of `after`.",
    "purpose": "Why the texts would go out: a purpose of the account's policy.",
    "location": "The account's location that they would come from.",
    "sent_by": "The user who would send them, by an opaque id.",
    "manual": "Whether a person is about to send them.",
    "time_zone": "Where the contacts live, for permitted hours, such as `America/Chicago`.",
}
"""What a parameter means, by its name: a name has one meaning on every route."""
IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body gets the stored answer: it counts once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT},
}
