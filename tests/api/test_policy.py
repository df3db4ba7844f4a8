"""The account's rules: presets by name, dated, in versions (contract section 7)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.clinic import ANN, Clinic, ago, ahead
from tests.api.conftest import Open

PRESETS = ["consent-first", "opt-out", "recalls", "authorization"]


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_answers_for_a_number_without_history(open_clinic: Open, preset: str) -> None:
    """Section 7 of the rulebook: what needs consent, and what a missing one means."""
    clinic = open_clinic(preset)
    reasons = [
        clinic.asks(ANN, purpose)["reason"]
        for purpose in ("conversation", "appointment_reminder", "recall", "marketing")
    ]
    assert (
        reasons
        == {
            "consent-first": ["consent_required", *["no_consent_needed"] * 2, "consent_required"],
            "opt-out": [*["no_consent_needed"] * 3, "presumed_by_policy"],
            "recalls": [*["no_consent_needed"] * 3, "consent_required"],
            "authorization": ["consent_required"] * 4,
        }[preset]
    )
    decision = "deny" if preset == "authorization" else "defer"
    if preset != "opt-out":
        assert clinic.asks(ANN, "marketing")["decision"] == decision
    found = clinic.get("/v1/policy")
    assert (found["preset"], found["version"]) == (preset, 1)


def test_a_policy_is_adopted_at_once_and_keeps_the_old_ones(clinic: Clinic) -> None:
    """R-O4: the very next answer is under the new version, and every version is told."""
    answer = clinic.adopts("opt-out").recorded("PolicyAdopted")
    assert answer["policy_version"] == 2
    assert clinic.asks(ANN).is_allowed("no_consent_needed")["policy_version"] == 2
    found = clinic.get("/v1/policy", "auditor")
    assert (found["version"], found["preset"]) == (2, "opt-out")
    assert [each["preset"] for each in found["versions"]] == ["consent-first", "opt-out"]


def test_a_policy_of_the_future_holds_when_its_day_comes(clinic: Clinic) -> None:
    """A policy is data with a date: adopted today, it holds from then on."""
    soon = ahead(seconds=1.2)
    clinic.adopts("opt-out", effective_from=soon)
    clinic.adopts("authorization", effective_from=ahead(days=30))
    clinic.asks(ANN).is_deferred("consent_required")
    found = clinic.get("/v1/policy")
    assert (found["version"], len(found["versions"])) == (1, 3)
    while datetime.now(UTC).isoformat() <= soon:
        pass
    clinic.asks(ANN).is_allowed("no_consent_needed")
    assert clinic.get("/v1/policy")["version"] == 2
    clinic.asks(ANN, as_of=ago(days=1)).is_deferred("consent_required")


def test_a_policy_never_holds_for_the_past(clinic: Clinic) -> None:
    """What was answered yesterday was answered under yesterday's rules."""
    clinic.adopts("opt-out", effective_from=ago(days=30))
    clinic.asks(ANN, as_of=ago(days=1)).is_deferred("consent_required")
    clinic.asks(ANN).is_allowed("no_consent_needed")


