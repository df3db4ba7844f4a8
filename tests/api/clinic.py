"""An account as its senders, staff and contacts use it, in words that read as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from tests.api.answer import Answer, Json
from tests.service import Running

ANN: Final = "+14155550131"
BEN: Final = "+14155550132"
CARA: Final = "+14155550133"
DESK: Final = "+14155550190"
"""The clinic's own number."""


def ago(**units: float) -> str:
    """A time in the past, `ago(minutes=5)`, as RFC 3339."""
    return (datetime.now(UTC) - timedelta(**units)).isoformat()


def ahead(**units: float) -> str:
    """A time in the future."""
    return (datetime.now(UTC) + timedelta(**units)).isoformat()


class Clinic:
    """One account of the service. What is said with no role is said with a role that may."""

    def __init__(
        self, service: Running, preset: str, changes: Json, region: str | None = "US"
    ) -> None:
        self.service = service
        self.account_id = service.open_account(preset, changes, region)
        self.keys = service.issue_keys(self.account_id)
        self._ids = count(1)

    def call(
        self,
        method: str,
        path: str,
        role: str | None = "admin",
        body: object = None,
        **headers: str | bytes,
    ) -> Answer:
        """One request; `role` None sends no key, header names are written with underscores."""
        sent: Any = {name.replace("_", "-"): value for name, value in headers.items()}
        if role is not None:
            sent["Authorization"] = f"Bearer {self.keys[role]}"
        kind = {"content": body} if isinstance(body, bytes) else {"json": body}
        if body is None:
            kind = {}
        elif isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        return Answer(self.service.http.request(method, path, headers=sent, **kind))

    def get(self, path: str, role: str = "admin") -> Answer:
        """A question by URL."""
        return self.call("GET", path, role)

    def post(self, path: str, role: str = "admin", **body: Any) -> Answer:
        """Something told or asked."""
        return self.call("POST", path, role, body)

    def put(self, path: str, role: str = "admin", **body: Any) -> Answer:
        """Something set."""
        return self.call("PUT", path, role, body)

    # --- what contacts do ------------------------------------------------------------------

    def hears(self, number: str, text: str, **more: Any) -> Answer:
        """A contact texts."""
        body = {"from": number, "to": DESK, "body": text, "message_id": f"in-{next(self._ids)}"}
        return self.call("POST", "/v1/inbound-messages", "sender", body | more)

    # --- what senders do -------------------------------------------------------------------

    def asks(self, number: str, purpose: str = "conversation", **more: Any) -> Answer:
        """May I text this number?"""
        return self.post("/v1/checks", "sender", number=number, purpose=purpose, **more)

    def scrubs(
        self,
        rows: bytes,
        purpose: str = "recall",
        role: str = "sender",
        kind: str = "text/csv",
        **query: Any,
    ) -> Answer:
        """May I text the numbers of this list?"""
        asked = urlencode({"purpose": purpose, **query})
        return self.call("POST", f"/v1/scrubs?{asked}", role, rows, Content_Type=kind)

    def sends(
        self,
        number: str,
        purpose: str = "conversation",
        message_id: str | None = None,
        **more: Any,
    ) -> Answer:
        """A text is about to go: may it?"""
        body = {"message_id": message_id or f"out-{next(self._ids)}", "number": number}
        return self.post("/v1/messages", "sender", purpose=purpose, **body, **more)

    def releases(self, message_id: str, claimed_by: str = "worker-1") -> Answer:
        """A claimant takes a held text."""
        return self.post(f"/v1/messages/{message_id}/release", "sender", claimed_by=claimed_by)

    def fate(self, message_id: str) -> str:
        """The state of a text."""
        state: str = self.get(f"/v1/messages/{message_id}", "sender")["state"]
        return state

    def releasable(self) -> list[str]:
        """The ids of the texts that may go now, the oldest first."""
        return [item["message_id"] for item in self.get("/v1/messages", "sender")["items"]]

    def takes_next(self, limit: int = 100, claimed_by: str = "worker-1") -> list[str]:
        """A claimant takes the oldest texts that may go; their ids, in order."""
        body = {"claimed_by": claimed_by, "limit": limit}
        items = self.post("/v1/messages/release-next", "sender", **body)["items"]
        return [item["message_id"] for item in items]

    @contextmanager
    def failing(self, fact: str, of: str) -> Iterator[None]:
        """No fact of a kind can be recorded on a number meanwhile."""
        database = self.service.database
        fails = f"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'not this one';
            END $$;
            CREATE TRIGGER fail BEFORE INSERT ON events FOR EACH ROW
                WHEN (NEW.topic = '{fact}' AND NEW.originator_id = '{self.number_id(of)}')
                EXECUTE FUNCTION fail()"""
        database.execute(fails.encode())
        try:
            yield
        finally:
            database.execute("DROP TRIGGER fail ON events; DROP FUNCTION fail()")

    def flags(self, *numbers: str) -> Answer:
        """Is any of a contact's numbers opted out (R-V2)?"""
        return self.post("/v1/contacts/check", "agent", numbers=list(numbers))

    def requests(self, number: str, **more: Any) -> Answer:
        """Somebody asks the contact for consent."""
        return self.post("/v1/consent-requests", "sender", number=number, **more)

    def reports(self, number: str, code: str, provider: str = "twilio", **more: Any) -> Answer:
        """The provider tells the fate of a text."""
        body = {"number": number, "provider": provider, "code": code}
        return self.post("/v1/carrier-reports", "sender", **body, **more)

    # --- what staff do ---------------------------------------------------------------------

    def consents(self, number: str, *purposes: str, **more: Any) -> Answer:
        """Consent was given on a form."""
        body = {
            "number": number,
            "purposes": purposes or ("conversation",),
            "level": "express",
            "method": "web",
            "evidence": {"form_id": "intake-7"},
            "by": "agent-7",
        }
        return self.post("/v1/consents", "sender", **(body | more))

    def opts_out(self, number: str, by: str = "agent-7", **more: Any) -> Answer:
        """Somebody of the account opts a number out."""
        return self.post("/v1/opt-outs", "agent", number=number, by=by, **more)

    def opts_in(self, number: str, by: str = "admin-1", **more: Any) -> Answer:
        """An admin takes back an agent's opt-out."""
        return self.post("/v1/opt-ins", number=number, by=by, reason="a mistake", **more)

    def blocks(
        self, number: str, purpose: str = "recall", blocked: bool = True, **more: Any
    ) -> Answer:
        """Staff tick or untick a purpose on the blocked list."""
        body = {"number": number, "purpose": purpose, "blocked": blocked, "by": "agent-7"}
        return self.post("/v1/purpose-blocks", "agent", **(body | more))

    def learns_preference(self, number: str, value: str, system: str = "practice") -> Answer:
        """A system of record tells what the contact wants of marketing."""
        return self.post("/v1/preferences", number=number, value=value, system=system)

    def adopts(self, preset: str, **more: Any) -> Answer:
        """An admin adopts a policy."""
        return self.put("/v1/policy", preset=preset, **more)

    def permits(self, user: str, permission: str, **more: Any) -> Answer:
        """An admin sets a user's 'Allow SMS'."""
        return self.put(f"/v1/users/{user}/permission", permission=permission, **more)

    def permits_group(self, group: str, permission: str) -> Answer:
        """An admin sets a group's 'Allow SMS'."""
        return self.put(f"/v1/groups/{group}/permission", permission=permission)

    def judges(self, review_id: str, verdict: str, by: str = "admin-1") -> Answer:
        """An admin has read words that may mean STOP."""
        return self.post(f"/v1/reviews/{review_id}", verdict=verdict, by=by)

    def reassigns(self, number: str, disconnected_on: str, **more: Any) -> Answer:
        """A query says that the number was disconnected on a day."""
        return self.post(
            "/v1/reassignments", number=number, disconnected_on=disconnected_on, **more
        )

    def listens(self, kind: str, language: str = "en", **changes: list[str]) -> Answer:
        """An admin sets the account's own words: `listens("stop", "es", add=["basta"])`."""
        return self.put("/v1/keywords", kind=kind, language=language, **changes)

    def words(self, kind: str) -> set[str]:
        """The words of one kind that count."""
        items = self.get("/v1/keywords", "auditor")["items"]
        return {item["word"] for item in items if item["kind"] == kind}

    def words_reply(self, kind: str, text: str, language: str | None = None) -> Answer:
        """An admin words a reply."""
        named = {} if language is None else {"language": language}
        return self.put(f"/v1/replies/{kind}", text=text, **named)

    def reply_texts(self, kind: str) -> dict[str | None, str]:
        """The wordings of a reply, by language; None is for every one."""
        items = self.get("/v1/replies", "auditor")["items"]
        return {item["language"]: item["text"] for item in items if item["kind"] == kind}

    def issues_key(self, role: str, name: str = "campaign tool") -> Answer:
        """An admin makes a key; it may be used under its name, as a role."""
        answer = self.call("POST", "/v1/keys", "admin", {"role": role, "name": name})
        if answer.status == 201:
            self.keys[name] = answer["key"]
        return answer

    def opens_location(self, location: str = "main", *purposes: str, number: str = DESK) -> Answer:
        """An admin defines a location with one number that serves these purposes."""
        self.post("/v1/locations", id=location, name=f"The {location} office").recorded(
            "LocationDefined"
        )
        served = purposes or ("conversation",)
        return self.post("/v1/sending-numbers", number=number, location=location, purposes=served)

    # --- what is on record -----------------------------------------------------------------

    def looks_up(self, number: str) -> Answer:
        """Where a number stands."""
        return self.post("/v1/numbers/lookup", number=number)

    def number_id(self, number: str) -> UUID:
        """The opaque id of a number."""
        return UUID(self.post("/v1/numbers/lookup", number=number)["number_id"])

    def history(self, number: str, **query: Any) -> list[Json]:
        """The events of a number."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        items: list[Json] = self.get(f"/v1/numbers/{self.number_id(number)}/history?{asked}")[
            "items"
        ]
        return items

    def facts(self, number: str) -> list[str]:
        """The types of a number's events, in order."""
        return [event["type"] for event in self.history(number, limit=1000)]

    def is_unknown(self, number: str) -> None:
        """Nothing is on record of a number."""
        number_id = self.number_id(number)
        self.get(f"/v1/numbers/{number_id}/history").problem(404, "not-found")

    def finds_evidence(self, answer: Answer, number: str, *types: str) -> None:
        """What a decision rests on stands in the number's history, at the time it names."""
        named = [tuple(item.values()) for item in answer["evidence"]]
        assert [kind for _, kind, _ in named] == list(types)
        history = self.history(number, limit=1000)
        assert set(named) <= {(e["event_id"], e["type"], e["occurred_at"]) for e in history}
        assert answer["since"] == named[0][2]

    def follows(self, role: str = "admin", **query: Any) -> Answer:
        """A follower asks for the next events."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return self.get(f"/v1/feed?{asked}", role)

    def feed(self, **query: Any) -> list[Json]:
        """The whole feed, page by page."""
        found: list[Json] = []
        after = query.pop("after", 0)
        while True:
            page = self.follows(after=after, **query)
            found += page["items"]
            if page["next_after"] == after:
                return found
            after = page["next_after"]

    def everything(self) -> list[tuple[Any, ...]]:
        """All that the database holds of this account's changes."""
        return self.service.rows(
            "SELECT (SELECT count(*) FROM events WHERE account_id = %s), "
            "(SELECT count(*) FROM claims WHERE account_id = %s), "
            "(SELECT count(*) FROM numbers WHERE account_id = %s), "
            "(SELECT count(*) FROM words WHERE account_id = %s), "
            "(SELECT count(*) FROM api_keys WHERE account_id = %s), "
            "(SELECT count(*) FROM provider_endpoints WHERE account_id = %s), "
            "(SELECT count(*) FROM webhook_endpoints WHERE account_id = %s)",
            *[self.account_id] * 7,
        )

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing is recorded meanwhile."""
        before = self.everything()
        yield
        assert self.everything() == before


def fresh() -> str:
    """An id that nobody used."""
    return uuid4().hex
