"""An answer over HTTP, and what can be said of it."""

from typing import Any, Final

import httpx2

PROBLEM_FIELDS: Final = {"type", "title", "status", "detail", "code"}

Json = dict[str, Any]


class Answer:
    """An answer of the service, and what can be said of it."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.status = response.status_code

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def body(self) -> Json:
        """The JSON of a success."""
        assert self.status < 300, self.response.text
        found: Json = self.response.json()
        return found

    def recorded(self, *types: str) -> "Answer":
        """Exactly these facts were recorded, and where they lie is told."""
        assert self["recorded"] == list(types)
        assert isinstance(self["position"], int)
        return self

    def replied(self, kind: str | None) -> "Answer":
        """The sender is asked to send this reply to the contact, or none."""
        reply = self["reply"]
        assert (reply and reply["kind"]) == kind
        assert reply is None or (reply["to"].startswith("+") and reply["text"])
        return self

    def understood_as(self, meaning: str) -> "Answer":
        """How the contact's text was read."""
        assert self["understood_as"] == meaning
        return self

    def is_(self, state: str, reason: str | None = None) -> "Answer":
        """The state of a text, and why."""
        assert self["state"] == state
        assert reason is None or self["reason"] == reason
        return self

    def problem(self, status: int, code: str, pointer: str | None = None) -> Json:
        """The answer is this problem, in the shape of RFC 9457; its members are returned."""
        assert self.status == status, self.response.text
        assert self.response.headers["content-type"] == "application/problem+json"
        found: Json = self.response.json()
        assert found.keys() >= PROBLEM_FIELDS
        assert (found["status"], found["code"]) == (status, code), found
        assert found["type"].endswith(code)
        assert (status == 422) <= ("errors" in found)
        for error in found.get("errors", []):
            assert error.keys() == {"pointer", "code", "detail"}
        pointers = [error["pointer"] for error in found.get("errors", [])]
        assert pointer is None or pointer in pointers
        return found

    def is_no_request(self, reason: str) -> Json:
        """A request for consent may not go, and the problem says why (R-F9)."""
        found = self.problem(409, "consent-request-refused")
        assert found["reason"] == reason, found
        return found

    # --- a decision ------------------------------------------------------------------------

    def is_allowed(self, reason: str) -> "Answer":
        """The text may go."""
        return self._decides("allow", reason)

    def is_deferred(self, reason: str) -> "Answer":
        """The text may not go yet."""
        return self._decides("defer", reason)

    def needs_confirmation(self, reason: str) -> "Answer":
        """A person has to say yes first."""
        return self._decides("confirm", reason)

    def is_denied(self, reason: str) -> "Answer":
        """The text may not go."""
        return self._decides("deny", reason)

    def _decides(self, decision: str, reason: str) -> "Answer":
        assert (self["decision"], self["reason"]) == (decision, reason)
        assert self["may_text"] is (decision == "allow")
        assert self["explanation"]
        return self
