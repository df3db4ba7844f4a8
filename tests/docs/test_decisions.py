"""What the decisions in docs/decisions say stays so."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from api.render import decision_fields
from api.schemas.base import Body
from consent_ledger import fold, phone_number, replies, standing
from consent_ledger.decision import unreadable
from consent_ledger.effects.phases import Phase
from consent_ledger.facts import Context, Evidence, Fact, type_of_fact
from consent_ledger.snapshot import WINDOW
from consent_ledger.store import loading, mapper
from consent_ledger.store.statement import WriteStatement
from consent_ledger.words import Reason
from projections.inline import PROJECTIONS

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = [
    path
    for room in ("consent_ledger", "projections", "api")
    for path in sorted(ROOT.glob(f"{room}/**/*.py"))
]
SCHEMA: Final = "\n".join(
    path.read_text() for path in sorted(ROOT.glob("consent_ledger/store/migrations/*.sql"))
)
NOT_BY_NUMBER: Final = {
    *("deployment", "key_generation", "schema_migrations", "account_status", "api_keys"),
    *("webhook_endpoints", "provider_endpoints", "claims", "unparsed_words"),
    *("imports", "import_parts", "import_units", "opt_out_counts"),
}
"""Tables that are about the deployment or an account; claims are the exception of 0004."""


MAINTENANCE: Final = {"repair.py", "examination.py"}
"""Commands that an operator runs; they may ask writers to wait."""
TYPES: Final = "uuid|text|integer|bigint|boolean|bytea"


def tables() -> dict[str, str]:
    """The tables of the migrations, by name."""
    found = dict(re.findall(r"^CREATE TABLE (\w+) \((.*?)^\)", SCHEMA, re.MULTILINE | re.DOTALL))
    for name, column in re.findall(r"^ALTER TABLE (\w+) ADD COLUMN (.*);$", SCHEMA, re.MULTILINE):
        found[name] += f"    {column}\n"
    return found


def strings() -> Iterator[tuple[Path, str]]:
    """Every string of the sources, docstrings among them."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value


@pytest.mark.parametrize("kind", [Context, Evidence, *mapper.FACTS.values()])
def test_a_wire_name_has_one_meaning(kind: type[msgspec.Struct]) -> None:
    """0001: no two fields of a shape share a name, and none takes that of the tag."""
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    assert len(set(names)) == len(names)
    assert not issubclass(kind, Fact) or kind.__struct_config__.tag_field not in names


def test_tags_are_unique() -> None:
    """0001: a tag names one fact."""
    tags = [kind.__struct_config__.tag for kind in mapper.FACTS.values()]
    assert len(set(tags)) == len(tags)


def test_every_older_shape_has_its_upcaster() -> None:
    """0001: a topic at version N has a step from each version before it, and no other has one."""
    steps = {(t, n) for t, newest in mapper.SHAPES.items() for n in range(1, newest)}
    assert set(mapper.UPCASTERS) == steps


@pytest.mark.parametrize("topic", ["StopReceived.9", "StopReceived.x", "NeverHeardOf", "a.b.c"])
def test_an_unknown_shape_is_unreadable(topic: str) -> None:
    """0001: what a later version wrote is an error of its own kind, never another fact."""
    with pytest.raises(mapper.UnreadableEventError):
        mapper.MAPPER.decode(topic, b'[{"o":1},{"t":"stop"}]')


def test_what_cannot_be_read_is_a_no() -> None:
    """0001: the answer for an unreadable record is a deny with its own reason."""
    fields = decision_fields(unreadable("conversation", 1), None)
    assert (fields["may_text"], fields["decision"]) == (False, "deny")
    assert fields["reason"] == Reason.RECORD_UNREADABLE


@pytest.mark.parametrize("kind", type_of_fact.values())
def test_no_event_of_a_number_holds_one(kind: type[msgspec.Struct]) -> None:
    """0002: no field is named as if it held a number, a text or a name of a person."""
    names = {field.name for field in msgspec.structs.fields(kind)}
    assert names.isdisjoint({"number", "e164", "phone", "body", "text", "words", "name", "email"})


