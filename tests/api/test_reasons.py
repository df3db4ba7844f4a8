"""Every reason there is, each brought about over HTTP by a small story (rulebook section 3)."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from consent_ledger.words import EXPLANATIONS, LIFTED_BY, Reason
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open

SUNDAY_NIGHT = "2026-03-01T23:30:00Z"
CORRUPT = "UPDATE consent_status SET snapshot = 'x' WHERE number_id = %s"


def unreadable(clinic: Clinic) -> Answer:
    """What is stored of the number cannot be read any more."""
    clinic.hears(ANN, "hello")
    clinic.service.database.execute(CORRUPT.encode(), (clinic.number_id(ANN),))
    return clinic.asks(ANN, "recall")


def unnamed_user(clinic: Clinic) -> Answer:
    """A user that nobody permitted."""
    return clinic.asks(ANN, sent_by="jo")


def unknown_place(clinic: Clinic) -> Answer:
    """A location that a re-import removed."""
    return clinic.asks(ANN, "recall", location="gone")


def stopped(clinic: Clinic) -> Answer:
    """The contact texts STOP."""
    clinic.hears(ANN, "STOP")
    return clinic.asks(ANN, "recall")


def stopped_elsewhere(clinic: Clinic) -> Answer:
    """The contact texts STOP from another phone."""
    clinic.hears(BEN, "STOP")
    return clinic.asks(ANN, "recall", contact_numbers=[BEN])


def suppressed(clinic: Clinic) -> Answer:
    """The carrier has the number on its list."""
    clinic.reports(ANN, "21610")
    return clinic.asks(ANN, "recall")


def opted_out(clinic: Clinic) -> Answer:
    """An agent opts the number out."""
    clinic.opts_out(ANN)
    return clinic.asks(ANN, "recall")


def under_review(clinic: Clinic) -> Answer:
    """The contact may have meant to stop."""
    clinic.hears(ANN, "take me off your list")
    return clinic.asks(ANN, "recall")


def blocked(clinic: Clinic) -> Answer:
    """Staff tick the box."""
    clinic.blocks(ANN, "recall")
    return clinic.asks(ANN, "recall")


def no_marketing(clinic: Clinic) -> Answer:
    """The practice system says no."""
    clinic.learns_preference(ANN, "not_consented")
    return clinic.asks(ANN, "marketing")


def declined(clinic: Clinic) -> Answer:
    """The contact answers DECLINE."""
    clinic.sends(ANN)
    clinic.hears(ANN, "DECLINE")
    return clinic.asks(ANN)


def asked(clinic: Clinic) -> Answer:
    """A request waits."""
    clinic.sends(ANN)
    return clinic.asks(ANN)


def not_asked(clinic: Clinic) -> Answer:
    """Nobody asked yet."""
    return clinic.asks(ANN)


def no_marketing_by_hand(clinic: Clinic) -> Answer:
    """A person sends a recall to who wants no marketing."""
    clinic.learns_preference(ANN, "not_consented")
    return clinic.asks(ANN, "recall", manual=True)


def unreadable_by_hand(clinic: Clinic) -> Answer:
    """A person sends a recall, and the practice system hides its settings."""
    clinic.learns_preference(ANN, "unreadable")
    return clinic.asks(ANN, "recall", manual=True)


def at_night(clinic: Clinic) -> Answer:
    """It is half past eleven on a Sunday night."""
    return clinic.asks(ANN, "recall", as_of=SUNDAY_NIGHT)


def consented(clinic: Clinic) -> Answer:
    """The contact answers CONSENT."""
    clinic.sends(ANN)
    clinic.hears(ANN, "CONSENT")
    return clinic.asks(ANN)


def plain(clinic: Clinic) -> Answer:
    """A reminder to somebody who said nothing."""
    return clinic.asks(ANN, "appointment_reminder")


def presumed(clinic: Clinic) -> Answer:
    """Marketing where the policy presumes consent."""
    return clinic.asks(ANN, "marketing")


class Story(NamedTuple):
    """How a reason comes about, under which preset, and what it means."""

    reason: Reason
    decision: str
    tell: Callable[[Clinic], Answer]
    preset: str = "consent-first"


STORIES = [
    Story(Reason.RECORD_UNREADABLE, "deny", unreadable),
    Story(Reason.SENDER_NOT_PERMITTED, "deny", unnamed_user, "authorization"),
    Story(Reason.SENDING_NUMBER_NOT_ALLOWED, "deny", unknown_place),
    Story(Reason.OPTED_OUT_BY_CONTACT, "deny", stopped),
    Story(Reason.OPTED_OUT_ON_OTHER_NUMBER, "deny", stopped_elsewhere),
    Story(Reason.OPTED_OUT_BY_SYSTEM, "deny", suppressed),
    Story(Reason.OPTED_OUT_BY_AGENT, "deny", opted_out),
    Story(Reason.REVOCATION_UNDER_REVIEW, "deny", under_review),
    Story(Reason.PURPOSE_BLOCKED, "deny", blocked, "recalls"),
    Story(Reason.MARKETING_NOT_CONSENTED, "deny", no_marketing, "recalls"),
    Story(Reason.CONSENT_DECLINED, "deny", declined),
    Story(Reason.CONSENT_PENDING, "defer", asked),
    Story(Reason.CONSENT_REQUIRED, "defer", not_asked),
    Story(Reason.CONSENT_REQUIRED, "deny", not_asked, "authorization"),
    Story(Reason.MARKETING_NOT_CONSENTED_NOTICE, "confirm", no_marketing_by_hand, "recalls"),
    Story(Reason.PREFERENCE_UNREADABLE_NOTICE, "confirm", unreadable_by_hand, "recalls"),
    Story(Reason.QUIET_HOURS, "defer", at_night, "opt-out"),
    Story(Reason.CONSENTED, "allow", consented),
    Story(Reason.NO_CONSENT_NEEDED, "allow", plain),
    Story(Reason.PRESUMED_BY_POLICY, "allow", presumed, "opt-out"),
]


def test_there_is_a_story_for_every_reason() -> None:
    """A reason that is added is told here."""
    assert {story.reason for story in STORIES} == set(Reason)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.reason}-{story.decision}")
def test_a_story_leads_to_its_reason(open_clinic: Open, story: Story) -> None:
    """With its sentence and what would change it."""
    hours = {"purposes": {"recall": {"hours": {}}}, "time_zone": "UTC"}
    changes = hours if story.reason is Reason.QUIET_HOURS else {}
    answer = story.tell(open_clinic(story.preset, **changes))
    assert (answer["decision"], answer["reason"]) == (story.decision, story.reason)
    assert answer["may_text"] is (story.decision == "allow")
    assert answer["lifted_by"] == LIFTED_BY[story.reason]
    assert answer["explanation"].endswith(EXPLANATIONS[story.reason])


def test_a_record_that_cannot_be_read_is_never_a_yes(clinic: Clinic) -> None:
    """Section 2 of the rulebook: deny for a check, in a batch, as another number of a contact."""
    unreadable(clinic).is_denied("record_unreadable")
    items = [{"number": ANN}, {"number": BEN}]
    batch = clinic.post("/v1/checks/batch", "sender", purpose="recall", items=items)["results"]
    assert [each["may_text"] for each in batch] == [False, True]
    answer = clinic.asks(BEN, "recall", contact_numbers=[ANN])
    answer.is_denied("record_unreadable")
    contact = clinic.post("/v1/contacts/check", "sender", numbers=[ANN, BEN])
    assert [row["opted_out"] for row in contact["numbers"]] == [True, False]


@pytest.mark.parametrize("renamed", ["standing", "version"])
def test_one_damaged_letter_of_a_name_is_not_passed_over(clinic: Clinic, renamed: str) -> None:
    """The field would count as never said: an acknowledged STOP would be a yes."""
    clinic.hears(ANN, "STOP")
    change = (
        "UPDATE consent_status SET snapshot = decode(replace(encode(snapshot, 'hex'), %s, %s),"
        " 'hex') WHERE number_id = %s RETURNING version"
    )
    wrong = renamed.upper().encode().hex()
    clinic.service.rows(change, renamed.encode().hex(), wrong, clinic.number_id(ANN))
    clinic.asks(ANN, "recall").is_denied("record_unreadable")
    clinic.hears(ANN, "STOP").understood_as("stop")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")


def test_a_stop_on_a_record_that_cannot_be_read_mends_it(clinic: Clinic) -> None:
    """The events are the truth: a STOP is never refused, and what they say counts again."""
    unreadable(clinic)
    clinic.hears(ANN, "STOP").understood_as("stop").replied("stop_confirmation")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
