"""docs/reference/policy.md names every field of a policy, with its default and each preset's."""

import json
from typing import Any

import msgspec
import pytest

from consent_ledger.policy import PRESETS, Policy, PurposeRule
from tests.docs.test_docs import page, rows

PAGE = page("reference/policy.md")


def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        each.encode_name: each.default
        for each in msgspec.structs.fields(kind)
        if each.encode_name != "preset"
    }


def _table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return rows(section)[1:]


@pytest.mark.parametrize(("heading", "kind"), [("Fields", Policy), ("Purposes", PurposeRule)])
def test_every_field_is_on_the_page_with_its_default(
    heading: str, kind: type[msgspec.Struct]
) -> None:
    """A field that is not told of is a rule that nobody can set."""
    told = {row[0]: row[1] for row in _table(heading) if row[0] != "---"}
    defaults = _defaults(kind)
    assert list(told) == list(defaults)
    for name, value in defaults.items():
        shown = told[name].strip("*")
        if name != "purposes":
            wanted = {"None": "null", "False": "false", "True": "true"}.get(str(value), str(value))
            assert shown == wanted or value is msgspec.NODEFAULT, name


def test_every_difference_between_presets_is_on_the_page() -> None:
    """Rulebook section 7, as the code has it."""
    table = [row for row in _table("Presets") if row[0] != "---"]
    names = list(PRESETS)
    differing = [
        name
        for name in Policy.__struct_fields__
        if name not in ("preset", "purposes")
        and len({str(getattr(policy, name)) for policy in PRESETS.values()}) > 1
    ]
    assert [row[0] for row in table[1:]] == differing
    for row in table[1:]:
        values = [getattr(PRESETS[name], row[0]) for name in names]
        assert row[1:] == [json.dumps(value) for value in values]
    fields = {row[0]: row[1] for row in _table("Fields")}
    in_italics = {name for name, default in fields.items() if default.startswith("*")}
    assert in_italics == {*differing, "purposes"}
