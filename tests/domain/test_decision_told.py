"""What an explanation begins with, where the sentence of its reason alone would mislead."""

from consent_ledger import facts as f
from consent_ledger.words import Level, Method, Preference, Reason
from tests.story import given

CONSENTED = f.MarketingPreferenceRecorded("pms", Preference.CONSENTED)
WRITTEN = f.ConsentGranted(method=Method.WEB, level=Level.EXPRESS_WRITTEN, purposes=("marketing",))


def test_a_yes_that_is_the_system_of_records_alone_is_not_told_as_the_contacts() -> None:
    """Row 15: the reason is `consented`, and the explanation says whose word it rests on."""
    story = given(CONSENTED, rules="recalls")
    told = story.asked("marketing").answers(Reason.CONSENTED).decision.detail
    assert told is not None
    assert "system of record" in told
    written = given(CONSENTED, WRITTEN, rules="recalls")
    assert written.asked("marketing").answers(Reason.CONSENTED).decision.detail is None


def test_a_stop_says_that_the_contact_was_asked_once_more() -> None:
    """R-L5: while such a request waits, START is not the only word that lifts the STOP."""
    again = f.ConsentRequested(("conversation",), reauthorises=True)
    story = given(f.StopReceived(), rules="authorization")
    before = story.asked("conversation").answers(Reason.OPTED_OUT_BY_CONTACT).decision
    story.given(again)
    after = story.asked("conversation").answers(Reason.OPTED_OUT_BY_CONTACT).decision
    assert before.detail is None
    assert after.detail is not None
    assert "CONSENT" in after.detail
    assert story.asked("recall").decision.detail is None
