"""Which held texts may be ready to go: what the list of releasable ones rests on."""

import pytest
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.commands import AskMessage, ReleaseMessage
from consent_ledger.decision import Question
from consent_ledger.policy import amended
from consent_ledger.words import Level, MessageState, Method, Preference, Source
from tests.story import DAY, HOUR, Story, given, staff

WEB = f.ConsentGranted(
    method=Method.WEB, level=Level.EXPRESS_WRITTEN, purposes=("conversation", "marketing")
)
CONSENTED = f.MarketingPreferenceRecorded("pms", Preference.CONSENTED)
LATE = amended(
    "consent-first", {"time_zone": "UTC", "purposes": {"recall": {"hours": {"start": 20}}}}
)


def held(purpose: str) -> Story:
    """A number with a text of this purpose that waits, at eleven in the morning."""
    story = given(f.PurposeUnblocked("recall"), rules=LATE)
    return story.when(AskMessage(staff(), "m", Question(purpose))).is_("m", MessageState.DEFERRED)


@pytest.mark.parametrize(
    ("purpose", "facts", "ready"),
    [
        ("conversation", [], False),
        ("conversation", [WEB], True),
        ("conversation", [WEB, f.OptedOut(Source.AGENT)], False),
        ("conversation", [WEB, f.CarrierSuppressed("twilio", "21610")], False),
        ("conversation", [WEB, f.PurposeBlocked("conversation")], False),
        ("conversation", [WEB, f.PurposeBlocked("recall")], True),
        ("conversation", [WEB, f.RevocationSuspected()], True),
        ("marketing", [CONSENTED], True),
        ("marketing", [WEB], True),
        ("recall", [], True),
    ],
)
def test_a_text_is_listed_where_the_facts_leave_it_a_chance(
    purpose: str, facts: list[f.Fact], ready: bool
) -> None:
    """R-M3, R-F5: consent, or a purpose that waits for the hour alone; the policy judges later."""
    story = held(purpose).given(*facts)
    assert story.held["m"].may_be_ready(story.standing) is ready


def test_a_text_that_is_over_is_listed_no_more() -> None:
    """Contract 5: released once."""
    story = held("conversation").given(WEB).when(ReleaseMessage(staff(), "m", "worker"))
    assert not story.held["m"].may_be_ready(story.standing)


def test_a_text_that_a_stop_has_met_is_not_released() -> None:
    """R-F1: even where nobody has cancelled it yet."""
    story = held("conversation").given(f.StopReceived(), f.StartReceived(), WEB)
    story.when(ReleaseMessage(staff(), "m", "worker")).then().is_("m", MessageState.DEFERRED)


def test_a_text_keeps_its_expiry_when_it_is_confirmed() -> None:
    """R-M3: a confirmation that names none does not let it wait for ever."""
    no = f.MarketingPreferenceRecorded("pms", Preference.NOT_CONSENTED)
    by_hand = Question("recall", manual=True, sent_by="jo")
    story = given(no, rules=LATE)
    story.when(AskMessage(staff(), "m", by_hand, expires_at=story.now + 2 * HOUR))
    story.when(AskMessage(staff(), "m", replace(by_hand, confirmed=True))).then(f.MessageDeferred)
    story.when(ReleaseMessage(staff(), "m", "worker"), at=story.now + DAY)
    story.then(f.MessageExpired()).is_("m", MessageState.EXPIRED)
