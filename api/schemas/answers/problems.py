"""What a problem looks like (contract section 2)."""

from typing import Annotated, Final

from pydantic import Field

from api.schemas.answers.asked import EventReference
from api.schemas.answers.base import NUMBER_ID, Answered, FieldError, Id, Moment
from consent_ledger.words import Answer, Consent, LiftedBy, MessageState, Source


class Problem(Answered):
    """Whatever goes wrong, by RFC 9457. A 5xx means: do not text."""

    type: str
    """An identifier made of the code."""
    title: str
    """The name of the status."""
    status: int
    """The HTTP status."""
    detail: str
    """What went wrong, for people."""
    code: str
    """What went wrong, stable: write programs against this."""
    errors: list[FieldError] = []
    """Of a 422: the fields that do not fit, the first hundred of them."""


class OptInForbidden(Problem):
    """Nothing was recorded: who opted out is not the account's to overrule."""

    source: Source
    """Who opted the number out."""


class Barred(Problem):
    """With the fields of the decision, where one bars it."""

    may_text: bool = False
    """False."""
    decision: Answer | None = None
    """The decision."""
    explanation: str | None = None
    """The reason as a sentence for people."""
    lifted_by: LiftedBy | None = None
    """Who or what can change it."""
    source: Source | None = None
    """Who opted the number out, where that decided."""
    since: Moment | None = None
    """Since when what decided has stood."""
    not_before: Moment | None = None
    """When permitted hours begin."""
    consent: Consent | None = None
    """Where consent stands for the purpose."""
    opted_out: bool | None = None
    """Whether any opt-out stands."""
    opt_out_source: Source | None = None
    """Whose opt-out stands."""
    do_not_text: bool | None = None
    """Whether an opt-out stands, or words that may mean one wait for a person."""
    status_label: str | None = None
    """The state of consent as people read it."""
    purpose: str | None = None
    """The purpose that was asked about."""
    policy_version: int | None = None
    """The version of the policy that decided."""
    evidence: list[EventReference] | None = None
    """The events that it rests on."""


class ConsentRequestRefused(Barred):
    """Nothing was recorded: a request for consent may not go now."""

    reason: str
    """A reason of a decision, or `reauthorisation_used`, `reauthorisation_too_early` or
    `request_limit_reached`."""


class NotReleasable(Barred):
    """The text stays where it is, or is over."""

    reason: str | None = None
    """The reason of the decision."""
    state: MessageState | None = None
    """Where the text stands; absent where it was never held."""
    number_id: Annotated[Id | None, Field(description=NUMBER_ID)] = None
    number_version: int | None = None
    """How many events the number has."""
    position: int | None = None
    """A place in the ledger."""
    recorded: list[str] | None = None
    """The types of the events that the try recorded."""


OF_CODE: Final[dict[str, type[Problem]]] = {
    "opt-in-forbidden": OptInForbidden,
    "consent-request-refused": ConsentRequestRefused,
    "not-releasable": NotReleasable,
}
"""Problems with members of their own."""
MEMBERS: Final[dict[str, dict[str, object]]] = {
    "opt-in-forbidden": {"source": "contact"},
    "consent-request-refused": {"reason": "consent_pending"},
    "not-releasable": {"may_text": False, "reason": "opted_out_by_contact", "state": "cancelled"},
}
"""Those of their examples."""
