"""The facts that were ever stored still load, mean what they meant, and are stored the same.

`tests/golden/facts.json` lists stored facts, a `full` one of each topic with every field filled and
a `bare` one with what it has to have, beside what its absent fields mean. THE FILE ONLY GROWS: an
entry is somebody's consent record, so a change that breaks one needs an upcaster, not a new entry.
A new topic, or a new field, gets an entry at the end: `python -m tests.domain.test_golden` prints
the ones that are missing, and `FIRST` says how many the first release had.
"""

import hashlib
import json
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from consent_ledger import facts as f
from consent_ledger.account_facts import type_of_account_fact

FILE: Final = Path(__file__).parents[1] / "golden" / "facts.json"
KINDS: Final[dict[str, type[f.Fact]]] = {**f.type_of_fact, **type_of_account_fact}
GOLDEN: Final[list[dict[str, Any]]] = json.loads(FILE.read_text()) if FILE.exists() else []
IDS: Final = [f"{entry['topic']}-{entry['kind']}" for entry in GOLDEN]
FIRST: Final = 78
FIRST_DIGEST: Final = "6ca0abac11ea499e"


def decode(topic: str, stored: str) -> tuple[f.Context, f.Fact]:
    """Context and fact as the ledger reads them."""
    context, fact = msgspec.json.decode(stored)
    return msgspec.convert(context, f.Context), msgspec.convert(fact, KINDS[topic])


def encode(context: f.Context, fact: f.Fact) -> str:
    """Context and fact as the ledger stores them."""
    return msgspec.json.encode([context, fact]).decode()


@pytest.mark.parametrize("entry", GOLDEN, ids=IDS)
def test_a_stored_fact_loads_and_is_stored_the_same(entry: dict[str, Any]) -> None:
    """Section 2: the stored form is for ever."""
    context, fact = decode(entry["topic"], entry["stored"])
    assert type(fact).__name__ == entry["topic"]
    again = encode(context, fact)
    assert decode(entry["topic"], again) == (context, fact)
    # A policy is stored whole, so one of today names what a later version added to it.
    assert again == entry["stored"] or entry["topic"] == "PolicyAdopted"


@pytest.mark.parametrize("entry", GOLDEN, ids=IDS)
def test_a_stored_fact_means_what_it_meant(entry: dict[str, Any]) -> None:
    """Section 2: what is left out is a default, and a default may never change."""
    context, fact = decode(entry["topic"], entry["stored"])
    assert _holds(_meaning(context), entry.get("context", {}))
    assert _holds(_meaning(fact), entry["fact"])


@pytest.mark.parametrize("topic", KINDS)
def test_every_topic_has_its_golden_facts(topic: str) -> None:
    """One with all its fields, and one with none that it could leave out."""
    entries = [entry for entry in GOLDEN if entry["topic"] == topic]
    assert [entry["kind"] for entry in entries[:2]] == ["full", "bare"]
    filled = [json.loads(entry["stored"]) for entry in entries if entry["kind"] == "full"]
    assert {name for _, fact in filled for name in fact} >= {*KINDS[topic].__struct_encode_fields__}
    assert {name for context, _ in filled for name in context} == {
        *f.Context.__struct_encode_fields__
    }


def test_the_file_only_grows() -> None:
    """The entries of the first release are there, in their order, to the byte."""
    assert len(GOLDEN) >= FIRST
    assert _digest(GOLDEN[:FIRST]) == FIRST_DIGEST


def test_no_two_facts_share_a_tag() -> None:
    """Section 2: a topic is stable, and so is the short name inside the fact."""
    tags = {json.loads(entry["stored"])[1]["t"] for entry in GOLDEN}
    assert len(tags) == len({entry["topic"] for entry in GOLDEN})


def test_no_fact_has_room_for_a_number_or_a_text() -> None:
    """Section 9: the only free text of a fact is what an account calls things, or says itself."""
    allowed = {"name", "text"}
    words = {"number", "phone", "body", "email", "reason_text", "name", "text"}
    fields = {name for kind in f.type_of_fact.values() for name in kind.__struct_fields__}
    assert not fields & words
    accounts = {name for kind in type_of_account_fact.values() for name in kind.__struct_fields__}
    assert accounts & words <= allowed


# --- how entries are made ----------------------------------------------------------------------


def _digest(entries: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16]


def _meaning(struct: msgspec.Struct) -> dict[str, Any]:
    """Every field by its name, whether it is stored or a default."""
    values = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {name: json.loads(msgspec.json.encode(value)) for name, value in values.items()}


def _holds(whole: Any, part: Any) -> bool:
    """Whether all of a golden meaning is still so; later fields may stand beside it."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _holds(whole[name], part[name]) for name in part)
    return bool(whole == part)


def _sample(annotation: Any, full: bool) -> Any:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return _sample(next(arg for arg in args if arg is not type(None)), full)
    if origin is tuple:
        return (_sample(args[0], full),)
    if origin is dict:
        return {_sample(args[0], full): _sample(args[1], full)}
    if issubclass(annotation, Enum):
        return list(annotation)[-1]
    if issubclass(annotation, msgspec.Struct):
        return _sample_struct(annotation, full)
    return {int: 1767225600000000, str: "x1", bool: True, UUID: UUID(int=7)}[annotation]


def _sample_struct(kind: type[msgspec.Struct], full: bool) -> Any:
    hints = typing.get_type_hints(kind)
    fields = [each for each in msgspec.structs.fields(kind) if full or each.required]
    return kind(**{each.name: _sample(hints[each.name], full) for each in fields})


def missing() -> list[dict[str, Any]]:
    """The entries that the file still lacks."""
    entries = []
    for topic, kind in KINDS.items():
        for name in ("full", "bare"):
            context = _sample_struct(f.Context, name == "full")
            fact = _sample_struct(kind, name == "full")
            stored = encode(context, fact)
            if all(entry["topic"] != topic or entry["stored"] != stored for entry in GOLDEN):
                entry = {"topic": topic, "kind": name, "stored": stored, "fact": _meaning(fact)}
                if kind is f.StopReceived:
                    entry["context"] = _meaning(context)
                entries.append(entry)
    return entries


if __name__ == "__main__":
    print(",\n".join(json.dumps(entry) for entry in missing()))
