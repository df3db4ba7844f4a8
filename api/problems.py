"""Errors as application/problem+json (RFC 9457): a stable code, the field, never the input."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from api.render import decision_fields
from consent_ledger.decision import UnknownPurposeError
from consent_ledger.errors import SetUpError
from consent_ledger.ledger import MESSAGE_CLAIM, ClaimReusedError, UnavailableError
from consent_ledger.number import UnparseableNumber
from consent_ledger.phone_number import RefusedError
from consent_ledger.policy import PolicyError, UnknownPresetError

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "https://consent-ledger.example/problems/"
"""A problem's `type`: an identifier, listed in docs/reference/problems.md."""

STATUS_OF_REFUSAL: Final[dict[str, int]] = {
    "opt-in-forbidden": 409,
    "consent-request-refused": 409,
    "already-released": 409,
    "not-releasable": 409,
    "not-found": 404,
}
"""Refusals of the domain; any other is about a field, so 422."""

CODE_OF_STATUS: Final[dict[int, str]] = {
    400: "malformed-json",
    401: "key-missing-or-unknown",
    403: "role-not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}

NOT_JSON: Final = "The body is not JSON in UTF-8."

FIELD_NAME: Final = re.compile("[a-z][a-z_]{0,29}")
"""What a mistyped field looks like; anything else may be a number, or a contact's words."""

NOT_OURS: Final = ("extra_forbidden", "name_repeated")
"""What is wrong with a name that anybody may have made up."""

ERRORS_TOLD: Final = 100
"""Of one body, or one item: what a person can use. To tell half a million faults of a body takes
seconds, in which this process answers no check."""


class Problem(Exception):
    """A problem to be told to the caller; `extra` are further members of it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = extra


def invalid(field: str, code: str, detail: str) -> Problem:
    """A 422 about one field of the body."""
    pointer = "/" + field.lstrip("/")
    errors = [{"pointer": pointer, "code": code, "detail": detail}]
    return Problem(422, code, detail, errors=errors)


def unparseable(field: str) -> Problem:
    """A 422 about a number that is none."""
    return invalid(field, "number-unparseable", "This is no phone number that can be read.")


def respond(problem: Problem) -> Response:
    """The response for a problem."""
    body: dict[str, Any] = {
        "type": TYPE_BASE + problem.code,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.extra,
    }
    if problem.errors is not None:
        body["errors"] = problem.errors
    headers = problem.headers
    if problem.status == 401:
        headers = {"WWW-Authenticate": "Bearer", **headers}
    return Response(msgspec.json.encode(body), problem.status, headers, MEDIA_TYPE)


def of_refusal(refusal: RefusedError) -> Problem:
    """The problem that a refusal of the rules is told as."""
    status = STATUS_OF_REFUSAL.get(refusal.code, 422)
    if refusal.field is not None:
        return invalid(refusal.field, refusal.code, refusal.detail)
    extra: dict[str, Any] = {}
    if refusal.decision is not None:
        extra = decision_fields(refusal.decision, refusal.number_id)
    if refusal.reason is not None:
        extra["reason"] = refusal.reason
    if refusal.source is not None:
        extra["source"] = str(refusal.source)
    return Problem(status, refusal.code, refusal.detail, **extra)


def of_claim(error: ClaimReusedError) -> Problem:
    """The problem of a key that was used before for something else."""
    if error.kind == MESSAGE_CLAIM:
        return invalid(
            "message_id", "message-id-reused", "This message id was used for another number."
        )
    return Problem(
        422,
        "idempotency-key-reused",
        "This Idempotency-Key was used before with another body.",
        errors=[],
    )


def of_validation(error: RequestValidationError) -> Problem:
    """The problem of a body or parameter of the wrong shape; never the value itself."""
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        return Problem(400, "malformed-json", NOT_JSON)
    errors = shape_errors({**each, "loc": each["loc"][1:]} for each in found)
    return Problem(422, "invalid-body", "The request does not fit; see errors.", errors=errors)


def shape_errors(errors: Iterable[Mapping[str, Any]], *place: object) -> list[dict[str, str]]:
    """What pydantic says first of the thing at a place in the body."""
    return [
        {
            "pointer": _pointer(each, place),
            "code": str(each["type"]).replace("_", "-"),
            "detail": _plain(each),
        }
        for each in islice(errors, ERRORS_TOLD)
    ]


def _pointer(error: Mapping[str, Any], before: tuple[object, ...]) -> str:
    place = "/".join(str(part) for part in (*before, *error["loc"]))
    return "/" + (named(place) if error["type"] in NOT_OURS else place)


def named(place: str) -> str:
    """A place whose name is not ours: the name is told only if it can be nothing but a name."""
    head, _, name = place.rpartition("/")
    return place if FIELD_NAME.fullmatch(name) else head


def _plain(error: Mapping[str, Any]) -> str:
    # Pydantic's messages name limits and choices, not the input; a custom error's text is ours.
    message = str(error["msg"])
    if error["type"] == "uuid_parsing":
        # But this one shows the letter at which it gave up.
        message = message.partition(",")[0]
    return message.removeprefix("Value error, ")


def install(app: FastAPI) -> None:
    """Every error that a route foresees, as a problem; the middleware answers any other."""

    def on(kind: type[Exception], make: Any) -> None:
        async def handler(request: Request, error: Exception) -> Response:
            return respond(make(error))

        app.add_exception_handler(kind, handler)

    on(Problem, lambda problem: problem)
    on(RefusedError, of_refusal)
    on(ClaimReusedError, of_claim)
    on(RequestValidationError, of_validation)
    on(UnparseableNumber, lambda _: unparseable("number"))
    on(UnknownPurposeError, lambda _: unknown_purpose())
    on(SetUpError, lambda error: invalid(error.field, error.code, str(error)))
    on(PolicyError, _of_policy)
    on(UnknownPresetError, lambda error: invalid("preset", "unknown-preset", str(error)))
    on(UnavailableError, lambda _: unavailable())

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            # The framework names the methods of one route; others may have the same path.
            error.headers = {**(error.headers or {}), "Allow": ", ".join(_methods(request))}
        return respond(_of_http(error))

    app.add_exception_handler(HTTPException, of_http)


def _methods(request: Request) -> list[str]:
    found: set[str] = set()
    for route in request.app.added:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)


def _of_policy(error: PolicyError) -> Problem:
    errors = [
        {
            "pointer": f"/{named(f'changes/{each.field}')}",
            "code": "policy-refused",
            "detail": str(each),
        }
        for each in islice((error, *error.others), ERRORS_TOLD)
    ]
    return Problem(422, "policy-refused", str(error), errors=errors)


def unknown_purpose(field: str = "purpose") -> Problem:
    """A 422 about a purpose that the account has not defined."""
    return invalid(field, "unknown-purpose", "The account has no such purpose.")


def unavailable() -> Problem:
    """The ledger cannot answer or record now."""
    return Problem(
        503,
        "unavailable",
        "The ledger cannot answer now. Do not text; ask again.",
        headers={"Retry-After": "1"},
    )


def _of_http(error: HTTPException) -> Problem:
    code = CODE_OF_STATUS.get(error.status_code, "http-error")
    detail = NOT_JSON if error.status_code == 400 else HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, code, detail, headers=error.headers)


def too_large(limit: int) -> Problem:
    """A body over its limit, in bytes."""
    return Problem(413, "body-too-large", f"The body may have at most {limit} bytes.")


def internal() -> Problem:
    """The ledger failed in a way that nobody foresaw."""
    return Problem(500, "internal-error", "The ledger failed. Do not text; ask again.")
