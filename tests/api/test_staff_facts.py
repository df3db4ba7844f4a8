"""Blocks, preferences, reassignments and reviews: what staff and their systems tell."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.clinic import ANN, BEN, Clinic, ago
from tests.api.conftest import Open
from tests.api.routes import NO_REVIEW


@pytest.fixture
def practice(open_clinic: Open) -> Clinic:
    """An account that holds to `recalls`."""
    return open_clinic("recalls")


def day(days_ago: int) -> str:
    """A day in UTC."""
    return (datetime.now(UTC).date() - timedelta(days=days_ago)).isoformat()


def test_a_blocked_purpose_is_refused_and_the_others_go(practice: Clinic) -> None:
    """R-B1: ticking refuses, unticking restores, and each again is no error."""
    practice.blocks(ANN, "recall").recorded("PurposeBlocked")
    answer = practice.asks(ANN, "recall").is_denied("purpose_blocked")
    assert answer["lifted_by"] == "agent"
    practice.asks(ANN, "appointment_reminder").is_allowed("no_consent_needed")
    practice.blocks(ANN, "recall")
    practice.hears(ANN, "START")
    practice.asks(ANN, "recall").is_denied("purpose_blocked")
    practice.blocks(ANN, "recall", blocked=False).recorded("PurposeUnblocked")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")
    practice.blocks(ANN, "nonsense").problem(422, "unknown-purpose", "/purpose")


def test_a_purpose_that_the_policy_dropped_is_unblocked_and_blocked_no_more(
    practice: Clinic,
) -> None:
    """R-B1: unticking restores, also for the day on which the policy has the purpose again."""
    survey = {"purposes": {"survey": {}}}
    practice.adopts("recalls", changes=survey)
    practice.blocks(ANN, "survey").recorded("PurposeBlocked")
    practice.adopts("recalls")
    practice.blocks(BEN, "survey").problem(422, "unknown-purpose", "/purpose")
    for _ in range(2):
        # Again is no error: a caller that got no answer repeats it.
        practice.blocks(ANN, "survey", blocked=False).recorded("PurposeUnblocked")
    practice.blocks(ANN, "nonsense", blocked=False).problem(422, "unknown-purpose", "/purpose")
    practice.adopts("recalls", changes=survey)
    practice.asks(ANN, "survey").is_allowed("no_consent_needed")


def test_a_preference_means_marketing_alone(practice: Clinic) -> None:
    """R-B2: marketing is denied, a recall goes; by hand a person is asked first."""
    practice.learns_preference(ANN, "not_consented").recorded("MarketingPreferenceRecorded")
    practice.asks(ANN, "marketing").is_denied("marketing_not_consented")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")
    practice.asks(ANN, "recall", manual=True).needs_confirmation("marketing_not_consented_notice")
    practice.learns_preference(ANN, "consented")
    practice.asks(ANN, "marketing").is_allowed("consented")
    practice.asks(ANN, "recall", manual=True).is_allowed("no_consent_needed")


def test_an_unreadable_preference_is_shown_and_never_blocks(practice: Clinic) -> None:
    """R-B3: `confirm` by hand, `allow` automated."""
    practice.learns_preference(ANN, "unreadable")
    practice.asks(ANN, "recall", manual=True).needs_confirmation("preference_unreadable_notice")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_of_several_systems_the_strictest_counts(practice: Clinic) -> None:
    """Section 2: the latest of each system, and of the systems the strictest."""
    practice.learns_preference(ANN, "consented", "practice")
    practice.learns_preference(ANN, "not_consented", "billing")
    practice.asks(ANN, "marketing").is_denied("marketing_not_consented")
    practice.learns_preference(ANN, "consented", "billing")
    practice.asks(ANN, "marketing").is_allowed("consented")


def test_the_contacts_later_grant_outranks_the_system_of_record(practice: Clinic) -> None:
    """Rows 9 and 13: unless the contact granted later."""
    practice.learns_preference(ANN, "not_consented")
    practice.requests(ANN, purposes=["marketing"])
    practice.hears(ANN, "CONSENT")
    practice.asks(ANN, "marketing").is_allowed("consented")
    practice.asks(ANN, "recall", manual=True).is_allowed("no_consent_needed")
    practice.learns_preference(ANN, "not_consented")
    practice.asks(ANN, "marketing").is_denied("marketing_not_consented")


def test_a_reassigned_number_has_consented_to_nothing(clinic: Clinic) -> None:
    """R-F8: consent, requests and held texts from before are void."""
    clinic.consents(ANN, occurred_at=ago(days=10))
    answer = clinic.post("/v1/reassignments", number=ANN, disconnected_on=day(5), evidence="q-1")
    answer.recorded("NumberReassigned")
    clinic.asks(ANN).is_deferred("consent_required")
    clinic.asks(ANN, as_of=ago(days=8)).is_allowed("consented")
    clinic.consents(ANN, occurred_at=ago(days=3))
    clinic.asks(ANN).is_allowed("consented")


def test_an_opt_out_outlives_a_reassignment(clinic: Clinic) -> None:
    """R-F8: opt-outs and declines stay."""
    clinic.hears(ANN, "STOP", received_at=ago(days=10))
    clinic.hears(BEN, "DECLINE", received_at=ago(days=10))
    for number in (ANN, BEN):
        clinic.post("/v1/reassignments", number=number, disconnected_on=day(5))
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.asks(BEN).is_denied("consent_declined")


@pytest.mark.parametrize("days_ago", [0, -1])
def test_a_day_of_disconnection_lies_before_today(clinic: Clinic, days_ago: int) -> None:
    """R-F8: today may have seen a new consent already. A day that is read when the tests begin
    would be a past one after midnight."""
    is_no_day_of_disconnection(clinic, day(days_ago))


@pytest.mark.parametrize("when", ["9999-12-31", "2026-02-30", "soon", 20260304])
def test_a_day_of_disconnection_is_one_of_the_calendar(clinic: Clinic, when: object) -> None:
    """A date of RFC 3339, and none to come."""
    is_no_day_of_disconnection(clinic, when)


def is_no_day_of_disconnection(clinic: Clinic, when: object) -> None:
    """Refused, by the name of the field."""
    with clinic.unchanged():
        answer = clinic.post("/v1/reassignments", number=ANN, disconnected_on=when)
        assert answer.status == 422
        assert answer.response.json()["errors"][0]["pointer"] == "/disconnected_on"


def test_the_first_day_of_the_calendar_is_a_day(clinic: Clinic) -> None:
    """No day is too long ago."""
    answer = clinic.post("/v1/reassignments", number=ANN, disconnected_on="0001-01-01")
    answer.recorded("NumberReassigned")


def test_a_suspected_revocation_stops_everything_until_it_is_judged(clinic: Clinic) -> None:
    """R-K4: every purpose, at once; dismissed by an admin, texts go again."""
    clinic.consents(ANN)
    review = clinic.hears(ANN, "take me off your list").replied(None)["review_id"]
    for purpose in ("conversation", "recall", "appointment_reminder", "marketing"):
        answer = clinic.asks(ANN, purpose).is_denied("revocation_under_review")
    assert (answer["do_not_text"], answer["opted_out"]) == (True, False)
    (item,) = clinic.get("/v1/reviews")["items"]
    assert (item["review_id"], item["number_id"]) == (review, answer["number_id"])
    assert item["occurred_at"] == answer["since"]
    verdict = {"verdict": "dismissed", "by": "admin-1"}
    clinic.post(f"/v1/reviews/{review}", **verdict).recorded("RevocationDismissed")
    assert clinic.get("/v1/reviews")["items"] == []
    clinic.asks(ANN).is_allowed("consented")


def test_a_confirmed_revocation_is_a_stop_at_the_time_of_the_words(clinic: Clinic) -> None:
    """R-F10: and of two verdicts, revoked wins, in either order."""
    said_at = ago(days=2)
    for number, verdicts in ((ANN, ("revoked", "dismissed")), (BEN, ("dismissed", "revoked"))):
        review = clinic.hears(number, "lose my number", received_at=said_at)["review_id"]
        for verdict in verdicts:
            clinic.post(f"/v1/reviews/{review}", verdict=verdict, by="admin-1")
        answer = clinic.asks(number, "recall").is_denied("opted_out_by_contact")
        assert answer["since"] == said_at.replace("+00:00", "Z")


def test_evidence_tells_when_a_verdict_counts_and_the_history_when_it_was_given(
    clinic: Clinic,
) -> None:
    """R-F10: both are true, and the history has both of them."""
    review = clinic.hears(ANN, "lose my number", received_at=ago(days=2))["review_id"]
    clinic.post(f"/v1/reviews/{review}", verdict="revoked", by="admin-1")
    (counts,) = clinic.asks(ANN, "recall")["evidence"]
    (given,) = clinic.history(ANN, type="RevocationConfirmed")
    (words,) = clinic.history(ANN, type="RevocationSuspected")
    assert counts["event_id"] == given["event_id"]
    assert counts["occurred_at"] == words["occurred_at"] < given["occurred_at"]
    at = datetime.fromisoformat(words["occurred_at"])
    assert given["data"]["words_at"] == round(at.timestamp() * 1_000_000)


def test_a_verdict_is_somebodys(clinic: Clinic) -> None:
    """Who read the words is on record."""
    review = clinic.hears(ANN, "lose my number")["review_id"]
    clinic.post(f"/v1/reviews/{review}", verdict="revoked").problem(422, "missing", "/by")
    clinic.post(f"/v1/reviews/{review}", verdict="revoked", by="admin-1")
    assert clinic.history(ANN)[-1]["actor"] == {"kind": "admin", "id": "admin-1"}


def test_a_start_lifts_the_review(clinic: Clinic) -> None:
    """R-F10: the contact's own later word needs no judge."""
    clinic.hears(ANN, "lose my number", received_at=ago(hours=2))
    clinic.hears(ANN, "START", received_at=ago(hours=1)).replied("start_confirmation")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_reviews_come_in_pages(clinic: Clinic) -> None:
    """A cursor leads through them all, each once."""
    numbers = [f"+1415{5561000 + i:07}" for i in range(5)]
    expected = {clinic.hears(number, "lose my number")["review_id"] for number in numbers}
    found: list[str] = []
    cursor = ""
    for _ in range(6):
        page = clinic.get(f"/v1/reviews?limit=2{cursor}")
        found += [item["review_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(found) == 5
    assert set(found) == expected


@pytest.mark.parametrize("suffix", ["1", "0", "-1", "99", "2147483648", "9" * 5_000, "x", ""])
def test_a_review_that_is_none_is_404(clinic: Clinic, suffix: str) -> None:
    """An event that is no review, a version that never was, an id that is no id."""
    clinic.hears(ANN, "hello")
    number = clinic.number_id(ANN).hex
    for review in (f"{number}-{suffix}", f"nonsense-{suffix}", NO_REVIEW):
        answer = clinic.post(f"/v1/reviews/{review}", verdict="revoked", by="admin-1")
        answer.problem(404, "not-found")
