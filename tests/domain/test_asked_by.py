"""Who asked for a reply (R-M11): the users whose texts or requests went before it."""

from itertools import count
from typing import Final
from uuid import uuid4

from consent_ledger import facts as f
from consent_ledger.asked_by import ASKED_WITHIN, is_reply, users_who_asked
from consent_ledger.words import ActorKind, Basis, Channel, Level, Method, Reason

NUMBER: Final = uuid4()
NOW: Final = 2 * ASKED_WITHIN
VERSIONS: Final = count(1)


def event(fact: f.Fact, at: int = NOW, **context: str) -> f.Event:
    """An event of the number, recorded at an instant."""
    envelope = f.Context(at, Basis.LEDGER, ActorKind.SENDER, Channel.API, 1, 1, **context)
    return f.Event(NUMBER, next(VERSIONS), NUMBER, at, envelope, fact, 1)


def text(
    user: str | None, at: int = NOW, kind: type[f.MessageAsked] = f.MessagePermitted, m: str = "m"
) -> f.Event:
    """A text that somebody sends."""
    return event(kind("recall", Reason.CONSENTED, sent_by=user), at, message_id=m)


def told(*latest_first: f.Event) -> list[str]:
    """Who is told of a reply to these."""
    return users_who_asked(event(f.StopReceived()), latest_first)


def test_the_latest_comes_first_and_each_once() -> None:
    """An automated text is nobody's."""
    assert told(text("kim"), text(None), text("jo"), text("kim")) == ["kim", "jo"]


def test_a_month_is_one_conversation() -> None:
    """What was sent before it is another one."""
    assert told(text("jo", NOW - ASKED_WITHIN)) == ["jo"]
    assert told(text("jo", NOW - ASKED_WITHIN - 1)) == []


def test_a_text_counts_from_its_release() -> None:
    """R-M3: it may have waited for weeks; the worker who claimed it did not ask."""
    long_ago = NOW - ASKED_WITHIN - 1
    held = text("jo", long_ago, f.MessageDeferred, "held-1")
    released = event(f.MessageReleased("worker-1"), message_id="held-1")
    another = event(f.MessageReleased("worker-1"), message_id="held-2")
    assert told(held) == []
    assert told(released, held) == ["jo"]
    assert told(another, held) == []


def test_a_refused_text_asked_nobody() -> None:
    """Nor did one that waits for a person's yes."""
    assert told(text("jo", kind=f.MessageRefused)) == []
    assert told(text("jo", kind=f.MessageNeedsConfirmation)) == []


def test_a_request_is_of_who_made_it() -> None:
    """One that the ledger added is of nobody; the text that it came with has its user."""
    assert told(event(f.ConsentRequested(("recall",)), actor_id="jo")) == ["jo"]
    assert told(event(f.ConsentRequested(("recall",), automatic=True))) == []


def test_consent_by_text_is_a_reply_and_on_a_form_is_none() -> None:
    """R-M11 is of incoming texts."""
    assert is_reply(event(f.ConsentGranted()))
    assert not is_reply(event(f.ConsentGranted(method=Method.WEB, level=Level.EXPRESS)))
    assert is_reply(event(f.ReplyNotUnderstood()))
    assert not is_reply(event(f.PersonalDataErased()))
