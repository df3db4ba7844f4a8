"""What was true, and what was told, on a day in the past (contract section 3)."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, DESK, Clinic, ago, ahead
from tests.api.conftest import Open


def now() -> str:
    """This moment."""
    return datetime.now(UTC).isoformat()


def told_again(clinic: Clinic, told: Answer, **question: Any) -> None:
    """Asked later what was told at the instant of an answer, the ledger tells the same."""
    then = told["answered_at"]
    answer = clinic.asks(ANN, **question, as_of=then, known_at=then)
    for name in told.body.keys() - {"answered_at", "position"}:
        assert answer[name] == told[name], name


def test_as_of_answers_for_then_with_all_that_is_known_now(open_clinic: Open) -> None:
    """A STOP that is learnt late counts from when it was said."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP", occurred_at=ago(days=10))
    clinic.hears(ANN, "START", occurred_at=ago(days=5))
    clinic.asks(ANN, as_of=ago(days=11)).is_allowed("no_consent_needed")
    clinic.asks(ANN, as_of=ago(days=9)).is_denied("opted_out_by_contact")
    clinic.asks(ANN, as_of=ago(days=4)).is_allowed("no_consent_needed")
    clinic.asks(ANN).is_allowed("no_consent_needed")


def test_known_at_answers_with_what_was_recorded_by_then(open_clinic: Open) -> None:
    """A STOP that arrived later was not known, whenever it had been said."""
    clinic = open_clinic("opt-out")
    clinic.asks(ANN).is_allowed("no_consent_needed")
    before = now()
    clinic.hears(ANN, "STOP", occurred_at=ago(days=10))
    clinic.asks(ANN, known_at=before).is_allowed("no_consent_needed")
    clinic.asks(ANN, known_at=now()).is_denied("opted_out_by_contact")


def test_both_together_say_what_a_sender_was_told_that_day(open_clinic: Open) -> None:
    """At that moment, with what was on record at that moment, under the rules of that moment."""
    clinic = open_clinic("consent-first")
    told_first = clinic.asks(ANN)
    first = told_first["answered_at"]
    clinic.consents(ANN)
    told_second = clinic.asks(ANN)
    second = told_second["answered_at"]
    clinic.hears(ANN, "STOP", occurred_at=ago(days=3))
    clinic.adopts("authorization")
    clinic.permits("jo", "deny")
    for then, told in ((first, told_first), (second, told_second)):
        answer = clinic.asks(ANN, as_of=then, known_at=then)
        assert (answer["as_of"], answer["known_at"]) == (then, then)
        told_again(clinic, told)
    clinic.asks(ANN, as_of=second).is_denied("opted_out_by_contact")


def test_the_past_holds_to_the_policy_and_the_set_up_of_then(clinic: Clinic) -> None:
    """A permission that was given later was not there, a policy adopted later did not hold."""
    before = clinic.asks(ANN, sent_by="jo")["answered_at"]
    clinic.permits("jo", "deny")
    clinic.adopts("opt-out")
    clinic.asks(ANN, sent_by="jo").is_denied("sender_not_permitted")
    clinic.asks(ANN, sent_by="jo", known_at=before).is_deferred("consent_required")
    answer = clinic.asks(ANN, as_of=before).is_deferred("consent_required")
    assert answer["policy_version"] == 1


@pytest.mark.parametrize("words", ["STOP", "lose my number", "START", "CONSENT"])
def test_words_from_a_clock_that_runs_ahead_were_heard_when_they_were_recorded(
    open_clinic: Open, words: str
) -> None:
    """R-O3: a time some minutes ahead is believed and counts at once, so it did in the past too."""
    clinic = open_clinic("consent-first")
    if words == "START":
        clinic.hears(ANN, "STOP", received_at=ago(days=1))
    before = clinic.asks(ANN)
    clinic.hears(ANN, words, received_at=ahead(minutes=3))
    told = clinic.asks(ANN)
    assert told["reason"] != before["reason"]
    told_again(clinic, before)
    told_again(clinic, told)
    assert clinic.asks(ANN, as_of=told["answered_at"])["reason"] == told["reason"]
    assert clinic.asks(ANN, as_of=before["answered_at"])["reason"] == before["reason"]


