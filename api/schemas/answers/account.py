"""The set-up and the keys of an account (contract section 7)."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.answers.base import POSITION, RECORDED, Answered, Id, Items, Moment
from api.schemas.answers.texts import OwnKeywords
from consent_ledger.set_up_parts import Action, Section
from consent_ledger.words import Permission, Role


class AccountChanged(Answered):
    """What was recorded on the account."""

    account_version: int
    """How many events the account has."""
    position: Annotated[int | None, Field(description=POSITION)]
    recorded: Annotated[list[str], Field(description=RECORDED)]


class SendingNumberChanged(AccountChanged):
    """What was recorded of a sending number."""

    sending_number_id: Id
    """The opaque id by which it is removed."""


class Location(Answered):
    """A location."""

    id: str
    """Its id."""
    name: str
    """Its name, as contacts read it."""


class LocationList(Items[Location]):
    """The account's locations, all of them."""


class SendingNumber(Answered):
    """A number that the account sends from."""

    sending_number_id: Id
    """The opaque id by which it is removed."""
    number: str | None
    """The number; null where it is not kept any more."""
    location: str
    """The location that it belongs to."""
    purposes: list[str]
    """The purposes that it serves."""


class SendingNumberList(Items[SendingNumber]):
    """The numbers the account sends from, all of them."""


class User(Answered):
    """“Allow SMS” of a user."""

    id: str
    """The user's opaque id."""
    permission: Permission
    """The user's own; `inherit` is what the groups say."""
    groups: list[str]
    """The groups that the user belongs to."""


class UserList(Items[User]):
    """Every user that was ever named."""


class Group(Answered):
    """“Allow SMS” of a group."""

    id: str
    """The group's id."""
    permission: Permission
    """What its users inherit."""


class GroupList(Items[Group]):
    """Every group that was ever named."""


class OwnReply(Answered):
    """A reply or request in the account's own words."""

    kind: str
    """Which one."""
    text: str
    """The wording."""
    language: str | None = None
    """Its language; absent for all that have no wording."""


class SetUpNumber(Answered):
    """A sending number of the set-up."""

    number: str | None
    """The number."""
    location: str
    """The location that it belongs to."""
    purposes: list[str]
    """The purposes that it serves."""


class PolicyAsked(Answered):
    """A policy by what differs from its preset."""

    preset: str
    """The preset."""
    changes: dict[str, Any]
    """What differs from it."""


class SetUp(Answered):
    """The account's set-up, as `PUT /v1/set-up` takes it."""

    policy: PolicyAsked | None = None
    """The policy in force; absent where none was adopted."""
    locations: list[Location]
    """The locations."""
    sending_numbers: list[SetUpNumber]
    """The sending numbers."""
    users: list[User]
    """The users, with “Allow SMS” and groups."""
    groups: list[Group]
    """The groups, with “Allow SMS”."""
    replies: list[OwnReply]
    """The account's own wordings."""
    keywords: list[OwnKeywords]
    """The account's own changes of the word lists."""


class SetUpChange(Answered):
    """One difference between what stood and what was asked for."""

    section: Section
    """The section of the document."""
    action: Action
    """What becomes of the entry."""
    id: str | None
    """The entry's id in its section."""
    before: dict[str, Any] | None
    """What stood; null where there was nothing."""
    after: dict[str, Any] | None
    """What stands now; null where it is gone."""


class SetUpChanged(AccountChanged):
    """What applying a document did, or in a dry run would do."""

    dry_run: bool
    """Whether nothing was recorded."""
    changes: list[SetUpChange]
    """Every difference; none where the account is as the document says."""


class Key(Answered):
    """An API key, without its secret."""

    key_id: str
    """The id by which it is revoked."""
    role: Role
    """What it may do."""
    name: str
    """What it was named."""
    created_at: Moment
    """When it was made."""
    revoked_at: Moment | None
    """When it was revoked, if it was."""


class KeyList(Items[Key]):
    """The account's keys, revoked ones too."""


class NewKey(Answered):
    """A new key, shown this once."""

    key_id: str
    """The id by which it is revoked."""
    role: Role
    """What it may do."""
    name: str
    """What it was named."""
    key: str
    """The key. It cannot be shown again."""


class RevokedKey(Answered):
    """A key that counts no more."""

    key_id: str
    """Its id."""
    revoked: bool
    """True."""