def test_read_models_are_the_tables_of_the_schema() -> None:
    """0003: the columns and keys that are written are those of the migrations."""
    found = tables()
    for each in PROJECTIONS:
        definition = found[each.table]
        named = set(re.findall(rf"^    (\w+) (?:{TYPES})", definition, re.MULTILINE))
        assert {column.name for column in each.columns} == named, each.table
        inline = re.search(r"^    (\w+) [^,]*PRIMARY KEY", definition, re.MULTILINE)
        whole = re.search(r"^    PRIMARY KEY \((.*)\)", definition, re.MULTILINE)
        key = inline[1] if inline else (whole[1] if whole else "")
        assert ", ".join(each.key) == key, each.table


def test_the_history_is_the_events() -> None:
    """0003: nothing but the events holds what happened."""
    assert [name for name in tables() if "history" in name or "event" in name] == ["events"]


def test_no_statement_locks_a_table_or_notifies() -> None:
    """0004: nothing that serialises writers is in what the service runs, or in the schema."""
    serialises = re.compile(r"\bLOCK TABLE\b|^\s*(NOTIFY|LISTEN)\b|\bpg_notify\b", re.MULTILINE)
    found = {path.name for path, text in strings() if serialises.search(text)}
    assert found <= MAINTENANCE
    assert not serialises.search(SCHEMA)


def test_numbers_are_locked_in_one_order() -> None:
    """0004: two writers take turns and never deadlock."""
    assert "ORDER BY number_id FOR NO KEY UPDATE" in " ".join(loading.ROWS.split())


def test_a_batch_is_one_statement() -> None:
    """0004: events, claims, vault and read models go in together."""
    sql = WriteStatement(PROJECTIONS).sql
    assert ";" not in sql
    for table in ("events", "claims", "numbers", "words", *(p.table for p in PROJECTIONS)):
        assert f"INSERT INTO {table} " in sql


def test_every_key_of_a_number_starts_with_it() -> None:
    """0004: the ledger could be spread over machines by number."""
    for name, definition in tables().items():
        if name in NOT_BY_NUMBER:
            continue
        if "PRIMARY KEY" not in definition:
            # Without a key, a table is spread by the number that its rows are about.
            assert re.search(r"^    (number_id|originator_id) uuid", definition, re.MULTILINE), name
            continue
        first = definition.strip().split()[0]
        key = re.search(r"PRIMARY KEY \((\w+)", definition)
        assert (key[1] if key else first) in ("number_id", "originator_id"), name


def test_no_unique_index_is_beside_the_primary_keys() -> None:
    """0004: no global order or uniqueness has to be waited for."""
    assert not re.search(r"\bUNIQUE\b", SCHEMA)


OTHER_DATABASES: Final = {"sqlite3", "aiosqlite", "duckdb", "pymysql", "sqlalchemy"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_database_is_imported(path: Path) -> None:
    """0005: there is one dialect."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    assert imported.isdisjoint(OTHER_DATABASES)


def test_the_window_and_the_phases() -> None:
    """0006: eight instants stay unfolded; STOP is applied last."""
    assert WINDOW == 8
    assert [phase.name for phase in Phase] == ["OPENING", "REQUEST", "CLOSING", "STOP"]


def test_the_fold_needs_no_policy() -> None:
    """0006: facts freeze what policy decided, so folding takes facts alone."""
    tree = ast.parse(Path(fold.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules.isdisjoint({"consent_ledger.policy", "consent_ledger.account"})


def test_one_margin_is_used_everywhere() -> None:
    """0007: clocks, the future and the stop confirmation share five minutes."""
    five_minutes = 5 * 60 * standing.MICROSECONDS
    margins = (standing.CLOCK_MARGIN, phone_number.FUTURE_TOLERANCE, replies.CONFIRM_WITHIN)
    assert set(margins) == {five_minutes}


def bodies(kind: type[Body] = Body) -> Iterator[type[Body]]:
    """Every kind of request body."""
    for each in kind.__subclasses__():
        yield each
        yield from bodies(each)


@pytest.mark.parametrize("kind", list(bodies()))
def test_a_body_forbids_unknown_fields(kind: type[Body]) -> None:
    """0008: a typing mistake must not drop a rule."""
    assert kind.model_config.get("extra") == "forbid"