def test_a_verdict_on_words_from_a_clock_that_runs_ahead_shifts_nothing(clinic: Clinic) -> None:
    """R-O0: what is told after it is recorded at its own time, and the past has it from then on."""
    suspected = clinic.hears(ANN, "lose my number", received_at=ahead(minutes=3))
    clinic.judges(suspected["review_id"], "dismissed")
    clinic.hears(ANN, "STOP").understood_as("stop")
    told = clinic.asks(ANN).is_denied("opted_out_by_contact")
    recorded = [event["recorded_at"] for event in clinic.history(ANN)]
    assert max(recorded) < told["answered_at"]
    told_again(clinic, told)


def test_the_state_of_then_has_what_was_recorded_by_then(clinic: Clinic) -> None:
    """As in a check: a preference dated a little ahead is on record from its recording on."""
    preference = {"value": "not_consented", "system": "practice", "occurred_at": ahead(minutes=3)}
    clinic.post("/v1/preferences", number=ANN, **preference)
    then = clinic.looks_up(ANN)
    at = then["answered_at"]
    path = f"/v1/numbers/{then['number_id']}/state?as_of={at}&known_at={at}"
    assert clinic.get(path)["preferences"] == then["preferences"] == {"practice": "not_consented"}


def test_users_and_groups_may_in_the_past_what_they_might_then(open_clinic: Open) -> None:
    """R-L2: a permission holds from when it was given until it was taken, also by `as_of` alone."""
    clinic = open_clinic("recalls")

    def told() -> tuple[Answer, Answer]:
        return clinic.asks(ANN, "recall", sent_by="jo"), clinic.asks(ANN, "recall", sent_by="kim")

    clinic.permits("kim", "inherit", groups=["trainees"])
    days = [told()]
    clinic.permits("jo", "deny")
    days.append(told())
    clinic.permits_group("trainees", "deny")
    days.append(told())
    clinic.permits("jo", "allow")
    days.append(told())
    found = [(jo["may_text"], kim["may_text"]) for jo, kim in days]
    assert found == [(True, True), (False, True), (False, False), (True, False)]
    for day in days:
        for user, answer in zip(("jo", "kim"), day, strict=True):
            told_again(clinic, answer, purpose="recall", sent_by=user)
            then = clinic.asks(ANN, "recall", sent_by=user, as_of=answer["answered_at"])
            assert (then["reason"], then["explanation"]) == (
                answer["reason"],
                answer["explanation"],
            )


def test_places_are_in_the_past_what_they_were_then(open_clinic: Open) -> None:
    """R-M10: what was not there yet is unknown, and what is gone now was there then."""
    clinic = open_clinic("recalls")
    asked: list[tuple[dict[str, str], Answer]] = []

    def ask() -> None:
        for place in ({"location": "main"}, {"sending_number": DESK}):
            asked.append((place, clinic.asks(ANN, "recall", **place)))

    ask()
    clinic.post("/v1/locations", id="main", name="Main Street")
    ask()
    clinic.post("/v1/sending-numbers", number=DESK, location="main", purposes=["recall"])
    ask()
    clinic.post("/v1/locations", id="main", name="Lake Road")
    clinic.call("DELETE", "/v1/locations/main")
    ask()
    may = [answer["may_text"] for _, answer in asked]
    assert may == [False, False, False, False, True, True, False, False]
    assert len({answer["explanation"] for _, answer in asked}) == 5
    for place, told in asked:
        then = clinic.asks(ANN, "recall", **place, as_of=told["answered_at"])
        assert (then["reason"], then["explanation"]) == (told["reason"], told["explanation"])


