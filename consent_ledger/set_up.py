"""An account's set-up as one document: what to change so that the account is what it says.

A section that the document lacks is left as it is; one that it has is the whole truth, so what
it does not list goes. Nothing here refuses: every fault is told, each with its place.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from consent_ledger import account as a
from consent_ledger.account import Account, SendingNumber, User
from consent_ledger.errors import REFUSED, SetUpError
from consent_ledger.facts import Fact
from consent_ledger.keywords import KeywordList
from consent_ledger.policy import Policy, PolicyVersion
from consent_ledger.set_up_parts import (
    IDENTITY,
    Action,
    Change,
    Entry,
    Fault,
    Section,
    Wanted,
    WantedPolicy,
    fact_of,
    standing_of,
)
from consent_ledger.words import Permission


class Plan(NamedTuple):
    """What would change, in the order in which it can, and what cannot be."""

    changes: tuple[Change, ...]
    faults: tuple[Fault, ...]

    @property
    def facts(self) -> list[Fact]:
        """What is to be recorded."""
        return [fact_of(change) for change in self.changes]


def plan(account: Account, wanted: Wanted, now: int) -> Plan:
    """What makes the account be what the document says, at an instant."""
    adopted = _policy_change(account, wanted.policy, now)
    faults: list[Fault] = []
    found = {
        section: list(_changes(account, section, _once(section, entries, faults)))
        for section, entries in wanted.sections.items()
    }
    after = a.evolve_account(account, fact_of(adopted)) if adopted else account
    faults += _faults_of_numbers(account, after, wanted, found, now)
    texts, refused = _in_order(
        account, [*found.get(Section.KEYWORDS, ()), *found.get(Section.REPLIES, ())]
    )
    faults += refused
    places = found.get(Section.LOCATIONS, [])
    numbers = found.get(Section.SENDING_NUMBERS, [])
    changes = (
        *((adopted,) if adopted else ()),
        # A number needs its location, so locations come first and go last.
        *_that_stay(places),
        *_that_stay(numbers),
        *found.get(Section.GROUPS, ()),
        *found.get(Section.USERS, ()),
        *texts,
        *_that_go(numbers),
        *_that_go(places),
    )
    return Plan(changes, tuple(faults))


def _that_stay(changes: Iterable[Change]) -> Iterator[Change]:
    return (change for change in changes if change.action is not Action.REMOVE)


def _that_go(changes: Iterable[Change]) -> Iterator[Change]:
    return (change for change in changes if change.action is Action.REMOVE)


def _policy_change(account: Account, wanted: WantedPolicy | None, now: int) -> Change | None:
    """A new version, unless the one that would hold then is the same."""
    if wanted is None:
        return None
    begins = max(now, wanted.effective_from or now)
    before = account.policy_at(begins) if account.policies else None
    if before is not None and before.policy == wanted.policy:
        # A time that is over cannot be met any more, so only one to come is compared.
        same_time = before.effective_from == begins or begins == now
        if same_time:
            return None
    version = PolicyVersion(len(account.policies) + 1, begins, wanted.policy)
    action = Action.CHANGE if before else Action.ADD
    return Change(Section.POLICY, action, (str(version.version),), before, version)


def _once(section: Section, entries: Iterable[Entry], faults: list[Fault]) -> Iterator[Entry]:
    """The entries without those that were listed before."""
    seen = set()
    for entry in entries:
        if entry.key not in seen:
            seen.add(entry.key)
            yield entry
            continue
        pointer = f"/{section}/{entry.place}/{IDENTITY[section]}"
        faults.append(Fault(pointer, "duplicate", "This is listed twice."))


def _changes(account: Account, section: Section, entries: Iterable[Entry]) -> Iterator[Change]:
    left = standing_of(account, section)
    for place, key, value in entries:
        before = left.pop(key, None)
        after = None if _is_nothing(value) else value
        if _normal(before) == _normal(after):
            continue
        action = Action.CHANGE if before is not None else Action.ADD
        yield Change(section, Action.REMOVE if after is None else action, key, before, after, place)
    for key, before in left.items():
        yield Change(section, Action.REMOVE, key, before, None)


def _is_nothing(value: Any) -> bool:
    """Whether an entry says what would hold without it."""
    match value:
        case User():
            return value == User()
        case Permission():
            return value is Permission.INHERIT
        case KeywordList():
            return not value.added and not value.removed
        case _:
            return False


def _normal(value: Any) -> Any:
    """A value such that equal ones are equal, in whatever order they list what they hold."""
    match value:
        case SendingNumber():
            return value.location_id, frozenset(value.purposes)
        case User():
            return value.permission, frozenset(value.groups)
        case KeywordList():
            return frozenset(value.added), frozenset(value.removed)
        case _:
            return value


def _faults_of_numbers(
    account: Account,
    after: Account,
    wanted: Wanted,
    found: Mapping[Section, list[Change]],
    now: int,
) -> Iterator[Fault]:
    """Sending numbers that cannot be; one that stays is judged if what it rests on moves."""
    policies = after.policies_from(now)
    if Section.SENDING_NUMBERS not in wanted.sections:
        yield from _faults_of_those_that_stay(account, policies, now)
        return
    locations = set(account.locations)
    if Section.LOCATIONS in wanted.sections:
        locations = {entry.key[0] for entry in wanted.sections[Section.LOCATIONS]}
    locations |= wanted.named_locations or set()
    purposes = a.purposes_of(policies) | wanted.named_purposes
    changed = {change.key for change in found[Section.SENDING_NUMBERS]}
    for place, key, value in wanted.sections[Section.SENDING_NUMBERS]:
        pointer = f"/{Section.SENDING_NUMBERS}/{place}"
        gone = value.location_id in account.locations
        known = value.location_id in locations or wanted.named_locations is None
        if not known and (key in changed or gone):
            yield Fault(f"{pointer}/location", "unknown-location", "No location has this id.")
        if key not in changed and after is account:
            continue
        if not purposes.issuperset(value.purposes):
            detail = "The account has no such purpose."
            yield Fault(f"{pointer}/purposes", "unknown-purpose", detail)
        if a.breaks_exclusivity(value.purposes, policies):
            yield Fault(f"{pointer}/purposes", REFUSED, _sentence(a.NOT_BOTH))


def _faults_of_those_that_stay(
    account: Account, policies: Iterable[Policy], now: int
) -> Iterator[Fault]:
    known, held = tuple(policies), account.policies_from(now)
    for each, number in account.sending_numbers.items():
        breaks = a.breaks_exclusivity(number.purposes, known)
        if breaks and not a.breaks_exclusivity(number.purposes, held):
            detail = f"Under this policy {a.NOT_BOTH}, as the sending number {each} does."
            yield Fault(f"/{Section.POLICY}", REFUSED, detail)


def _in_order(account: Account, changes: list[Change]) -> tuple[list[Change], list[Fault]]:
    """Texts and keywords rest on each other: the first order in which each is admitted."""
    ordered: list[Change] = []
    waiting = changes
    while waiting:
        refused: list[tuple[Change, SetUpError]] = []
        for change in waiting:
            fact = fact_of(change)
            try:
                a.check_account_fact(account, fact, ())
            except SetUpError as error:
                refused.append((change, error))
            else:
                account = a.evolve_account(account, fact)
                ordered.append(change)
        if len(refused) == len(waiting):
            return ordered, [_fault_of_text(change, error) for change, error in refused]
        waiting = [change for change, _ in refused]
    return ordered, []


def _fault_of_text(change: Change, error: SetUpError) -> Fault:
    place = "" if change.place is None else f"/{change.place}/{error.field}"
    return Fault(f"/{change.section}{place}", error.code, _sentence(str(error)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