def test_what_differs_from_a_preset_is_laid_over_it(clinic: Clinic) -> None:
    """And a purpose of the account's own is asked about like any other."""
    rules = {"survey": {"needs_consent": True}, "recall": {"needs_consent": True}}
    clinic.adopts("opt-out", changes={"purposes": rules, "requests_allowed": 1})
    clinic.asks(ANN, "survey").is_deferred("consent_required")
    clinic.asks(ANN, "recall").is_deferred("consent_required")
    clinic.asks(ANN).is_allowed("no_consent_needed")
    policy = clinic.get("/v1/policy")["policy"]
    assert policy["requests_allowed"] == 1
    assert policy["purposes"]["survey"]["needs_consent"] is True
    assert policy["unreachable_limit"] == 1


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"no_such_field": 1}, "/no_such_field"),
    ({"preset": "recalls"}, "/preset"),
    ({"unreachable_limit": 0}, "/unreachable_limit"),
    ({"requests_allowed": 99}, "/requests_allowed"),
    ({"request_expires_days": 0}, "/request_expires_days"),
    ({"requests_days": 10**30}, "/requests_days"),
    ({"request_repeat_days": 10**30}, "/request_repeat_days"),
    ({"unreachable_limit": 10**30}, "/unreachable_limit"),
    ({"request_expires_days": 10**30}, "/request_expires_days"),
    ({"unreachable_limit": "many"}, "/unreachable_limit"),
    ({"unreachable_limit": 1.5}, "/unreachable_limit"),
    ({"time_zone": "Mars/Base"}, "/time_zone"),
    ({"time_zone": "America"}, "/time_zone"),
    ({"time_zone": "../../etc/passwd"}, "/time_zone"),
    ({"time_zone": "x" * 5000}, "/time_zone"),
    ({"purposes": 7}, "/purposes"),
    ({"purposes": {"recall": 7}}, "/purposes/recall"),
    ({"purposes": {"recall": {"level": "shouted"}}}, "/purposes/recall/level"),
    ({"purposes": {"recall": {"hours": {}}}}, "/time_zone"),
    ({"time_zone": "UTC", "purposes": {"recall": {"hours": {"start": 9, "end": 8}}}}, "/purposes"),
    ({"purposes": {"recall": {"consent_days": {"implied": 10**30}}}}, "/purposes/recall"),
    ({"purposes": {"": {}}}, "/purposes"),
    ({"purposes": {"recall": {"need_consent": True}}}, "/purposes/recall/need_consent"),
    ({"purposes": {"recall": {"hours": {"begin": 8}}}}, "/purposes/recall/hours/begin"),
    ({"purposes": {"+14155550131": {}}}, "/purposes"),
    ({"purposes": {"Recall Now": {}}}, "/purposes"),
]


@pytest.mark.parametrize(("changes", "pointer"), REFUSED, ids=[str(r[0])[:50] for r in REFUSED])
def test_a_policy_that_cannot_be_is_refused_by_its_field(
    clinic: Clinic, changes: dict[str, Any], pointer: str
) -> None:
    """422, nothing adopted, and the value is not repeated."""
    with clinic.unchanged():
        found = clinic.adopts("recalls", changes=changes).problem(422, "policy-refused")
    assert found["errors"][0]["pointer"].startswith(f"/changes{pointer}")
    text = str(found)
    assert not any(said in text for said in ("Mars", "shouted", "many", "14155550131", "9999"))
    clinic.asks(ANN).is_deferred("consent_required")


def test_a_preset_that_is_none_is_refused(clinic: Clinic) -> None:
    """The four names are told."""
    found = clinic.adopts("consent-last").problem(422, "unknown-preset", "/preset")
    assert all(preset in found["detail"] for preset in PRESETS)
    assert "consent-last" not in str(found)


def test_a_purpose_that_is_gone_leaves_its_held_texts_held(open_clinic: Open) -> None:
    """A text of a purpose that the account has no more is released to nobody, and nothing fails."""
    clinic = open_clinic("opt-out", purposes={"survey": {"needs_consent": True}})
    clinic.sends(ANN, "survey", "out-1").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    assert clinic.releasable() == ["out-1"]
    clinic.adopts("opt-out")
    assert (clinic.releasable(), clinic.fate("out-1")) == ([], "deferred")
    clinic.releases("out-1").problem(409, "not-releasable")
    clinic.asks(ANN, "survey").problem(422, "unknown-purpose", "/purpose")
    clinic.sends(ANN, "survey", "out-1").is_("deferred").recorded()
    clinic.adopts("opt-out", changes={"purposes": {"survey": {"needs_consent": True}}})
    assert clinic.releasable() == ["out-1"]
