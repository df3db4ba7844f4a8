"""The parts of an account's set-up: what stands, what is wanted, and the fact between the two."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from consent_ledger import account_facts as a
from consent_ledger.account import Account, User
from consent_ledger.facts import Fact
from consent_ledger.keywords import KeywordList
from consent_ledger.policy import Policy
from consent_ledger.words import Permission


class Section(StrEnum):
    """The parts of a set-up."""

    POLICY = "policy"
    LOCATIONS = "locations"
    SENDING_NUMBERS = "sending_numbers"
    USERS = "users"
    GROUPS = "groups"
    REPLIES = "replies"
    KEYWORDS = "keywords"


class Action(StrEnum):
    """What becomes of an entry."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


Key = tuple[str, ...]
"""An id; of a reply or a list of keywords its kind, and its language if it has one."""

IDENTITY: Final[dict[Section, str]] = {
    Section.LOCATIONS: "id",
    Section.SENDING_NUMBERS: "number",
    Section.USERS: "id",
    Section.GROUPS: "id",
    Section.REPLIES: "kind",
    Section.KEYWORDS: "kind",
}
"""The field by which an entry is known, and which a second one of the same may not have."""


class Entry(NamedTuple):
    """What the document lists: its place in the section, its key and what it is to be."""

    place: int
    key: Key
    value: Any


class Fault(NamedTuple):
    """What cannot be, by its place in the document (a JSON pointer)."""

    pointer: str
    code: str
    detail: str


class WantedPolicy(NamedTuple):
    """The policy that the document asks for, and from when it is to hold if that is said."""

    policy: Policy
    effective_from: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document as far as it could be read.

    What could not be read is named where an entry that could rests on it, so that one mistake is
    told once: `named_locations` (None: nobody can tell which there are) and `named_purposes`.
    """

    policy: WantedPolicy | None = None
    sections: Mapping[Section, tuple[Entry, ...]] = field(default_factory=dict)
    named_locations: frozenset[str] | None = frozenset()
    named_purposes: frozenset[str] = frozenset()


class Change(NamedTuple):
    """One entry that becomes another; `place` is where the document lists it, if it does."""

    section: Section
    action: Action
    key: Key
    before: Any
    after: Any
    place: int | None = None

    @property
    def id(self) -> str:
        """The entry's name in a list of changes."""
        return "/".join(self.key)


def standing_of(account: Account, section: Section) -> dict[Key, Any]:
    """What an account has of a section; not what is as if it had never been named."""
    match section:
        case Section.LOCATIONS:
            return {(each,): name for each, name in account.locations.items()}
        case Section.SENDING_NUMBERS:
            return {(each,): found for each, found in account.sending_numbers.items()}
        case Section.USERS:
            return {(each,): user for each, user in account.users.items() if user != User()}
        case Section.GROUPS:
            groups = account.groups.items()
            return {(each,): found for each, found in groups if found is not Permission.INHERIT}
        case Section.REPLIES:
            own: dict[Key, Any] = {(kind,): text for kind, text in account.replies.items()}
            for language, texts in account.replies_in.items():
                own |= {(kind, language): text for kind, text in texts.items()}
            return own
        case Section.KEYWORDS:
            return {(each.kind, each.language): each for each in account.keywords}
        case Section.POLICY:
            return {}


def fact_of(change: Change) -> Fact:
    """The fact by which an entry becomes another."""
    key, after = change.key, change.after
    match change.section:
        case Section.POLICY:
            return a.PolicyAdopted(after.policy, after.effective_from)
        case Section.LOCATIONS:
            if after is None:
                return a.LocationRemoved(key[0])
            return a.LocationDefined(key[0], after)
        case Section.SENDING_NUMBERS:
            number = UUID(key[0])
            if after is None:
                return a.SendingNumberRemoved(number)
            return a.SendingNumberDefined(number, after.location_id, after.purposes)
        case Section.USERS:
            user = after or User()
            return a.UserPermissionSet(key[0], user.permission, user.groups)
        case Section.GROUPS:
            return a.GroupPermissionSet(key[0], after or Permission.INHERIT)
        case Section.REPLIES:
            language = key[1] if len(key) > 1 else None
            if after is None:
                return a.ReplyRestored(key[0], language)
            return a.ReplyWorded(key[0], after, language)
        case Section.KEYWORDS:
            own = after or KeywordList(key[0], key[1])
            return a.KeywordsChanged(key[0], key[1], own.added, own.removed)
