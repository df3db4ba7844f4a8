"""The account's rules as dated data, and the four presets (rulebook sections 7 and 8)."""

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from consent_ledger.standing import MICROSECONDS, REQUESTS_KEPT
from consent_ledger.words import Level, Purpose

DAY: Final = 24 * 60 * 60 * MICROSECONDS
DAYS_LIMIT: Final = 36_500
"""A hundred years: longer than any consent, and far from where a calendar ends."""
PURPOSE_NAME: Final = re.compile("[a-z][a-z0-9_]{0,63}")
ENUM_VALUE: Final = re.compile("(?<=Invalid enum value) .*(?= - at )", re.DOTALL)
"""What a refusal may not repeat."""


class UnknownPresetError(ValueError):
    """No preset has this name."""


class Hours(msgspec.Struct, frozen=True):
    """Permitted local hours of a day, [start, end); `sunday_start` where a state asks for it."""

    start: int = 8
    end: int = 21
    sunday_start: int | None = None


class PurposeRule(msgspec.Struct, frozen=True):
    """What one purpose asks for.

    `level` is the weakest grant that covers it; `consent_days` the life of a grant by its level;
    `exempt_from_review` lets purely factual texts go while a revocation is under review (R-K4).
    """

    needs_consent: bool = False
    marketing: bool = False
    level: Level = Level.IMPLIED
    consent_days: dict[Level, int] = {}
    exempt_from_review: bool = False
    hours: Hours | None = None


class Policy(msgspec.Struct, frozen=True):
    """One version of an account's rules; the strict reading is the default (section 8).

    It is stored whole, defaults too: a default of tomorrow must not change a policy of today.
    """

    preset: str
    purposes: dict[str, PurposeRule]
    missing_consent_denies: bool = False
    other_words_end_request: bool = False
    unnamed_users_may_text: bool = True
    reauthorise_after_stop: bool = False
    request_after_decline: bool = True
    unreachable_limit: int = 3
    stop_on_other_number_denies: bool = False
    conversation_numbers_exclusive: bool = False
    requests_allowed: int = 2
    requests_days: int = 30
    request_repeat_days: int = 7
    request_expires_days: int | None = None
    time_zone: str | None = None

    @property
    def consent_purposes(self) -> tuple[str, ...]:
        """Every purpose that needs consent, marketing apart: what CONSENT opens unasked (R-F3)."""
        return tuple(
            name
            for name, rule in self.purposes.items()
            if rule.needs_consent and not rule.marketing
        )


class PolicyVersion(msgspec.Struct, frozen=True):
    """A policy and the instant from which it holds."""

    version: int
    effective_from: int
    policy: Policy


def _purposes(*needing_consent: Purpose) -> dict[str, PurposeRule]:
    return {
        str(purpose): PurposeRule(
            needs_consent=purpose in needing_consent,
            marketing=purpose is Purpose.MARKETING,
            level=Level.EXPRESS_WRITTEN if purpose is Purpose.MARKETING else Level.IMPLIED,
        )
        for purpose in Purpose
    }


PRESETS: Final[dict[str, Policy]] = {
    "consent-first": Policy(
        preset="consent-first",
        purposes=_purposes(Purpose.CONVERSATION, Purpose.MARKETING),
        stop_on_other_number_denies=True,
        conversation_numbers_exclusive=True,
    ),
    "opt-out": Policy(preset="opt-out", purposes=_purposes(), unreachable_limit=1),
    "recalls": Policy(preset="recalls", purposes=_purposes(Purpose.MARKETING)),
    "authorization": Policy(
        preset="authorization",
        purposes=_purposes(*Purpose),
        missing_consent_denies=True,
        other_words_end_request=True,
        unnamed_users_may_text=False,
        reauthorise_after_stop=True,
        request_after_decline=False,
    ),
}


