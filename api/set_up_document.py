"""The document of a set-up: read into what is wanted, and written from what stands."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from api.problems import named, shape_errors
from api.render import instant
from api.schemas.account import PolicyBody
from api.schemas.set_up import SetUpBody, Unfit
from consent_ledger.account import Account, SendingNumber, User
from consent_ledger.errors import SetUpError
from consent_ledger.keywords import KeywordList
from consent_ledger.language import language_tag
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.policy import PRESETS, PolicyError, PolicyVersion, difference, laid_over
from consent_ledger.set_up_parts import (
    Entry,
    Fault,
    Key,
    Section,
    Wanted,
    WantedPolicy,
    standing_of,
)

IdOf = Callable[[str], UUID]
"""The id of a canonical number of the account."""
LISTS: Final = tuple(section for section in Section if section is not Section.POLICY)


class Document:
    """A document that was read: what is wanted, its numbers, and what could not be read.

    `unfit` is what has the wrong shape, `faults` what has the right one and cannot be.
    """

    def __init__(self, body: SetUpBody, region: str | None, id_of: IdOf) -> None:
        self.unfit: list[Fault] = []
        self.faults: list[Fault] = []
        self.numbers: dict[UUID, str] = {}
        self._region, self._id_of = region, id_of
        self._named_locations: set[str] | None = set()
        self._named_purposes: set[str] = set()
        for name in body.unknown:
            self._unfit([{"loc": (name,), "type": "extra_forbidden", "msg": "Unknown section"}])
        policy = None
        if Section.POLICY in body.model_fields_set:
            policy = self._policy(body.policy)
        sections: dict[Section, tuple[Entry, ...]] = {
            section: self._section(section, getattr(body, section))
            for section in LISTS
            if section in body.model_fields_set
        }
        locations = self._named_locations
        self.wanted = Wanted(
            policy,
            sections,
            None if locations is None else frozenset(locations),
            frozenset(self._named_purposes),
        )

    def _unfit(self, errors: list[Any], *place: object) -> None:
        told = shape_errors(errors, *place)
        self.unfit += [Fault(each["pointer"], each["code"], each["detail"]) for each in told]

    def _policy(self, asked: PolicyBody | Unfit) -> WantedPolicy | None:
        if isinstance(asked, Unfit):
            self._unfit(asked.errors, Section.POLICY)
            given = asked.value if isinstance(asked.value, dict) else {}
            preset, changes, begins = given.get("preset"), given.get("changes"), None
        else:
            preset, changes, begins = asked.preset, asked.changes, asked.effective_from
        if not isinstance(changes, dict):
            changes = {}
        purposes = changes.get("purposes")
        self._named_purposes |= set(purposes if isinstance(purposes, dict) else ())
        known = next((name for name in PRESETS if name == preset), None)
        if known is None and isinstance(asked, PolicyBody):
            detail = f"Presets are: {', '.join(PRESETS)}."
            self.faults.append(Fault("/policy/preset", "unknown-preset", detail))
        # The changes are read whatever the preset: their fields are the same for all.
        policy, faults = laid_over(known or next(iter(PRESETS)), changes)
        self.faults += map(_fault_of_policy, faults)
        return WantedPolicy(policy, begins) if known else None

    def _section(self, section: Section, listed: list[Any] | Unfit) -> tuple[Entry, ...]:
        if isinstance(listed, Unfit):
            self._unfit(listed.errors, section)
            if section is Section.LOCATIONS:
                self._named_locations = None
            return ()
        entries = []
        for place, each in enumerate(listed):
            if isinstance(each, Unfit):
                self._unfit(each.errors, section, place)
                if section is Section.LOCATIONS:
                    self._note_location(each.value)
                continue
            try:
                entries.append(self._entry(section, place, each))
            except UnparseableNumber:
                detail = "This is no phone number that can be read."
                pointer = f"/{section}/{place}/number"
                self.faults.append(Fault(pointer, "number-unparseable", detail))
            except SetUpError as error:
                pointer = f"/{section}/{place}/{error.field}"
                self.faults.append(Fault(pointer, error.code, f"This {error}."))
        return tuple(entries)

    def _note_location(self, value: object) -> None:
        name = value.get("id") if isinstance(value, dict) else None
        if not isinstance(name, str):
            self._named_locations = None
        elif self._named_locations is not None:
            self._named_locations.add(name)

    def _entry(self, section: Section, place: int, given: Any) -> Entry:
        match section:
            case Section.LOCATIONS:
                return Entry(place, (given.id,), given.name)
            case Section.SENDING_NUMBERS:
                e164 = canonical(given.number, self._region)
                number_id = self._id_of(e164)
                self.numbers[number_id] = e164
                served = tuple(dict.fromkeys(given.purposes))
                return Entry(place, (str(number_id),), SendingNumber(given.location, served))
            case Section.USERS:
                user = User(given.permission, tuple(dict.fromkeys(given.groups)))
                return Entry(place, (given.id,), user)
            case Section.GROUPS:
                return Entry(place, (given.id,), given.permission)
            case Section.REPLIES if given.language is None:
                return Entry(place, (given.kind,), given.text)
            case Section.REPLIES:
                return Entry(place, (given.kind, language_tag(given.language)), given.text)
            case _:
                language = language_tag(given.language)
                own = KeywordList(given.kind, language, tuple(given.add), tuple(given.remove))
                return Entry(place, (given.kind, language), own)


def _fault_of_policy(error: PolicyError) -> Fault:
    pointer = f"/{named(f'policy/changes/{error.field}')}"
    return Fault(pointer, "policy-refused", f"{str(error)[:1].upper()}{str(error)[1:]}.")


def document(account: Account, now: int, numbers: Mapping[str, str]) -> dict[str, Any]:
    """What stands, as the document that asks for it; `numbers` are the sending numbers by id."""
    found: dict[str, Any] = {}
    if account.policies:
        # Without the time from when it holds: the same document may be applied elsewhere.
        found[Section.POLICY] = _policy(account.policy_at(now))
    for section in LISTS:
        found[section] = [
            {**_identity(section, key, numbers), **_fields(section, value)}
            for key, value in sorted(standing_of(account, section).items())
        ]
    return found


def _identity(section: Section, key: Key, numbers: Mapping[str, str]) -> dict[str, Any]:
    match section:
        case Section.SENDING_NUMBERS:
            return {"number": numbers.get(key[0])}
        case Section.REPLIES | Section.KEYWORDS:
            return dict(zip(("kind", "language"), key, strict=False))
        case _:
            return {"id": key[0]}


def shown(section: Section, value: Any, now: int) -> dict[str, Any] | None:
    """An entry in a list of changes: its fields without those that name it.

    A policy has the time from which it holds only if that is to come.
    """
    if value is None:
        return None
    if section is not Section.POLICY:
        return _fields(section, value)
    later = value.effective_from > now
    return {**_policy(value), "effective_from": instant(value.effective_from) if later else None}


def _fields(section: Section, value: Any) -> dict[str, Any]:
    match section:
        case Section.LOCATIONS:
            return {"name": value}
        case Section.SENDING_NUMBERS:
            return {"location": value.location_id, "purposes": sorted(value.purposes)}
        case Section.USERS:
            return {"permission": value.permission, "groups": sorted(value.groups)}
        case Section.GROUPS:
            return {"permission": value}
        case Section.REPLIES:
            return {"text": value}
        case _:
            return {"add": sorted(value.added), "remove": sorted(value.removed)}


def _policy(version: PolicyVersion) -> dict[str, Any]:
    return {"preset": version.policy.preset, "changes": difference(version.policy)}
