"""Pages from templates: escaped by default, complete in one file, with nothing loaded elsewhere."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.admin.once import shown_once
from api.docs_page import STYLE
from consent_ledger.number import spaced
from consent_ledger.words import Source

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
}
SOURCES: Final = {
    Source.CONTACT: "The contact",
    Source.SYSTEM: "The carrier or provider",
    Source.AGENT: "An agent",
}
"""Who opted out, in the words of the pages."""


def _moment(text: str) -> str:
    """A time of an answer, to the minute: what a person reads."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC")


def purpose_name(purpose: str) -> str:
    """A purpose in the words of the pages."""
    return purpose.replace("_", " ")


def _many(total: int) -> str:
    """A count as it is read: millions have no digits to count."""
    return f"{total:,}"


TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals.update(style=STYLE, sources=SOURCES, once=shown_once)
TEMPLATES.filters.update(moment=_moment, many=_many, spaced=spaced, purpose_name=purpose_name)


def page(template: str, status: int = 200, **context: Any) -> Response:
    """A page."""
    body = TEMPLATES.get_template(template).render(**context)
    return Response(body, status, HEADERS, "text/html; charset=utf-8")


def sent_on(path: str) -> Response:
    """The browser goes on to another page, so that going back repeats nothing."""
    return Response(status_code=303, headers={**HEADERS, "Location": path})
