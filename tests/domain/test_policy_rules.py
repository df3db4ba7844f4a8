"""Policies as dated data: sections 7 and 8."""

import msgspec
import pytest
from msgspec.structs import replace

from consent_ledger.policy import (
    Policy,
    PolicyError,
    PolicyVersion,
    UnknownPresetError,
    amended,
    preset,
)
from consent_ledger.words import Level, Reason
from tests.story import DAY, T0, account, given


def test_the_flags_of_each_preset() -> None:
    """Section 7: the columns that are no purposes."""

    def flags(name: str) -> tuple[object, ...]:
        p = preset(name)
        return (
            p.missing_consent_denies,
            p.other_words_end_request,
            p.unnamed_users_may_text,
            p.reauthorise_after_stop,
            p.unreachable_limit,
            p.stop_on_other_number_denies,
            p.conversation_numbers_exclusive,
        )

    assert flags("consent-first") == (False, False, True, False, 3, True, True)
    assert flags("opt-out") == (False, False, True, False, 1, False, False)
    assert flags("recalls") == (False, False, True, False, 3, False, False)
    assert flags("authorization") == (True, True, False, True, 3, False, False)


def test_no_preset_sets_hours_or_exempts_a_purpose_from_review() -> None:
    """Section 7 and R-K4."""
    for name in ("consent-first", "opt-out", "recalls", "authorization"):
        for rule in preset(name).purposes.values():
            assert rule.hours is None
            assert not rule.exempt_from_review


def test_an_unknown_preset_is_an_error() -> None:
    """Section 7: there are four."""
    with pytest.raises(UnknownPresetError):
        preset("yes-to-all")


def test_a_policy_holds_from_its_date() -> None:
    """Section 8: a policy is data with a date; facts from before the first have the first."""
    strict = PolicyVersion(2, T0 + DAY, preset("authorization"))
    open_ = PolicyVersion(1, T0, preset("opt-out"))
    whose = account(policies=(open_, strict))
    story = given(whose=whose)
    story.asked("recall", at=T0 - DAY).answers(Reason.NO_CONSENT_NEEDED)
    story.asked("recall", at=T0 + DAY - 1).answers(Reason.NO_CONSENT_NEEDED)
    answered = story.asked("recall", at=T0 + DAY).answers(Reason.CONSENT_REQUIRED)
    assert answered.decision.policy_version == 2


def test_a_policy_is_stored_whole() -> None:
    """Section 3: the same inputs give the same answer for ever, whatever the defaults become."""
    stored = msgspec.json.decode(msgspec.json.encode(preset("opt-out")))
    assert set(stored) == set(Policy.__struct_fields__)
    assert set(stored["purposes"]["recall"]) >= {"needs_consent", "marketing", "level", "hours"}
    assert msgspec.convert(stored, Policy) == preset("opt-out")


def test_a_marketing_purpose_of_the_accounts_own_asks_for_consent_in_writing() -> None:
    """R-F3: unless the account says otherwise, as where implied consent will do."""
    own = {"marketing": True, "needs_consent": True}
    rule = amended("consent-first", {"purposes": {"offers": own}}).purposes["offers"]
    assert rule.level is Level.EXPRESS_WRITTEN
    looser = amended("consent-first", {"purposes": {"offers": {**own, "level": "implied"}}})
    assert looser.purposes["offers"].level is Level.IMPLIED


def test_changes_are_laid_over_a_preset() -> None:
    """Section 8: what is not named stays as the preset has it."""
    changes = {"unreachable_limit": 5, "purposes": {"recall": {"needs_consent": True}}}
    policy = amended("recalls", changes)
    assert policy.consent_purposes == ("recall",)
    rule = replace(policy.purposes["recall"], needs_consent=False)
    undone = replace(policy, unreachable_limit=3, purposes={**policy.purposes, "recall": rule})
    assert undone == preset("recalls")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"preset": "opt-out"}, "preset"),
        ({"purposes": 1}, "purposes"),
        ({"purposes": {"recall": 1}}, "purposes/recall"),
        ({"purposes": {"*": {}}}, "purposes"),
        ({"purposes": {"": {}}}, "purposes"),
        ({"unreachable_limit": "x"}, "unreachable_limit"),
        ({"unreachable_limit": 0}, "unreachable_limit"),
        ({"requests_allowed": 0}, "requests_allowed"),
        ({"requests_allowed": 9}, "requests_allowed"),
        ({"requests_days": 0}, "requests_days"),
        ({"request_repeat_days": -1}, "request_repeat_days"),
        ({"request_expires_days": 0}, "request_expires_days"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"time_zone": "right/UTC"}, "time_zone"),
        ({"time_zone": "x" * 5_000}, "time_zone"),
        ({"time_zone": "../UTC"}, "time_zone"),
        ({"purposes": {"recall": {"hours": {}}}}, "time_zone"),
        (
            {"purposes": {"recall": {"consent_days": {"implied": 0}}}},
            "purposes/recall/consent_days",
        ),
        (
            {"time_zone": "UTC", "purposes": {"recall": {"hours": {"start": 9, "end": 9}}}},
            "purposes/recall/hours",
        ),
        (
            {"time_zone": "UTC", "purposes": {"recall": {"hours": {"sunday_start": -5}}}},
            "purposes/recall/hours",
        ),
    ],
)
def test_a_policy_that_cannot_be_is_refused(changes: dict[str, object], field: str) -> None:
    """Section 8: the error names where; a limit that could not be counted is none."""
    with pytest.raises(PolicyError) as refused:
        amended("consent-first", changes)
    assert refused.value.field == field
