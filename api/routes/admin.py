"""The admin page: what stands in the account, for a person with a browser."""

from html import escape
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from psycopg import AsyncConnection

from api.admin_access import COOKIE, SESSION_SECONDS, Access, open_session, read_session
from api.auth import looks_like_key
from api.render import instant
from api.routes.docs import STYLE
from api.service import Service
from api.submit import ServiceIn
from consent_ledger.store.reader import View
from consent_ledger.words import Role, Source

router = APIRouter(include_in_schema=False)

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
}

KEY_STANDS: Final = """
SELECT 1 FROM api_keys
WHERE account_id = %s AND key_id = %s AND role = 'admin' AND revoked_at IS NULL"""
BY_SOURCE: Final = """
SELECT source, count(*), max(since) FROM opt_out_report WHERE account_id = %s GROUP BY source"""
NUMBERS: Final = """
SELECT count(*), count(*) FILTER (WHERE do_not_text), count(*) FILTER (WHERE under_review)
FROM consent_status WHERE account_id = %s"""
HELD: Final = """
SELECT count(*), count(*) FILTER (WHERE ready) FROM deferred_messages
WHERE account_id = %s AND state = 'deferred'"""

SOURCES: Final = {
    Source.CONTACT: "by the contact",
    Source.SYSTEM: "by the carrier or provider",
    Source.AGENT: "by an agent",
}


@router.get("/admin")
async def admin(request: Request, service: ServiceIn, token: str | None = None) -> Response:
    """The account's state; or the way in, with a link that works once or with an admin's key."""
    if token is not None:
        return _enter(service, request.app.state.admin_links.use(token), "The link was used.")
    access = read_session(service.keyring, request.cookies.get(COOKIE, ""))
    if access is None:
        return _sign_in()
    async with service.connection() as conn:
        found = await conn.execute(KEY_STANDS, (access.account_id, access.key_id))
        if await found.fetchone() is None:
            return _sign_in("The key of this session was revoked.")
        facts = await _facts(conn, access)
    view = await service.reader.view(access.account_id, [])
    return _html(_overview(view, facts))


@router.post("/admin")
async def sign_in(service: ServiceIn, key: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Opens a session for who has an admin's key."""
    caller = await service.look_up_key(key) if looks_like_key(key) else None
    access = None
    if caller is not None and caller.role is Role.ADMIN:
        access = Access(caller.account_id, caller.key_id)
    return _enter(service, access, "This is no admin's key.")


def _enter(service: Service, access: Access | None, refusal: str) -> Response:
    if access is None:
        return _sign_in(refusal)
    # Sent on at once, so that the token stays neither in the address bar nor in the history.
    response = Response(status_code=303, headers={**HEADERS, "Location": "/admin"})
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


async def _facts(conn: AsyncConnection[Any], access: Access) -> dict[str, Any]:
    account = (access.account_id,)
    numbers = await (await conn.execute(NUMBERS, account)).fetchone()
    held = await (await conn.execute(HELD, account)).fetchone()
    opt_outs = await (await conn.execute(BY_SOURCE, account)).fetchall()
    assert numbers is not None
    assert held is not None
    return {
        "opt_outs": {source: (total, latest) for source, total, latest in opt_outs},
        "rows": [
            ("Numbers on record", numbers[0]),
            ("Do not text", numbers[1]),
            ("Replies that wait for a person", numbers[2]),
            ("Texts held", held[0]),
            ("of them perhaps ready to go", held[1]),
        ],
    }


def _overview(view: View, facts: dict[str, Any]) -> str:
    policy = view.account.policy_at(view.now)
    numbers = "".join(f"<tr><th>{name}</th><td>{total}</td></tr>" for name, total in facts["rows"])
    opt_outs = "".join(
        f"<tr><th>{label}</th><td>{total}</td><td>{instant(latest) or ''}</td></tr>"
        for source, label in SOURCES.items()
        for total, latest in [facts["opt_outs"].get(source, (0, None))]
    )
    return (
        f"<h1>{escape(view.account.name)}</h1>"
        f"<p>Policy {escape(policy.policy.preset)}, version {policy.version}.</p>"
        f"<h2>Numbers</h2><table>{numbers}</table>"
        f"<h2>Opt-outs that stand</h2><table><tr><th></th><td>numbers</td><td>latest</td></tr>"
        f"{opt_outs}</table>"
        f'<p><a href="/docs">The HTTP interface</a> · <a href="/openapi.json">as data</a></p>'
    )


def _sign_in(refusal: str | None = None) -> Response:
    said = f'<p role="alert">{escape(refusal)}</p>' if refusal else ""
    form = (
        '<form method="post" action="/admin"><label>A key of an admin '
        '<input name="key" type="password" autocomplete="off" required></label> '
        "<button>Sign in</button></form>"
    )
    return _html(f"<h1>Consent ledger</h1>{said}{form}", 403 if refusal else 200)


def _html(body: str, status: int = 200) -> Response:
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Consent ledger</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}'
        f"th{{text-align:left;font-weight:400;padding-right:2rem}}</style><main>{body}</main>"
    )
    return Response(page, status, HEADERS, "text/html; charset=utf-8")
