"""The whole set-up of an account, read so that every fault of it is told and not only the first."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import (
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from api.schemas.account import LocationBody, PolicyBody, SendingNumberBody
from api.schemas.base import Body, OpaqueId, example
from api.schemas.texts import KeywordsBody, KindName, Language
from consent_ledger.wording import LONGEST_TEXT
from consent_ledger.words import Permission

MOST_ENTRIES: Final = 5_000
"""Of a section: as many as a body within its limit can hold, recorded in a few seconds."""


class Unfit(NamedTuple):
    """What did not fit, and all that is wrong with it."""

    value: object
    errors: list[Mapping[str, Any]]


def _leniently(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    try:
        return handler(value)
    except ValidationError as error:
        return Unfit(value, list(error.errors(include_url=False)))


Lenient: Final = WrapValidator(_leniently)
"""What does not fit is kept beside what does, so that the rest of the document is judged too."""


class UserEntry(Body):
    """'Allow SMS' of a user, and the user's groups (R-L2)."""

    id: OpaqueId
    """The user's opaque id."""
    permission: Permission = Permission.INHERIT
    """“Allow SMS” of the user; `inherit` is what the groups say."""
    groups: Annotated[list[OpaqueId], Field(max_length=100)] = []
    """The user's groups."""


class GroupEntry(Body):
    """'Allow SMS' of a group (R-L2)."""

    id: OpaqueId
    """The group's id."""
    permission: Permission
    """What the users of the group inherit."""


class ReplyEntry(Body):
    """The wording of a reply or request, in one language or in all that have none."""

    kind: KindName
    """Which reply or request."""
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    """The wording; `{name}` is the location's name, or the account's."""
    language: Language | None = None
    """Its language; left out, all that have no wording."""


def _undefaulted(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class SetUpBody(Body):
    """An account's set-up. A section that is absent stays as it is; one that is there is all."""

    model_config = example(
        locations=[{"id": "main-street", "name": "Main Street Clinic"}],
        sending_numbers=[
            {"number": "+14155550199", "location": "main-street", "purposes": ["conversation"]}
        ],
        users=[{"id": "jo", "permission": "allow", "groups": ["front-desk"]}],
        groups=[{"id": "front-desk", "permission": "allow"}],
    )

    policy: Annotated[PolicyBody, Lenient, Field(json_schema_extra=_undefaulted)] = None  # type: ignore[assignment]
    """The policy to hold."""
    locations: Annotated[
        list[Annotated[LocationBody, Lenient]], Field(max_length=MOST_ENTRIES), Lenient
    ] = []
    """All locations."""
    sending_numbers: Annotated[
        list[Annotated[SendingNumberBody, Lenient]], Field(max_length=MOST_ENTRIES), Lenient
    ] = []
    """All numbers that the account sends from."""
    users: Annotated[
        list[Annotated[UserEntry, Lenient]], Field(max_length=MOST_ENTRIES), Lenient
    ] = []
    """All users, with “Allow SMS” and groups."""
    groups: Annotated[
        list[Annotated[GroupEntry, Lenient]], Field(max_length=MOST_ENTRIES), Lenient
    ] = []
    """All groups, with “Allow SMS”."""
    replies: Annotated[
        list[Annotated[ReplyEntry, Lenient]], Field(max_length=MOST_ENTRIES), Lenient
    ] = []
    """All wordings of the account's own."""
    keywords: Annotated[
        list[Annotated[KeywordsBody, Lenient]], Field(max_length=MOST_ENTRIES), Lenient
    ] = []
    """All changes of the word lists."""

    _unknown: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _with_unknown(cls, data: Any, handler: Any) -> "SetUpBody":
        """A section that nobody knows does not hide what is wrong with the others."""
        if not isinstance(data, dict):
            read: SetUpBody = handler(data)
            return read
        read = handler({name: data[name] for name in data if name in cls.model_fields})
        read._unknown = tuple(name for name in data if name not in cls.model_fields)
        return read

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of the sections that there are none of."""
        return self._unknown
