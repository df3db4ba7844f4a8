"""Whose browser it is, and that a form was sent by a page of ours."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from psycopg import AsyncConnection

from api.admin_access import COOKIE, Access, read_session
from api.auth import Caller
from api.submit import ServiceIn
from consent_ledger.words import Role

KEY_STANDS: Final = """
SELECT 1 FROM api_keys
WHERE account_id = %s AND key_id = %s AND role = 'admin' AND revoked_at IS NULL"""
OWN_PAGES: Final = ("same-origin", "none", None)
"""What a browser says of a request that another site did not cause; an old one says nothing, and
then the cookie's SameSite keeps other sites out."""

LOST: Final = "Your session has ended. Nothing was done: sign in, and send it again."
PLACE: Final = re.compile(r"/admin(?:/[a-z-]+)*(?:\?view=[\w-]+)?", re.ASCII)
"""Where a sign-in may lead: our own pages alone, as a link to the way in can name any place."""
LISTS: Final = ("/admin/opt-outs", "/admin/blocked", "/admin/reviews")
"""Where the forms are that the addresses below these belong to."""


class SignInError(Exception):
    """Nobody is signed in; the words say why, for who was. `place` is where they wanted to be."""

    def __init__(self, refusal: str = "", place: str = "/admin") -> None:
        super().__init__(refusal)
        self.place = own_place(place)


def own_place(text: str) -> str:
    """A page of ours; the first one for any other place."""
    return text if PLACE.fullmatch(text) else "/admin"


def _wanted(request: Request) -> str:
    """The page that was asked for; of a form, the page that it is on."""
    path = request.url.path
    if request.method == "GET":
        return f"{path}?{request.url.query}" if request.url.query else path
    return next((each for each in LISTS if path.startswith(each)), "/admin")


def keep_out_others(request: Request) -> None:
    """SignInError for a form that a page of another site sent."""
    if request.method != "GET" and request.headers.get("sec-fetch-site") not in OWN_PAGES:
        raise SignInError("Another site sent this form. Nothing was done.", _wanted(request))


async def who(request: Request, service: ServiceIn) -> Caller:
    """The admin of this session; SignInError where there is none, or the key was revoked."""
    keep_out_others(request)
    access = read_session(service.keyring, request.cookies.get(COOKIE, ""))
    if access is None:
        # A form that is lost without a word may be an opt-out that somebody believes in.
        raise SignInError("" if request.method == "GET" else LOST, _wanted(request))
    async with service.connection() as conn:
        if not await _key_stands(conn, access):
            raise SignInError("The key of this session was revoked.", _wanted(request))
    return Caller(access.account_id, Role.ADMIN, access.key_id)


async def _key_stands(conn: AsyncConnection[Any], access: Access) -> bool:
    found = await conn.execute(KEY_STANDS, (access.account_id, access.key_id))
    return await found.fetchone() is not None


SignedIn = Annotated[Caller, Depends(who)]
