"""The admin's first page: what stands in the account, and the way in."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from psycopg import AsyncConnection

from api.admin.pages import SOURCES, page, sent_on
from api.admin.session import SignInError, keep_out_others, own_place, who
from api.admin_access import COOKIE, SESSION_SECONDS, Access, open_session
from api.auth import looks_like_key
from api.render import instant
from api.report.summing import find_totals
from api.service import Service
from api.submit import ServiceIn
from api.unreadable_senders import count_waiting
from consent_ledger.words import Role

router = APIRouter(include_in_schema=False)

UNDER_REVIEW: Final = """
SELECT count(*) FROM consent_status WHERE account_id = %s AND under_review"""
"""What an index counts: all numbers of an account would be minutes where there are millions."""
HELD: Final = """
SELECT count(*), count(*) FILTER (WHERE ready) FROM deferred_messages
WHERE account_id = %s AND state = 'deferred'"""


@router.get("/")
async def front_door() -> Response:
    """Whoever opens the printed address in a browser is led to the pages."""
    return sent_on("/admin")


@router.get("/admin")
async def overview(request: Request, service: ServiceIn, token: str | None = None) -> Response:
    """The account's state; or the way in, with a link that works once or with an admin's key."""
    if token is not None:
        return _enter(
            service,
            request.app.state.admin_links.use(token),
            "The link was used, or is from before the service was started.",
        )
    caller = await who(request, service)
    async with service.connection() as conn:
        facts = await _facts(conn, caller.account_id)
    view = await service.reader.view(caller.account_id, [])
    policy = view.account.policy_at(view.now)
    return page(
        "overview.html",
        account=view.account.name,
        preset=policy.policy.preset,
        version=policy.version,
        **facts,
    )


@router.post("/admin")
async def sign_in(
    service: ServiceIn,
    key: Annotated[str, Form(max_length=200)] = "",
    place: Annotated[str, Form()] = "/admin",
) -> Response:
    """Opens a session for who has an admin's key."""
    caller = await service.look_up_key(key) if looks_like_key(key) else None
    access = None
    if caller is not None and caller.role is Role.ADMIN:
        access = Access(caller.account_id, caller.key_id)
    return _enter(service, access, "This is no admin's key.", place)


@router.post("/admin/sign-out")
async def sign_out(request: Request) -> Response:
    """Ends the session of this browser, also one that has ended by itself."""
    keep_out_others(request)
    response = sent_on("/admin")
    response.delete_cookie(COOKIE, path="/admin")
    # A browser may keep a page that it was told not to store for going back to it: not after this.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _enter(
    service: Service, access: Access | None, refusal: str, place: str = "/admin"
) -> Response:
    if access is None:
        raise SignInError(refusal, place)
    # Sent on at once, so that the token stays neither in the address bar nor in the history.
    response = sent_on(own_place(place))
    response.set_cookie(
        COOKIE,
        open_session(service.keyring, access),
        max_age=SESSION_SECONDS,
        path="/admin",
        secure=service.settings.base_url.startswith("https:"),
        httponly=True,
        # Not `strict`: a link that another page opens would then land outside the session.
        samesite="lax",
    )
    return response


async def not_signed_in(request: Request, error: Exception) -> Response:
    """The page to sign in on, for whoever is not; it remembers where they wanted to be."""
    assert isinstance(error, SignInError)
    refusal = str(error)
    return page("sign_in.html", 403 if refusal else 200, refusal=refusal, place=error.place)


async def _facts(conn: AsyncConnection[Any], account_id: UUID) -> dict[str, Any]:
    reviews = await (await conn.execute(UNDER_REVIEW, (account_id,))).fetchone()
    held = await (await conn.execute(HELD, (account_id,))).fetchone()
    unreadable = await count_waiting(conn, account_id)
    totals = await find_totals(conn, account_id)
    assert reviews is not None
    assert held is not None
    found = {source: (total, instant(latest)) for source, (total, latest) in totals.items()}
    return {
        "opt_outs": [(name, *found.get(source, (0, None))) for source, name in SOURCES.items()],
        "numbers": [
            ("Replies that wait for a person", reviews[0]),
            *([("Texts from senders that are no phone number", unreadable)] if unreadable else []),
            ("Texts held", held[0]),
            ("of them perhaps ready to go", held[1]),
        ],
    }
