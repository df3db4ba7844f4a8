"""Policies are data with a date: what holds when, to the instant, and what outlives a change."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead
from tests.api.conftest import Open

PRESETS = ("consent-first", "opt-out", "recalls", "authorization")
PURPOSES = ("conversation", "appointment_reminder", "recall", "marketing")
TICK = timedelta(microseconds=1)


def moment(text: str) -> datetime:
    """The time that RFC 3339 names."""
    return datetime.fromisoformat(text)


def wait_for(at: datetime) -> None:
    """Returns when it is later than that by the clock of this machine, which the database has."""
    while datetime.now(UTC) <= at:
        time.sleep(0.005)


def effective(clinic: Clinic) -> list[datetime]:
    """From when each version holds."""
    return [moment(each["effective_from"]) for each in clinic.get("/v1/policy")["versions"]]


def test_a_policy_holds_from_its_instant_on_and_not_before(clinic: Clinic) -> None:
    """To the microsecond, also where the change is long over when it is asked about."""
    clinic.adopts("opt-out")
    clinic.adopts("authorization")
    _, second, third = effective(clinic)
    for at, version, reason in (
        (second - TICK, 1, "consent_required"),
        (second, 2, "no_consent_needed"),
        (third - TICK, 2, "no_consent_needed"),
        (third, 3, "consent_required"),
    ):
        answer = clinic.asks(ANN, as_of=at.isoformat())
        assert (answer["policy_version"], answer["reason"]) == (version, reason)
    assert clinic.asks(ANN, as_of=(second - TICK).isoformat())["decision"] == "defer"
    assert clinic.asks(ANN, as_of=third.isoformat())["decision"] == "deny"


def test_a_policy_that_was_not_known_yet_does_not_answer_for_then(clinic: Clinic) -> None:
    """`known_at` leaves out what was adopted later, whatever time is asked about."""
    before = clinic.asks(ANN)["answered_at"]
    clinic.adopts("opt-out")
    after = clinic.asks(ANN)["answered_at"]
    clinic.asks(ANN, as_of=after, known_at=after).is_allowed("no_consent_needed")
    unknown = clinic.asks(ANN, as_of=after, known_at=before).is_deferred("consent_required")
    assert unknown["policy_version"] == 1
    known = clinic.asks(ANN, as_of=before, known_at=after).is_deferred("consent_required")
    assert known["policy_version"] == 1


def test_of_the_policies_in_force_the_one_that_began_last_holds(clinic: Clinic) -> None:
    """A later adoption does not put off one that was dated ahead; of one instant the newer wins."""
    soon = ahead(seconds=1.5)
    clinic.adopts("authorization", effective_from=soon)
    clinic.adopts("recalls", effective_from=soon)
    clinic.adopts("opt-out")
    marketing = clinic.asks(ANN, "marketing").is_allowed("presumed_by_policy")
    assert marketing["policy_version"] == 4
    wait_for(moment(soon))
    assert clinic.asks(ANN).is_allowed("no_consent_needed")["policy_version"] == 3
    clinic.asks(ANN, "marketing").is_deferred("consent_required")
    assert clinic.get("/v1/policy")["version"] == 3
    last = (moment(soon) - TICK).isoformat()
    assert clinic.asks(ANN, "marketing", as_of=last)["policy_version"] == 4


def test_a_text_is_decided_by_the_policy_of_its_instant(clinic: Clinic) -> None:
    """In a check, a batch and a message alike; what was decided stays as it was."""
    soon = ahead(seconds=1)
    clinic.adopts("opt-out", effective_from=soon)
    clinic.sends(ANN, "conversation", "early").is_("deferred", "consent_required")
    wait_for(moment(soon))
    items = [{"number": BEN}, {"number": CARA}]
    batch = clinic.post("/v1/checks/batch", "sender", purpose="conversation", items=items)
    assert {each["policy_version"] for each in batch["results"]} == {2}
    assert all(each["may_text"] for each in batch["results"])
    sent = clinic.sends(BEN, "conversation").is_("permitted", "no_consent_needed")
    assert sent["policy_version"] == 2
    first, *_ = clinic.history(ANN, type="MessageDeferred")
    assert (first["policy_version"], first["data"]["reason"]) == (1, "consent_required")


def test_every_switch_of_presets_answers_as_if_it_had_always_held(open_clinic: Open) -> None:
    """What is on record stays; only the rules change, whichever came before."""
    clinic = open_clinic()
    clinic.consents(BEN, "conversation", "recall")
    clinic.hears(CARA, "STOP")

    def answers(asked: Clinic) -> list[tuple[str, str]]:
        found = [asked.asks(n, p) for n in (ANN, BEN, CARA) for p in PURPOSES]
        return [(each["decision"], each["reason"]) for each in found]

    always = {}
    for preset in PRESETS:
        fresh = open_clinic(preset)
        fresh.consents(BEN, "conversation", "recall")
        fresh.hears(CARA, "STOP")
        always[preset] = answers(fresh)
    assert len({str(each) for each in always.values()}) == len(PRESETS)
    for first in PRESETS:
        for then in PRESETS:
            clinic.adopts(first)
            clinic.adopts(then)
            assert answers(clinic) == always[then], (first, then)


def test_a_purpose_of_the_accounts_own_asks_for_what_it_is(open_clinic: Open) -> None:
    """R-F3: marketing for consent in writing, another for any consent, a third for none."""
    clinic = open_clinic(
        "opt-out",
        purposes={
            "offers": {"marketing": True, "needs_consent": True},
            "survey": {"needs_consent": True},
            "parking": {},
        },
    )
    clinic.asks(ANN, "parking").is_allowed("no_consent_needed")
    clinic.consents(ANN, "offers", "survey", level="express")
    clinic.asks(ANN, "survey").is_allowed("consented")
    clinic.asks(ANN, "offers").is_deferred("consent_required")
    clinic.consents(ANN, "offers", level="express_written")
    clinic.asks(ANN, "offers").is_allowed("consented")
    clinic.hears(BEN, "CONSENT")
    clinic.asks(BEN, "survey").is_allowed("consented")
    clinic.asks(BEN, "offers").is_deferred("consent_required")


def test_a_grant_lapses_at_the_instant_its_level_says(open_clinic: Open) -> None:
    """Section 8: each level has a life of its own; what has lapsed is as if never given."""
    lives = {"implied": 10, "express": 20}
    clinic = open_clinic("consent-first", purposes={"conversation": {"consent_days": lives}})
    given = datetime.now(UTC) - timedelta(days=30)
    for number, level, days in ((ANN, "implied", 10), (BEN, "express", 20)):
        clinic.consents(number, level=level, occurred_at=given.isoformat())
        over = given + timedelta(days=days)
        clinic.asks(number, as_of=(over - TICK).isoformat()).is_allowed("consented")
        lapsed = clinic.asks(number, as_of=over.isoformat()).is_deferred("consent_required")
        assert lapsed["consent"] == "none"
    clinic.consents(CARA, level="express_written", occurred_at=given.isoformat())
    clinic.asks(CARA).is_allowed("consented")


def test_a_shorter_life_of_consent_counts_from_its_own_date(clinic: Clinic) -> None:
    """A grant that the policy of today lets lapse was good under that of yesterday."""
    clinic.consents(ANN, occurred_at=ago(days=30))
    rule = {"purposes": {"conversation": {"consent_days": {"express": 10}}}}
    clinic.adopts("consent-first", changes=rule)
    clinic.asks(ANN).is_deferred("consent_required")
    clinic.asks(ANN, as_of=ago(days=1)).is_allowed("consented")
    clinic.adopts("consent-first")
    clinic.asks(ANN).is_allowed("consented")


def test_a_request_waits_until_the_instant_the_policy_says(open_clinic: Open) -> None:
    """R-L3: `request_expires_days`, and a new request may go then."""
    clinic = open_clinic("consent-first", request_expires_days=5)
    asked = datetime.now(UTC) - timedelta(days=6)
    clinic.requests(ANN, occurred_at=asked.isoformat()).recorded("ConsentRequested")
    over = asked + timedelta(days=5)
    waits = clinic.asks(ANN, as_of=(over - TICK).isoformat()).is_deferred("consent_pending")
    assert waits["consent"] == "requested"
    ended = clinic.asks(ANN, as_of=over.isoformat()).is_deferred("consent_required")
    assert ended["consent"] == "none"
    clinic.requests(ANN).recorded("ConsentRequested")
    clinic.adopts("consent-first")
    clinic.requests(BEN, occurred_at=asked.isoformat())
    clinic.asks(BEN).is_deferred("consent_pending")


def test_how_often_may_be_asked_is_the_policys(open_clinic: Open) -> None:
    """R-F9: `requests_allowed` in `requests_days`, by the policy of the day it is asked."""
    clinic = open_clinic("consent-first", requests_allowed=1, requests_days=20)
    clinic.requests(ANN, occurred_at=ago(days=10)).recorded("ConsentRequested")
    clinic.requests(BEN, occurred_at=ago(days=21)).recorded("ConsentRequested")
    refused = clinic.requests(ANN).problem(409, "consent-request-refused")
    assert refused["reason"] == "request_limit_reached"
    clinic.requests(BEN).recorded("ConsentRequested")
    clinic.adopts("consent-first", changes={"requests_allowed": 2, "requests_days": 20})
    clinic.requests(ANN).recorded("ConsentRequested")


def test_hours_that_are_set_today_did_not_bind_yesterday(open_clinic: Open) -> None:
    """Row 14: permitted hours are dated like all the rest, the zone they are read in too."""
    clinic = open_clinic("recalls")
    closed = datetime.now(UTC).hour
    rule = {"start": closed + 1, "end": closed + 2} if closed < 22 else {"start": 0, "end": 1}
    changes: dict[str, Any] = {"time_zone": "UTC", "purposes": {"recall": {"hours": rule}}}
    clinic.adopts("recalls", changes=changes)
    if datetime.now(UTC).hour == closed:
        clinic.asks(ANN, "recall").is_deferred("quiet_hours")
    clinic.asks(ANN, "conversation").is_allowed("no_consent_needed")
    clinic.asks(ANN, "recall", as_of=ago(days=1)).is_allowed("no_consent_needed")
    whole_day = {"start": 0, "end": 24}
    changes["purposes"]["recall"]["hours"] = whole_day
    clinic.adopts("recalls", changes=changes)
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_a_looser_limit_of_today_lifts_no_suppression_of_yesterday(open_clinic: Open) -> None:
    """R-F7: a report keeps the limit of its own policy version."""
    clinic = open_clinic("recalls", unreachable_limit=1)
    clinic.reports(ANN, "30003")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_system")
    clinic.adopts("recalls", changes={"unreachable_limit": 5})
    clinic.asks(ANN, "recall").is_denied("opted_out_by_system")
    clinic.reports(BEN, "30003")
    clinic.adopts("recalls", changes={"unreachable_limit": 2})
    clinic.asks(BEN, "recall").is_allowed("no_consent_needed")
    clinic.reports(BEN, "30003")
    clinic.asks(BEN, "recall").is_denied("opted_out_by_system")
    limits = [each["data"]["unreachable_limit"] for each in clinic.history(BEN)]
    assert limits == [5, 2]


RICH: dict[str, Any] = {
    "time_zone": "America/Chicago",
    "unreachable_limit": 7,
    "requests_allowed": 1,
    "requests_days": 60,
    "request_repeat_days": 3,
    "request_expires_days": 14,
    "purposes": {
        "recall": {"hours": {"start": 9, "end": 20, "sunday_start": 12}},
        "marketing": {"needs_consent": True, "level": "express"},
        "offers": {"marketing": True, "needs_consent": True},
        "survey": {"needs_consent": True, "consent_days": {"implied": 30, "express": 90}},
        "parking": {"exempt_from_review": True},
    },
}


@pytest.mark.parametrize("changes", [{}, RICH], ids=["as it is", "changed"])
@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_shown_of_a_policy_adopts_it_again(
    open_clinic: Open, preset: str, changes: dict[str, Any]
) -> None:
    """GET's policy can be PUT: the same rules come of it, whichever held in between."""
    clinic = open_clinic(preset, **changes)
    shown = clinic.get("/v1/policy")["policy"]
    assert all(shown[field] == value for field, value in changes.items() if field != "purposes")
    clinic.adopts("opt-out" if preset != "opt-out" else "authorization")
    fields = {name: value for name, value in shown.items() if name != "preset"}
    clinic.adopts(shown["preset"], changes=fields).recorded("PolicyAdopted")
    again = clinic.get("/v1/policy")
    assert (again["policy"], again["preset"], again["version"]) == (shown, preset, 3)


