"""Whose browser it is, and that a form was sent by a page of ours."""

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


class SignInError(Exception):
    """Nobody is signed in; the words say why, for who was."""


async def who(request: Request, service: ServiceIn) -> Caller:
    """The admin of this session; SignInError where there is none, or the key was revoked."""
    if request.method != "GET" and request.headers.get("sec-fetch-site") not in OWN_PAGES:
        raise SignInError("Another site sent this form. Nothing was done.")
    access = read_session(service.keyring, request.cookies.get(COOKIE, ""))
    if access is None:
        raise SignInError
    async with service.connection() as conn:
        if not await _key_stands(conn, access):
            raise SignInError("The key of this session was revoked.")
    return Caller(access.account_id, Role.ADMIN, access.key_id)


async def _key_stands(conn: AsyncConnection[Any], access: Access) -> bool:
    found = await conn.execute(KEY_STANDS, (access.account_id, access.key_id))
    return await found.fetchone() is not None


SignedIn = Annotated[Caller, Depends(who)]
