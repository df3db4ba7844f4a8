"""The facts on an account: its policies, locations, sending numbers, users, groups and replies.

Like those on a number they are for ever, and hold no personal data: a sending number is known by
its keyed hash.
"""

from uuid import UUID

import msgspec

from consent_ledger.facts import Fact
from consent_ledger.policy import Policy
from consent_ledger.words import Permission


class AccountOpened(Fact, frozen=True, tag="acc-open"):
    """The account begins, with a name for its texts and a region for national numbers."""

    name: str = msgspec.field(name="n")
    default_region: str | None = msgspec.field(default=None, name="r")


class PolicyAdopted(Fact, frozen=True, tag="acc-policy"):
    """A policy holds from `effective_from` on."""

    policy: Policy = msgspec.field(name="p")
    effective_from: int = msgspec.field(name="o")


class LocationDefined(Fact, frozen=True, tag="acc-loc"):
    """A location, by id and name."""

    location_id: str = msgspec.field(name="l")
    name: str = msgspec.field(name="n")


class LocationRemoved(Fact, frozen=True, tag="acc-loc-gone"):
    """A location is gone, as after a re-import (R-M10)."""

    location_id: str = msgspec.field(name="l")


class SendingNumberDefined(Fact, frozen=True, tag="acc-num"):
    """A number the account sends from, its location and the purposes it serves (R-M10)."""

    sending_number_id: UUID = msgspec.field(name="s")
    location_id: str = msgspec.field(name="l")
    purposes: tuple[str, ...] = msgspec.field(name="p")


class SendingNumberRemoved(Fact, frozen=True, tag="acc-num-gone"):
    """A number the account sends from no longer."""

    sending_number_id: UUID = msgspec.field(name="s")


class UserPermissionSet(Fact, frozen=True, tag="acc-user"):
    """'Allow SMS' of a user, and the groups the user belongs to (R-L2)."""

    user_id: str = msgspec.field(name="u")
    permission: Permission = msgspec.field(name="p")
    groups: tuple[str, ...] = msgspec.field(default=(), name="g")


class GroupPermissionSet(Fact, frozen=True, tag="acc-group"):
    """'Allow SMS' of a group (R-L2)."""

    group_id: str = msgspec.field(name="g")
    permission: Permission = msgspec.field(name="p")


class ReplyWorded(Fact, frozen=True, tag="acc-reply"):
    """The account's own wording of a canned reply (R-K6), in one language or in every one."""

    kind: str = msgspec.field(name="k")
    text: str = msgspec.field(name="x")
    language: str | None = msgspec.field(default=None, name="l")


class ReplyRestored(Fact, frozen=True, tag="acc-reply-gone"):
    """The account took its wording of a canned reply back (R-K6)."""

    kind: str = msgspec.field(name="k")
    language: str | None = msgspec.field(default=None, name="l")


class KeywordsChanged(Fact, frozen=True, tag="acc-words"):
    """The account's own changes of a word list, whole: they replace those before (R-K2)."""

    kind: str = msgspec.field(name="k")
    language: str = msgspec.field(name="l")
    added: tuple[str, ...] = msgspec.field(default=(), name="a")
    removed: tuple[str, ...] = msgspec.field(default=(), name="d")


type_of_account_fact: dict[str, type[Fact]] = {
    kind.__name__: kind
    for kind in (
        AccountOpened,
        PolicyAdopted,
        LocationDefined,
        LocationRemoved,
        SendingNumberDefined,
        SendingNumberRemoved,
        UserPermissionSet,
        GroupPermissionSet,
        ReplyWorded,
        ReplyRestored,
        KeywordsChanged,
    )
}
"""Every kind of fact on an account, by its topic."""
