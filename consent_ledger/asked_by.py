"""Who is told of a reply: the users whose texts or requests the contact answers (R-M11)."""

from collections.abc import Iterable, Mapping
from typing import Final

from consent_ledger import facts as f
from consent_ledger.policy import DAY
from consent_ledger.words import Method

ASKED_WITHIN: Final = 30 * DAY
"""A reply answers the conversation of the last month; what was sent before it is another one."""
USERS_TOLD: Final = 20
"""Users named with a reply, the latest first; more than take part in any one conversation."""

ASKING: Final = ("MessagePermitted", "MessageDeferred", "MessageReleased", "ConsentRequested")
"""The facts by which a user's words went out, or wait to: a refused text asked nobody."""


def is_reply(event: f.Event) -> bool:
    """Whether an event is what the contact said by text."""
    fact = event.fact
    by_text = not isinstance(fact, f.ConsentGranted) or fact.method is Method.SMS
    return isinstance(fact, f.Words) and by_text


def users_who_asked(reply: f.Event, before: Iterable[f.Event]) -> list[str]:
    """Every user who asked, the latest first, of the events before the reply, the latest first.

    By the order in which the ledger was told, so that the answer never changes afterwards.
    """
    told = list(before)
    senders = _senders(told)
    since = reply.recorded_at - ASKED_WITHIN
    users = (_user(event, senders) for event in told if event.recorded_at >= since)
    return list(dict.fromkeys(user for user in users if user is not None))


def _senders(events: Iterable[f.Event]) -> dict[str | None, str | None]:
    """Who sends each text; a release names its claimant, and its text was asked about earlier."""
    return {
        event.context.message_id: event.fact.sent_by
        for event in events
        if isinstance(event.fact, f.MessageAsked)
    }


def _user(event: f.Event, senders: Mapping[str | None, str | None]) -> str | None:
    match event.fact:
        case f.MessagePermitted(sent_by=user) | f.MessageDeferred(sent_by=user):
            return user
        case f.MessageReleased():
            return senders.get(event.context.message_id)
        case f.ConsentRequested():
            return event.context.actor_id
        case _:
            return None