def test_what_was_known_of_the_set_up_limits_what_held_of_it(open_clinic: Open) -> None:
    """With both times, the earlier one: nothing was known before it was set, nor held."""
    clinic = open_clinic("recalls")
    first = clinic.asks(ANN, "recall", sent_by="jo")["answered_at"]
    clinic.permits("jo", "deny")
    second = clinic.asks(ANN, "recall", sent_by="jo")["answered_at"]
    for times in (
        {"as_of": first, "known_at": second},
        {"as_of": second, "known_at": first},
        {"as_of": first},
        {"known_at": first},
    ):
        clinic.asks(ANN, "recall", sent_by="jo", **times).is_allowed("no_consent_needed")
    for times in ({"as_of": second, "known_at": second}, {"as_of": second}, {"known_at": second}):
        clinic.asks(ANN, "recall", sent_by="jo", **times).is_denied("sender_not_permitted")


def test_before_the_account_was_opened_its_set_up_of_today_answers(open_clinic: Open) -> None:
    """Nothing is known of users and places of that time; a list may bring facts that are older."""
    clinic = open_clinic("authorization")
    clinic.permits("jo", "allow")
    clinic.opens_location("main")
    clinic.consents(ANN, occurred_at=ago(days=30))
    question = {"sent_by": "jo", "location": "main", "manual": True}
    clinic.asks(ANN, **question, as_of=ago(days=10)).is_allowed("consented")
    clinic.asks(ANN, **question, as_of=ago(days=31)).is_denied("consent_required")


def test_the_other_numbers_of_a_contact_are_seen_as_of_then_too(clinic: Clinic) -> None:
    """R-M5 in the past: their STOP is looked up at the same moment."""
    clinic.hears(BEN, "STOP", occurred_at=ago(days=10))
    others = {"contact_numbers": [BEN]}
    clinic.asks(ANN, "recall", as_of=ago(days=11), **others).is_allowed("no_consent_needed")
    clinic.asks(ANN, "recall", as_of=ago(days=9), **others).is_denied("opted_out_on_other_number")


def test_the_past_says_when_a_grant_had_lapsed(open_clinic: Open) -> None:
    """Implied consent lives for two years where the policy says so (rulebook section 8)."""
    rule = {"conversation": {"consent_days": {"implied": 730}}}
    clinic = open_clinic("consent-first", purposes=rule)
    clinic.consents(ANN, level="implied", occurred_at=ago(days=731))
    clinic.asks(ANN, as_of=ago(days=2)).is_allowed("consented")
    clinic.asks(ANN).is_deferred("consent_required")


A_FACT_OF_A_LATER_VERSION = """
WITH next AS (
    UPDATE account_status SET version = version + 1, state = convert_to(
        jsonb_set(convert_from(state, 'UTF8')::jsonb, '{version}', to_jsonb(version + 1))::text,
        'UTF8')
    WHERE account_id = %(account)s RETURNING version
)
INSERT INTO events
    (originator_id, originator_version, account_id, position, recorded_at, topic, state)
SELECT %(account)s, version, %(account)s, ledger_base(),
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'FromTheFuture', '[]' FROM next"""


def test_a_set_up_of_then_that_cannot_be_read_is_a_no(open_clinic: Open) -> None:
    """Rulebook section 2: a deny, and no error; what is read without it is answered as ever."""
    clinic = open_clinic("recalls")
    before = clinic.asks(ANN, "recall")["answered_at"]
    with psycopg.connect(clinic.service.database_url) as conn:
        conn.execute(A_FACT_OF_A_LATER_VERSION, {"account": clinic.account_id})
    then = now()
    clinic.permits("jo", "deny")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.asks(ANN, "recall", as_of=before).is_allowed("no_consent_needed")
    for times in ({"as_of": then}, {"known_at": then}, {"as_of": then, "known_at": then}):
        clinic.asks(ANN, "recall", **times).is_denied("record_unreadable")
    path = f"/v1/numbers/{clinic.number_id(ANN)}/state?as_of="
    clinic.hears(ANN, "STOP")
    clinic.get(f"{path}{then.replace('+00:00', 'Z')}").problem(503, "unavailable")