def preset(name: str) -> Policy:
    """The preset of this name; UnknownPresetError if there is none."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownPresetError(f"presets are: {', '.join(PRESETS)}") from None


class PolicyError(ValueError):
    """A policy that cannot be; `field` is where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def amended(name: str, changes: dict[str, object]) -> Policy:
    """A preset with changes laid over it; PolicyError names the field that cannot be.

    `changes` has the fields of Policy; `purposes` maps a name to the fields of a PurposeRule that
    differ, or to a whole rule for a purpose of the account's own.
    """
    base = msgspec.to_builtins(preset(name))
    purposes = dict(base["purposes"])
    for purpose, rule in _rules(changes.get("purposes", {})).items():
        purposes[purpose] = {**purposes.get(purpose, _own(rule)), **rule}
    _check_fields("", changes, set(Policy.__struct_fields__) - {"preset"})
    merged = {**base, **changes, "purposes": purposes, "preset": name}
    try:
        policy = msgspec.convert(merged, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError("policy", ENUM_VALUE.sub("", str(error))) from None
    _check(policy)
    return policy


def _rules(asked: object) -> dict[str, dict[str, object]]:
    """The rules of the purposes named, their names and fields checked."""
    if not isinstance(asked, dict):
        raise PolicyError("purposes", "must be an object of purposes")
    for purpose, rule in asked.items():
        if not PURPOSE_NAME.fullmatch(purpose):
            raise PolicyError("purposes", "a purpose is named in small letters, digits and '_'")
        if not isinstance(rule, dict):
            raise PolicyError(f"purposes/{purpose}", "must be an object")
        _check_fields(f"purposes/{purpose}/", rule, set(PurposeRule.__struct_fields__))
        hours = rule.get("hours")
        if isinstance(hours, dict):
            _check_fields(f"purposes/{purpose}/hours/", hours, set(Hours.__struct_fields__))
    return asked


def _check_fields(place: str, given: dict[str, object], known: set[str]) -> None:
    # A typing mistake must not silently leave a rule as it was.
    for field in given:
        if field not in known:
            raise PolicyError(f"{place}{field}", "is no field of a policy")


def _own(rule: dict[str, object]) -> dict[str, object]:
    """What a purpose of the account's own begins with: marketing asks for consent in writing."""
    return {"level": Level.EXPRESS_WRITTEN} if rule.get("marketing") is True else {}


def _check(policy: Policy) -> None:
    timed = any(rule.hours is not None for rule in policy.purposes.values())
    if timed and policy.time_zone is None:
        raise PolicyError("time_zone", "permitted hours need a time zone")
    if policy.time_zone is not None:
        try:
            ZoneInfo(policy.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # A name that is no name is looked up as a file: too long a one, or a folder's.
            raise PolicyError("time_zone", "is no time zone of the IANA database") from None
    _check_range("unreachable_limit", policy.unreachable_limit, 1, DAYS_LIMIT)
    _check_range("requests_allowed", policy.requests_allowed, 1, REQUESTS_KEPT)
    _check_range("requests_days", policy.requests_days, 1, DAYS_LIMIT)
    _check_range("request_repeat_days", policy.request_repeat_days, 0, DAYS_LIMIT)
    if policy.request_expires_days is not None:
        _check_range("request_expires_days", policy.request_expires_days, 1, DAYS_LIMIT)
    for name, rule in policy.purposes.items():
        _check_rule(name, rule)


def _check_range(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise PolicyError(field, f"must be {least} to {most}")


def _check_rule(name: str, rule: PurposeRule) -> None:
    for days in rule.consent_days.values():
        _check_range(f"purposes/{name}/consent_days", days, 1, DAYS_LIMIT)
    hours = rule.hours
    if hours is None:
        return
    sunday = hours.start if hours.sunday_start is None else hours.sunday_start
    if not 0 <= hours.start < hours.end <= 24 or not 0 <= sunday <= 24:
        raise PolicyError(f"purposes/{name}/hours", "must be hours of a day, start before end")
