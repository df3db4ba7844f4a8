"""The account's locations, sending numbers, users and groups (contract section 7)."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.account_changes import CHANGED, always, change, current, documented_change
from api.callers import Admin, Anyone
from api.problem_codes import KEYED
from api.problems import Problem
from api.responses import documented, reply
from api.schemas import account as s
from api.schemas.base import OpaqueId
from api.strict import StrictRoute
from api.submit import ServiceIn, read_number
from consent_ledger import account_facts as a
from consent_ledger.account import Account, check_redefinition
from consent_ledger.facts import Fact
from consent_ledger.words import Permission

router = APIRouter(tags=["account"], route_class=StrictRoute)

LOCATIONS: Final[dict[str, Any]] = {
    "items": [{"id": "main-street", "name": "Main Street Clinic"}],
    "next_cursor": None,
}


@router.get("/v1/locations", responses=documented("The locations", "LocationList", LOCATIONS))
async def get_locations(caller: Anyone, service: ServiceIn) -> Response:
    """The account's locations."""
    account, _ = await current(service, caller)
    items = [{"id": each, "name": name} for each, name in account.locations.items()]
    return reply({"items": items, "next_cursor": None})


@router.post("/v1/locations", responses=documented_change("LocationDefined"))
async def post_location(
    body: s.LocationBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Defines a location, or renames it."""
    return reply(
        await change(service, caller, always(a.LocationDefined(body.id, body.name)), request)
    )


@router.delete(
    "/v1/locations/{location_id:path}",
    responses=documented_change("LocationRemoved", "not-found"),
)
async def delete_location(
    location_id: OpaqueId, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Removes a location; texts from it are refused from then on (R-M10)."""

    def remove(account: Account, now: int) -> list[Fact]:
        if location_id not in account.locations:
            raise Problem(404, "not-found", "No location has this id.")
        return [a.LocationRemoved(location_id)]

    return reply(await change(service, caller, remove, request))


SENDING_NUMBER: Final[dict[str, Any]] = {
    "sending_number_id": "6f1c1a52-b0f8-4c8f-8f0c-2f6f4a2f9d11",
    "number": "+14155550199",
    "location": "main-street",
    "purposes": ["conversation"],
}


@router.get(
    "/v1/sending-numbers",
    responses=documented(
        "The sending numbers",
        "SendingNumberList",
        {"items": [SENDING_NUMBER], "next_cursor": None},
    ),
)
async def get_sending_numbers(caller: Anyone, service: ServiceIn) -> Response:
    """The numbers the account sends from."""
    account, _ = await current(service, caller)
    ids = [UUID(each) for each in account.sending_numbers]
    async with service.connection() as conn:
        rows = await conn.execute(
            "SELECT number_id, e164 FROM numbers WHERE number_id = ANY(%s)", (ids,)
        )
        numbers = {str(row[0]): row[1] for row in await rows.fetchall()}
    items = [
        {
            "sending_number_id": each,
            "number": numbers.get(each),
            "location": found.location_id,
            "purposes": list(found.purposes),
        }
        for each, found in account.sending_numbers.items()
    ]
    return reply({"items": items, "next_cursor": None})


@router.post(
    "/v1/sending-numbers",
    responses=documented(
        "What was recorded",
        "SendingNumberChanged",
        {
            **CHANGED,
            "recorded": ["SendingNumberDefined"],
            "sending_number_id": SENDING_NUMBER["sending_number_id"],
        },
        *KEYED,
        "number-unparseable",
        "set-up-refused",
    ),
)
async def post_sending_number(
    body: s.SendingNumberBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Defines a number the account sends from: where it belongs and what it serves (R-M10)."""
    number = read_number(service, caller.account_id, body.number)
    number_id = number.ids[-1]
    fact = a.SendingNumberDefined(number_id, body.location, tuple(dict.fromkeys(body.purposes)))

    def define(account: Account, now: int) -> list[Fact]:
        check_redefinition(account, fact, account.policies_from(now))
        return [fact]

    vault = [(number_id, caller.account_id, number.e164)]
    fields = await change(service, caller, define, request, vault)
    return reply(fields | {"sending_number_id": str(number_id)})


@router.delete(
    "/v1/sending-numbers/{sending_number_id}",
    responses=documented_change("SendingNumberRemoved", "not-found"),
)
async def delete_sending_number(
    sending_number_id: UUID, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Removes a number the account sends from."""

    def remove(account: Account, now: int) -> list[Fact]:
        if str(sending_number_id) not in account.sending_numbers:
            raise Problem(404, "not-found", "No sending number has this id.")
        return [a.SendingNumberRemoved(sending_number_id)]

    return reply(await change(service, caller, remove, request))


USERS: Final[dict[str, Any]] = {
    "items": [{"id": "jo", "permission": "allow", "groups": ["front-desk"]}],
    "next_cursor": None,
}


@router.get("/v1/users", responses=documented("The users named so far", "UserList", USERS))
async def get_users(caller: Anyone, service: ServiceIn) -> Response:
    """'Allow SMS' of every user that was ever named, and their groups (R-L2)."""
    account, _ = await current(service, caller)
    items = [
        {"id": each, "permission": str(user.permission), "groups": list(user.groups)}
        for each, user in account.users.items()
    ]
    return reply({"items": items, "next_cursor": None})


GROUPS: Final[dict[str, Any]] = {
    "items": [{"id": "front-desk", "permission": "deny"}],
    "next_cursor": None,
}


@router.get("/v1/groups", responses=documented("The groups named so far", "GroupList", GROUPS))
async def get_groups(caller: Anyone, service: ServiceIn) -> Response:
    """'Allow SMS' of every group that was ever named (R-L2)."""
    account, _ = await current(service, caller)
    items = [{"id": each, "permission": str(found)} for each, found in account.groups.items()]
    return reply({"items": items, "next_cursor": None})


@router.put("/v1/users/{user_id:path}/permission", responses=documented_change("UserPermissionSet"))
async def put_user(
    user_id: OpaqueId,
    body: s.PermissionBody,
    request: Request,
    caller: Admin,
    service: ServiceIn,
) -> Response:
    """'Allow SMS' of a user, and their groups (R-L2); groups not given stay as they are."""

    def permit(account: Account, now: int) -> list[Fact]:
        kept = account.users[user_id].groups if user_id in account.users else ()
        groups = tuple(dict.fromkeys(body.groups)) if body.groups is not None else kept
        return [a.UserPermissionSet(user_id, Permission(body.permission), groups)]

    return reply(await change(service, caller, permit, request))


@router.put(
    "/v1/groups/{group_id:path}/permission", responses=documented_change("GroupPermissionSet")
)
async def put_group(
    group_id: OpaqueId,
    body: s.GroupPermissionBody,
    request: Request,
    caller: Admin,
    service: ServiceIn,
) -> Response:
    """'Allow SMS' of a group (R-L2)."""
    fact = a.GroupPermissionSet(group_id, Permission(body.permission))
    return reply(await change(service, caller, always(fact), request))
