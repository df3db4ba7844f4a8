"""The account: its dated policies, locations, sending numbers, users, groups and replies.

What happened to an account are facts too; `evolve_account` folds them.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent_ledger.account_facts import (
    AccountOpened,
    GroupPermissionSet,
    KeywordsChanged,
    LocationDefined,
    LocationRemoved,
    PolicyAdopted,
    ReplyRestored,
    ReplyWorded,
    SendingNumberDefined,
    SendingNumberRemoved,
    UserPermissionSet,
)
from consent_ledger.errors import SetUpError
from consent_ledger.facts import Fact
from consent_ledger.keywords import KeywordList, check_keywords, lexicon_of, with_list
from consent_ledger.policy import Policy, PolicyVersion
from consent_ledger.wording import check_answers, check_kind, check_wording
from consent_ledger.words import Permission, Purpose

T = TypeVar("T")


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user's own permission and groups."""

    permission: Permission = Permission.INHERIT
    groups: tuple[str, ...] = ()


class SendingNumber(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a sending number belongs and what it may be used for."""

    location_id: str
    purposes: tuple[str, ...]

    def serves(self, purpose: str, policy: Policy) -> bool:
        """Whether a text of this purpose may come from it (R-M10).

        It may have been defined for both of a pair under a policy that allowed it: where the
        policy in force does not, it is for conversations.
        """
        exclusive = policy.conversation_numbers_exclusive and Purpose.CONVERSATION in self.purposes
        if exclusive and purpose == Purpose.APPOINTMENT_REMINDER:
            return False
        return purpose in self.purposes


class Account(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """All that decisions need of an account, at one version of it."""

    account_id: UUID
    version: int = 0
    name: str = ""
    default_region: str | None = None
    policies: tuple[PolicyVersion, ...] = ()
    locations: dict[str, str] = {}
    gone_locations: dict[str, str] = {}
    sending_numbers: dict[str, SendingNumber] = {}
    users: dict[str, User] = {}
    groups: dict[str, Permission] = {}
    replies: dict[str, str] = {}
    replies_in: dict[str, dict[str, str]] = {}
    keywords: tuple[KeywordList, ...] = ()

    def policy_at(self, instant: int) -> PolicyVersion:
        """The policy that holds at an instant: of those in force the one that began last.

        Before the first it is the first: an import may carry facts older than the account.
        """
        if len(self.policies) == 1:
            return self.policies[0]
        in_force = [p for p in self.policies if p.effective_from <= instant]
        return max(in_force, key=lambda p: (p.effective_from, p.version), default=self.policies[0])

    def policies_from(self, instant: int) -> tuple[Policy, ...]:
        """The policy that holds at an instant and those that are to hold later."""
        begins = {p.effective_from for p in self.policies if p.effective_from > instant}
        times = (instant, *sorted(begins)) if self.policies else ()
        return tuple(self.policy_at(time).policy for time in times)

    def may_text(self, user: str, policy: Policy) -> bool:
        """'Allow SMS': the user's own word, else the groups' (deny wins), else the account's."""
        found = self.users.get(user, User())
        if found.permission is not Permission.INHERIT:
            return found.permission is Permission.ALLOW
        among = {self.groups.get(group, Permission.INHERIT) for group in found.groups}
        if Permission.DENY in among:
            return False
        return Permission.ALLOW in among or policy.unnamed_users_may_text

    def why_not_from(
        self, policy: Policy, purpose: str, location: str | None, sending_number: UUID | None
    ) -> str | None:
        """Why a text may not come from there, saying which it is (R-M10); None where it may."""
        if location is not None and location not in self.locations:
            gone = self.gone_locations.get(location)
            return f"The location {gone} is gone." if gone else "The location is unknown."
        if sending_number is not None:
            return self._why_not_number(policy, purpose, location, sending_number)
        if location is None or self._location_serves(policy, location, purpose):
            return None
        return f"No sending number of {self.locations[location]} serves this purpose."

    def _why_not_number(
        self, policy: Policy, purpose: str, location: str | None, sending_number: UUID
    ) -> str | None:
        found = self.sending_numbers.get(str(sending_number))
        if found is None:
            return "The sending number is unknown."
        if found.location_id not in self.locations:
            gone = self.gone_locations.get(found.location_id, "of the sending number")
            return f"The location {gone} is gone."
        if location not in (None, found.location_id):
            return f"The sending number belongs to {self.locations[found.location_id]}."
        if found.serves(purpose, policy):
            return None
        return "The sending number serves other purposes."

    def _location_serves(self, policy: Policy, location: str, purpose: str) -> bool:
        return any(
            number.location_id == location and number.serves(purpose, policy)
            for number in self.sending_numbers.values()
        )

    def name_for(self, location: str | None) -> str:
        """The name a contact knows: the location's, else the account's."""
        return self.locations.get(location or "", self.name)


CONVERSATION_PAIR: Final = frozenset({Purpose.CONVERSATION, Purpose.APPOINTMENT_REMINDER})


def check_account_fact(account: Account, fact: Fact, policies: Sequence[Policy]) -> None:
    """Refuses a fact that the account's state does not admit: SetUpError.

    `policies` are the one in force and those to come.
    """
    match fact:
        case SendingNumberDefined():
            _check_sending_number(account, fact, policies)
        case LocationRemoved() if fact.location_id not in account.locations:
            raise SetUpError("location", "no location has this id")
        case ReplyWorded():
            check_wording(fact.kind, fact.text, fact.language)
            _check_answers(_changed(account, fact), "text")
        case ReplyRestored():
            check_kind(fact.kind)
            _check_answers(_changed(account, fact), "kind")
        case KeywordsChanged():
            check_keywords(account.keywords, _keyword_list(fact))
            _check_answers(_changed(account, fact), "remove")


def _check_answers(account: Account, field: str) -> None:
    lexicon = lexicon_of(account.keywords).lexicon
    check_answers(field, lexicon, account.replies, account.replies_in)


def _check_sending_number(
    account: Account, fact: SendingNumberDefined, policies: Sequence[Policy]
) -> None:
    if fact.location_id not in account.locations:
        raise SetUpError("location", "no location has this id")
    if policies and not set(fact.purposes) <= purposes_of(policies):
        raise SetUpError("purposes", "a purpose is not one of the account's")
    if breaks_exclusivity(fact.purposes, policies):
        raise SetUpError("purposes", NOT_BOTH)


NOT_BOTH: Final = "a number for conversations may not serve appointment reminders"


def purposes_of(policies: Iterable[Policy]) -> set[str]:
    """Every purpose that one of these policies knows."""
    return {purpose for policy in policies for purpose in policy.purposes}


def breaks_exclusivity(purposes: Iterable[str], policies: Iterable[Policy]) -> bool:
    """Whether one of these policies forbids a number to serve all of these (R-M10)."""
    pair = set(purposes) >= CONVERSATION_PAIR
    return pair and any(policy.conversation_numbers_exclusive for policy in policies)


def check_redefinition(
    account: Account, fact: SendingNumberDefined, policies: Iterable[Policy]
) -> None:
    """Refuses to turn a number from one of the pair to the other by naming it again: SetUpError.

    Whoever defines it a second time may not know that texts of the first kind come from it.
    """
    before = account.sending_numbers.get(str(fact.sending_number_id))
    served = CONVERSATION_PAIR & set(before.purposes if before is not None else ())
    turned = bool(served) and not CONVERSATION_PAIR & set(fact.purposes) <= served
    if turned and any(policy.conversation_numbers_exclusive for policy in policies):
        raise SetUpError("purposes", f"{NOT_BOTH}: remove the number first")


def evolve_account(account: Account, fact: Fact) -> Account:
    """The account after one more fact on it."""
    return replace(_changed(account, fact), version=account.version + 1)


def _changed(account: Account, fact: Fact) -> Account:
    match fact:
        case AccountOpened():
            return replace(account, name=fact.name, default_region=fact.default_region)
        case PolicyAdopted():
            number = len(account.policies) + 1
            adopted = PolicyVersion(number, fact.effective_from, fact.policy)
            return replace(account, policies=(*account.policies, adopted))
        case LocationDefined():
            return replace(account, locations={**account.locations, fact.location_id: fact.name})
        case LocationRemoved():
            gone = account.locations.get(fact.location_id, fact.location_id)
            return replace(
                account,
                locations=_without(account.locations, fact.location_id),
                gone_locations={**account.gone_locations, fact.location_id: gone},
            )
        case SendingNumberDefined():
            defined = SendingNumber(fact.location_id, fact.purposes)
            numbers = {**account.sending_numbers, str(fact.sending_number_id): defined}
            return replace(account, sending_numbers=numbers)
        case SendingNumberRemoved():
            left = _without(account.sending_numbers, str(fact.sending_number_id))
            return replace(account, sending_numbers=left)
        case UserPermissionSet():
            user = User(fact.permission, fact.groups)
            return replace(account, users={**account.users, fact.user_id: user})
        case GroupPermissionSet():
            return replace(account, groups={**account.groups, fact.group_id: fact.permission})
        case ReplyWorded() | ReplyRestored():
            return _reworded(account, fact)
        case KeywordsChanged():
            return replace(account, keywords=with_list(account.keywords, _keyword_list(fact)))
        case _:
            return account


def _reworded(account: Account, fact: ReplyWorded | ReplyRestored) -> Account:
    own = account.replies
    if fact.language is not None:
        own = account.replies_in.get(fact.language, {})
    own = _without(own, fact.kind)
    if isinstance(fact, ReplyWorded):
        own = {**own, fact.kind: fact.text}
    if fact.language is None:
        return replace(account, replies=own)
    others = _without(account.replies_in, fact.language)
    return replace(account, replies_in={**others, fact.language: own} if own else others)


def _keyword_list(fact: KeywordsChanged) -> KeywordList:
    return KeywordList(fact.kind, fact.language, fact.added, fact.removed)


def _without(items: dict[str, T], key: str) -> dict[str, T]:
    return {k: v for k, v in items.items() if k != key}
