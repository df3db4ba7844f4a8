"""Every route that needs a key: who may use it (contract), and a body that it takes."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from tests.api.clinic import ANN, DESK, fresh

EVERYONE: Final = frozenset({"sender", "agent", "admin", "auditor"})
SENDER: Final = frozenset({"sender"})
ADMIN: Final = frozenset({"admin"})
FOLLOWERS: Final = frozenset({"admin", "auditor", "sender"})
ONLOOKERS: Final = frozenset({"admin", "auditor"})
PEOPLE: Final = frozenset({"agent", "admin", "auditor"})
STAFF: Final = frozenset({"agent", "admin"})
SENDER_OR_AGENT: Final = frozenset({"sender", "agent"})
SENDER_OR_ADMIN: Final = frozenset({"sender", "admin"})
WRITERS: Final = frozenset({"sender", "agent", "admin"})

NO_NUMBER: Final = UUID(int=0)
"""The id of a number that no account has."""
NO_REVIEW: Final = f"{NO_NUMBER.hex}-1"


class Route(NamedTuple):
    """One operation: where, who, and what is sent."""

    method: str
    path: str
    roles: frozenset[str]
    body: dict[str, Any] | None = None

    @property
    def operation(self) -> tuple[str, str]:
        """Its name in the OpenAPI document."""
        return self.method, self.path

    def url(self, **ids: object) -> str:
        """Its path, with ids that nobody has where none is given."""
        names = {
            "message_id": "no-such-message",
            "review_id": NO_REVIEW,
            "kept_id": "0",
            "number_id": NO_NUMBER,
            "location_id": "no-such-location",
            "sending_number_id": NO_NUMBER,
            "user_id": "user-1",
            "group_id": "group-1",
            "kind": "help",
            "key_id": "no-such-key",
            "endpoint": fresh(),
            "endpoint_id": NO_NUMBER,
            "import_id": NO_NUMBER,
        }
        return self.path.format(**(names | ids))


INBOUND: Final = {"from": ANN, "to": DESK, "body": "hello", "message_id": "in-1"}
MESSAGE: Final = {"message_id": "out-1", "number": ANN, "purpose": "recall"}
CONSENT: Final = {
    "number": ANN,
    "purposes": ["conversation"],
    "level": "express",
    "method": "web",
    "evidence": "signed at the desk",
    "by": "agent-7",
}
OPT_OUT: Final = {"number": ANN, "by": "agent-7", "reason": "wrong person"}
OPT_IN: Final = {"number": ANN, "by": "admin-1", "reason": "a mistake"}
REPORT: Final = {"number": ANN, "provider": "twilio", "code": "30003", "message_id": "out-9"}
BLOCK: Final = {"number": ANN, "purpose": "recall", "blocked": True, "by": "agent-7"}
PREFERENCE: Final = {"number": ANN, "value": "not_consented", "system": "practice"}
SET_UP: Final = {
    "locations": [{"id": "main", "name": "Main Street"}],
    "sending_numbers": [{"number": DESK, "location": "main", "purposes": ["recall"]}],
    "users": [{"id": "jo", "permission": "deny", "groups": ["desk"]}],
    "groups": [{"id": "desk", "permission": "allow"}],
    "policy": {"preset": "consent-first", "changes": {"time_zone": "America/Chicago"}},
    "replies": [{"kind": "help", "language": "es", "text": "{name}: llame a la oficina."}],
    "keywords": [{"kind": "stop", "language": "es", "add": ["basta"], "remove": ["alto"]}],
}
DISCONNECTED: Final = {"number": ANN, "disconnected_on": "2026-03-04", "evidence": "query 7"}

ASK: Final = (
    Route("POST", "/v1/checks", EVERYONE, {"number": ANN, "purpose": "conversation"}),
    Route("POST", "/v1/checks/batch", EVERYONE, {"purpose": "recall", "items": [{"number": ANN}]}),
    Route("POST", "/v1/scrubs", EVERYONE),
    Route("POST", "/v1/contacts/check", EVERYONE, {"numbers": [ANN]}),
)
TELL: Final = (
    Route("POST", "/v1/inbound-messages", SENDER, INBOUND),
    Route("POST", "/v1/consents", SENDER_OR_ADMIN, CONSENT),
    Route("POST", "/v1/consent-requests", SENDER_OR_AGENT, {"number": ANN}),
    Route("POST", "/v1/opt-outs", WRITERS, OPT_OUT),
    Route("POST", "/v1/opt-outs/batch", WRITERS, {"items": [OPT_OUT]}),
    Route("POST", "/v1/opt-ins", ADMIN, OPT_IN),
    Route("POST", "/v1/opt-ins/batch", ADMIN, {"items": [OPT_IN]}),
    Route("POST", "/v1/carrier-reports", SENDER, REPORT),
    Route("POST", "/v1/purpose-blocks", STAFF, BLOCK),
    Route("POST", "/v1/preferences", SENDER_OR_ADMIN, PREFERENCE),
    Route("POST", "/v1/reassignments", ADMIN, DISCONNECTED),
    Route("POST", "/v1/time-zones", WRITERS, {"number": ANN, "time_zone": "America/Chicago"}),
)
REVIEWS: Final = (
    Route("GET", "/v1/reviews", ADMIN),
    Route("POST", "/v1/reviews/{review_id}", ADMIN, {"verdict": "revoked", "by": "admin-1"}),
)
UNREADABLE: Final = (
    Route("GET", "/v1/reviews/unreadable-senders", ADMIN),
    Route("POST", "/v1/reviews/unreadable-senders/{kept_id}", ADMIN),
)
"""Texts of no number, so that nothing is recorded of one."""
MESSAGES: Final = (
    Route("POST", "/v1/messages", SENDER_OR_AGENT, MESSAGE),
    Route("GET", "/v1/messages", EVERYONE),
    Route("GET", "/v1/messages/{message_id}", EVERYONE),
    Route("POST", "/v1/messages/{message_id}/release", SENDER, {"claimed_by": "worker-1"}),
    Route("POST", "/v1/messages/release-next", SENDER, {"claimed_by": "worker-1", "limit": 5}),
    Route("POST", "/v1/messages/{message_id}/cancel", SENDER_OR_AGENT),
)
NUMBERS: Final = (
    Route("POST", "/v1/numbers/lookup", EVERYONE, {"number": ANN}),
    Route("GET", "/v1/numbers/{number_id}/history", EVERYONE),
    Route("GET", "/v1/numbers/{number_id}/state", EVERYONE),
    Route("POST", "/v1/numbers/{number_id}/erase", ADMIN),
)
REPORTS: Final = (
    Route("POST", "/v1/reports/opt-outs", ONLOOKERS, {"source": "agent", "number_prefix": "415"}),
    Route("POST", "/v1/reports/opt-outs/summary", ONLOOKERS, {"source": "agent"}),
    Route("POST", "/v1/reports/purpose-blocks", PEOPLE, {"purpose": "recall"}),
)
"""Their filters may be left out, or be null."""
IMPORTS: Final = (
    Route("POST", "/v1/imports", ADMIN),
    Route("GET", "/v1/imports", ADMIN),
    Route("GET", "/v1/imports/{import_id}", ADMIN),
    Route("GET", "/v1/imports/{import_id}/rows", ADMIN),
    Route("POST", "/v1/imports/{import_id}/undo", ADMIN),
)
"""Their bodies are lists, in tests of their own."""
ACCOUNT: Final = (
    Route("GET", "/v1/policy", EVERYONE),
    Route("PUT", "/v1/policy", ADMIN, {"preset": "consent-first", "changes": {}}),
    Route("GET", "/v1/set-up", EVERYONE),
    Route("PUT", "/v1/set-up", ADMIN, SET_UP),
    Route("POST", "/v1/policy/simulate", ONLOOKERS, {"preset": "opt-out", "changes": {}}),
    Route("GET", "/v1/locations", EVERYONE),
    Route("POST", "/v1/locations", ADMIN, {"id": "main", "name": "Main Street"}),
    Route("DELETE", "/v1/locations/{location_id}", ADMIN),
    Route("GET", "/v1/sending-numbers", EVERYONE),
    Route(
        "POST",
        "/v1/sending-numbers",
        ADMIN,
        {"number": DESK, "location": "main", "purposes": ["recall"]},
    ),
    Route("DELETE", "/v1/sending-numbers/{sending_number_id}", ADMIN),
    Route("GET", "/v1/users", EVERYONE),
    Route("GET", "/v1/groups", EVERYONE),
    Route("PUT", "/v1/users/{user_id}/permission", ADMIN, {"permission": "deny", "groups": ["g"]}),
    Route("PUT", "/v1/groups/{group_id}/permission", ADMIN, {"permission": "deny"}),
    Route("GET", "/v1/keywords", EVERYONE),
    Route("PUT", "/v1/keywords", ADMIN, {"kind": "stop", "language": "es", "add": ["basta"]}),
    Route("POST", "/v1/lexicon/re-read", ONLOOKERS, {"limit": 10}),
    Route("GET", "/v1/replies", EVERYONE),
    Route("PUT", "/v1/replies/{kind}", ADMIN, {"text": "Call {name}.", "language": "es"}),
    Route("DELETE", "/v1/replies/{kind}", ADMIN),
    Route("GET", "/v1/keys", ADMIN),
    Route("POST", "/v1/keys", ADMIN, {"role": "sender", "name": "campaigns"}),
    Route("DELETE", "/v1/keys/{key_id}", ADMIN),
    Route("GET", "/v1/provider-endpoints", ADMIN),
    Route(
        "PUT", "/v1/provider-endpoints/{endpoint}", ADMIN, {"provider": "twilio", "secret": "token"}
    ),
    Route(
        "POST",
        "/v1/provider-endpoints/{endpoint}/rotate",
        ADMIN,
        {"secret": "token", "overlap_hours": 1},
    ),
    Route("DELETE", "/v1/provider-endpoints/{endpoint}", ADMIN),
)
HOOK: Final = {"url": "https://hooks.example.com/consent", "types": ["StopReceived"], "user": "jo"}
FEED: Final = (
    Route("GET", "/v1/feed", FOLLOWERS),
    Route("GET", "/v1/webhook-endpoints", ADMIN),
    Route("POST", "/v1/webhook-endpoints", ADMIN, HOOK),
    Route("GET", "/v1/webhook-endpoints/{endpoint_id}", ADMIN),
    Route("DELETE", "/v1/webhook-endpoints/{endpoint_id}", ADMIN),
    Route("POST", "/v1/webhook-endpoints/{endpoint_id}/rotate", ADMIN),
    Route("POST", "/v1/webhook-endpoints/{endpoint_id}/replay", ADMIN, {"after": 0}),
    Route("POST", "/v1/webhook-endpoints/{endpoint_id}/enable", ADMIN),
)
ROUTES: Final = (
    *(*ASK, *TELL, *REVIEWS, *UNREADABLE, *MESSAGES, *NUMBERS),
    *(*REPORTS, *IMPORTS, *ACCOUNT, *FEED),
)
WITHOUT_KEY: Final = {
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", "/v1/webhooks/{provider}/{endpoint}"),
}
WITH_BODY: Final = tuple(route for route in ROUTES if route.body is not None)


def named(route: Route) -> str:
    """A route in the name of a test."""
    return f"{route.method}-{route.path}"


def texts_in(body: Any, pointer: str = "") -> Iterator[str]:
    """The JSON pointers of every text in a body."""
    if isinstance(body, str):
        yield pointer
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from texts_in(value, f"{pointer}/{name}")
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from texts_in(value, f"{pointer}/{place}")


def with_value(body: Any, pointer: str, value: object) -> Any:
    """The body with another value at a pointer."""
    if not pointer:
        return value
    head, _, rest = pointer[1:].partition("/")
    rest = f"/{rest}" if rest else ""
    if isinstance(body, list):
        place = int(head)
        return [*body[:place], with_value(body[place], rest, value), *body[place + 1 :]]
    return {**body, head: with_value(body.get(head), rest, value)}
