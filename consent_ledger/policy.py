"""The account's rules as dated data, and the four presets (rulebook sections 7 and 8)."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from msgspec.structs import replace

from consent_ledger.standing import MICROSECONDS, REQUESTS_KEPT
from consent_ledger.words import Level, Purpose, RevokeScope

DAY: Final = 24 * 60 * 60 * MICROSECONDS
DAYS_LIMIT: Final = 36_500
"""A hundred years: longer than any consent, and far from where a calendar ends."""
PURPOSE_NAME: Final = re.compile("[a-z][a-z0-9_]{0,63}")
VALUE: Final = re.compile("(?<=Invalid enum value).*| - at .*", re.DOTALL)
"""What a refusal may not repeat, and where in the field it was."""


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
    `time_zone` is the contact's where nothing is known of the number's own; `revoke_scope` how far
    a STOP reaches that answers a sending number of some purposes only.
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
    revoke_scope: RevokeScope = RevokeScope.ALL

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
    """A policy that cannot be; `field` is where, `others` what else is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.others: tuple[PolicyError, ...] = ()


def amended(name: str, changes: dict[str, object]) -> Policy:
    """A preset with changes laid over it; PolicyError names the first field that cannot be.

    `changes` has the fields of Policy; `purposes` maps a name to the fields of a PurposeRule that
    differ, or to a whole rule for a purpose of the account's own.
    """
    policy, faults = laid_over(name, changes)
    if faults:
        first, *others = faults
        first.others = tuple(others)
        raise first
    return policy


def laid_over(name: str, changes: dict[str, object]) -> tuple[Policy, tuple[PolicyError, ...]]:
    """A preset with those changes laid over it that can be read, and all that cannot be."""
    base = preset(name)
    faults: list[PolicyError] = []
    others = {field: value for field, value in changes.items() if field != "purposes"}
    read = _read_fields("", others, Policy, faults, without=("preset", "purposes"))
    rules = dict(base.purposes)
    for purpose, given in _rules(changes.get("purposes", {}), faults).items():
        rule = _read_fields(f"purposes/{purpose}/", given, PurposeRule, faults)
        rules[purpose] = replace(rules.get(purpose, _own(rule)), **rule)
    policy = replace(base, purposes=rules, **read)
    faults.extend(_faults(policy))
    told: dict[str, PolicyError] = {}
    for fault in faults:
        # A field that could not be read is judged no further.
        told.setdefault(fault.field, fault)
    return policy, tuple(told.values())


def difference(policy: Policy) -> dict[str, object]:
    """The changes that make a policy of its preset: `amended` turns them back."""
    base = preset(policy.preset)
    changes = _differing(policy, base, without=("preset", "purposes"))
    rules = {}
    for name, rule in policy.purposes.items():
        own = _differing(rule, base.purposes.get(name, _own({"marketing": rule.marketing})))
        if own or name not in base.purposes:
            rules[name] = own
    return {**changes, "purposes": rules} if rules else changes


def _differing(
    whole: msgspec.Struct, base: msgspec.Struct, without: tuple[str, ...] = ()
) -> dict[str, object]:
    fields = (field for field in whole.__struct_fields__ if field not in without)
    return {
        field: msgspec.to_builtins(getattr(whole, field))
        for field in fields
        if getattr(whole, field) != getattr(base, field)
    }


def _rules(asked: object, faults: list[PolicyError]) -> dict[str, dict[str, object]]:
    """The rules of those purposes that have a name and fields."""
    if not isinstance(asked, dict):
        faults.append(PolicyError("purposes", "must be an object of purposes"))
        return {}
    found = {}
    for purpose, rule in asked.items():
        if not PURPOSE_NAME.fullmatch(purpose):
            told = "a purpose is named in small letters, digits and '_'"
            faults.append(PolicyError("purposes", told))
        elif not isinstance(rule, dict):
            faults.append(PolicyError(f"purposes/{purpose}", "must be an object"))
        else:
            found[purpose] = rule
    return found


def _read_fields(
    place: str,
    given: dict[str, object],
    kind: type[msgspec.Struct],
    faults: list[PolicyError],
    without: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Those fields that can be read; the others are told by their place."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    read = {}
    for name, value in given.items():
        # A typing mistake must not silently leave a rule as it was.
        if name not in types or name in without:
            faults.append(PolicyError(f"{place}{name}", "is no field of a policy"))
            continue
        if kind is PurposeRule and name == "hours" and isinstance(value, dict):
            known = len(faults)
            value = _read_fields(f"{place}hours/", value, Hours, faults)
            if len(faults) > known:
                continue
        try:
            read[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            faults.append(PolicyError(f"{place}{name}", VALUE.sub("", str(error))))
    return read


def _own(rule: dict[str, Any]) -> PurposeRule:
    """What a purpose of the account's own begins with: marketing asks for consent in writing."""
    written = rule.get("marketing") is True
    return PurposeRule(level=Level.EXPRESS_WRITTEN if written else Level.IMPLIED)


def _faults(policy: Policy) -> Iterator[PolicyError]:
    """All that contradicts itself in a policy, or cannot be counted."""
    timed = any(rule.hours is not None for rule in policy.purposes.values())
    if timed and policy.time_zone is None:
        yield PolicyError("time_zone", "permitted hours need a time zone")
    if policy.time_zone is not None and not is_time_zone(policy.time_zone):
        yield PolicyError("time_zone", "is no time zone of the IANA database")
    yield from _out_of_range("unreachable_limit", policy.unreachable_limit, 1, DAYS_LIMIT)
    yield from _out_of_range("requests_allowed", policy.requests_allowed, 1, REQUESTS_KEPT)
    yield from _out_of_range("requests_days", policy.requests_days, 1, DAYS_LIMIT)
    yield from _out_of_range("request_repeat_days", policy.request_repeat_days, 0, DAYS_LIMIT)
    if policy.request_expires_days is not None:
        days = policy.request_expires_days
        yield from _out_of_range("request_expires_days", days, 1, DAYS_LIMIT)
    for name, rule in policy.purposes.items():
        yield from _faults_of_rule(name, rule)


def is_time_zone(name: str) -> bool:
    """Whether the IANA database has a time zone of this name."""
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    """Their names. A machine may have more: its own zone, or clocks that count leap seconds; a
    decision may not depend on which machine made it."""
    return frozenset(available_timezones() - {"localtime"})


def _out_of_range(field: str, value: int, least: int, most: int) -> Iterator[PolicyError]:
    if not least <= value <= most:
        yield PolicyError(field, f"must be {least} to {most}")


def _faults_of_rule(name: str, rule: PurposeRule) -> Iterator[PolicyError]:
    for days in rule.consent_days.values():
        yield from _out_of_range(f"purposes/{name}/consent_days", days, 1, DAYS_LIMIT)
    hours = rule.hours
    if hours is None:
        return
    sunday = hours.start if hours.sunday_start is None else hours.sunday_start
    if not 0 <= hours.start < hours.end <= 24 or not 0 <= sunday <= 24:
        told = "must be hours of a day, start before end"
        yield PolicyError(f"purposes/{name}/hours", told)