REFUSED: list[tuple[dict[str, Any], str]] = [
    *(
        ({field: "no"}, f"/{field}")
        for field in (
            "missing_consent_denies",
            "other_words_end_request",
            "unnamed_users_may_text",
            "reauthorise_after_stop",
            "request_after_decline",
            "stop_on_other_number_denies",
            "conversation_numbers_exclusive",
        )
    ),
    ({"requests_allowed": 0}, "/requests_allowed"),
    ({"requests_allowed": None}, "/requests_allowed"),
    ({"requests_days": 0}, "/requests_days"),
    ({"request_repeat_days": -1}, "/request_repeat_days"),
    ({"request_expires_days": "soon"}, "/request_expires_days"),
    ({"time_zone": 7}, "/time_zone"),
    ({"purposes": {"recall": {"needs_consent": 1}}}, "/purposes/recall/needs_consent"),
    ({"purposes": {"recall": {"marketing": "a bit"}}}, "/purposes/recall/marketing"),
    ({"purposes": {"recall": {"level": None}}}, "/purposes/recall/level"),
    ({"purposes": {"recall": {"exempt_from_review": 2}}}, "/purposes/recall/exempt_from_review"),
    ({"purposes": {"recall": {"consent_days": {"vague": 9}}}}, "/purposes/recall/consent_days"),
    ({"purposes": {"recall": {"consent_days": {"express": 0}}}}, "/purposes/recall/consent_days"),
    ({"purposes": {"recall": {"consent_days": 9}}}, "/purposes/recall/consent_days"),
    ({"purposes": {"recall": {"hours": 9}}}, "/purposes/recall/hours"),
    ({"purposes": {"recall": {"hours": {"start": "8"}}}}, "/purposes/recall/hours"),
    (
        {"time_zone": "UTC", "purposes": {"recall": {"hours": {"end": 25}}}},
        "/purposes/recall/hours",
    ),
    (
        {"time_zone": "UTC", "purposes": {"recall": {"hours": {"sunday_start": 25}}}},
        "/purposes/recall/hours",
    ),
]


@pytest.mark.parametrize(("changes", "pointer"), REFUSED, ids=[str(r[0])[:60] for r in REFUSED])
def test_each_field_is_refused_by_its_name(
    clinic: Clinic, changes: dict[str, Any], pointer: str
) -> None:
    """Adopted or only tried, a field that cannot be is named, and nothing is recorded."""
    with clinic.unchanged():
        for method, path in (("PUT", "/v1/policy"), ("POST", "/v1/policy/simulate")):
            body = {"preset": "recalls", "changes": changes}
            found = clinic.call(method, path, "admin", body).problem(422, "policy-refused")
            assert found["errors"][0]["pointer"].startswith(f"/changes{pointer}")
            assert not any(said in str(found) for said in ("soon", "a bit", "vague"))
    assert clinic.get("/v1/policy")["version"] == 1
