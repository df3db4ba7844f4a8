"""What was true, and what was told, on a day in the past (contract section 3)."""

from datetime import UTC, datetime

from tests.api.clinic import ANN, BEN, Clinic, ago
from tests.api.conftest import Open


def now() -> str:
    """This moment."""
    return datetime.now(UTC).isoformat()


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
        for name in told.body.keys() - {"answered_at", "position"}:
            assert answer[name] == told[name], name
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
