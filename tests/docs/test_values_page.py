"""docs/reference/values.md has every closed list of values, whole and in the order of the code."""

import re
from collections.abc import Iterable
from typing import Any, Final, get_args

import pytest

from api.importing.files import FIELDS
from api.report.writing import COLUMNS
from api.routes import admin, admin_blocked, admin_opt_outs, admin_reviews
from api.routes.opt_outs import MEANS
from api.schemas.answers.feed import WebhookEndpoint
from api.schemas.answers.imports import ImportState
from api.schemas.imports import Status
from consent_ledger.carrier import SUPPRESSES_AT_ONCE, DeliveryClass
from consent_ledger.lexicon import Understood
from consent_ledger.words import (
    STATUS_LABELS,
    ActorKind,
    Basis,
    Channel,
    Consent,
    Level,
    MessageState,
    Method,
    Permission,
    Preference,
    ReplyKind,
    Source,
    Verdict,
)
from tests.docs.test_docs import ROOT, page, rows

DISABLED: Final = get_args(get_args(WebhookEndpoint.model_fields["disabled_because"].annotation)[0])
LISTS: Final[dict[str, Iterable[str]]] = {
    "understood_as": Understood,
    "kind": ReplyKind,
    "consent": Consent,
    "level": Level,
    "method": Method,
    "status_label": STATUS_LABELS,
    "source": Source,
    "means": (*MEANS, "left out", "anything else"),
    "class": DeliveryClass,
    "permission": Permission,
    "preference": Preference,
    "verdict": Verdict,
    "status": Status,
    "disabled_because": DISABLED,
    "channel": Channel,
    "actor": ActorKind,
    "basis": Basis,
}


def tables(text: str) -> dict[str, list[list[list[str]]]]:
    """The rows of every table by its first heading; several tables may share one."""
    found: dict[str, list[list[list[str]]]] = {}
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        head, *body = rows(block)
        found.setdefault(head[0], []).append(body)
    return found


TABLES: Final = tables(page("reference/values.md"))


def first(body: list[list[str]]) -> list[str]:
    """The first cell of each row."""
    return [row[0] for row in body]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_whole(name: str) -> None:
    """A value that is answered and not told of is one that a program trips over."""
    (body,) = TABLES[name]
    assert first(body) == [str(value) for value in LISTS[name]]


def test_both_lists_of_states_are_whole() -> None:
    """Of messages, and of imports."""
    messages, imports = TABLES["state"]
    assert first(messages) == list(MessageState)
    assert first(imports) == list(get_args(ImportState))


def test_the_values_of_states_are_those_that_the_sources_set() -> None:
    """Neither list is one of the code's own: what is written into the tables is in them."""
    book = "".join(path.read_text() for path in (ROOT / "api" / "importing").glob("*.py"))
    said = set(re.findall(r"state (?:=|IN \() ?'(\w+)'", book))
    assert said
    assert said <= set(get_args(ImportState))
    endpoints = (ROOT / "api" / "feed" / "endpoints.py").read_text()
    assert set(re.findall(r"THEN '(\w+)'", endpoints)) == set(DISABLED)


def test_each_means_is_told_with_its_channel() -> None:
    """What `means` becomes in the event."""
    (body,) = TABLES["means"]
    told: dict[str, Any] = {row[0]: row[2] for row in body}
    assert {name: told[name] for name in MEANS} == {n: str(c) for n, c in MEANS.items()}


def test_each_class_is_told_with_what_it_does() -> None:
    """Those that suppress at once, and no others, say so."""
    (body,) = TABLES["class"]
    assert {row[0] for row in body if row[2] == "at once"} == set(SUPPRESSES_AT_ONCE)


def test_the_columns_of_files_are_told() -> None:
    """Of the report, and of an import's rows."""
    report, imported = tables(page("reference/http.md"))["column"]
    assert first(report) == list(COLUMNS)
    assert first(imported) == list(FIELDS)


def test_every_admin_page_is_told() -> None:
    """Each that a person can open by its address."""
    modules = (admin, admin_opt_outs, admin_blocked, admin_reviews)
    shown = [r.path for m in modules for r in m.router.routes if "GET" in (r.methods or ())]  # type: ignore[attr-defined]
    assert shown[0] == "/"  # It leads on to the first of them.
    assert first(tables(page("reference/http.md"))["page"][0]) == shown[1:]


def test_every_variable_of_the_environment_is_told() -> None:
    """The page of settings has those that are no option, too."""
    rooms = (ROOT / name for name in ("api", "consent_ledger"))
    texts = [path.read_text() for room in rooms for path in room.rglob("*.py")]
    names = {name for text in texts for name in re.findall(r"CONSENT_LEDGER_[A-Z_]+[A-Z]", text)}
    told = page("reference/settings.md")
    assert [name for name in sorted(names) if f"`{name}`" not in told] == []
