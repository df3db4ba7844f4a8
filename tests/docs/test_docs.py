"""The documents say what the code does: every name that a caller can meet is in them."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import typer
import yaml
from typer.core import TyperGroup

from api.app import create_app
from api.cli.main import app as command_line
from api.problem_codes import WHEN, status_of
from api.problems import CODE_OF_STATUS
from api.routes.checks import EXAMPLE
from api.settings import Settings
from consent_ledger.facts import Context, Evidence
from consent_ledger.keyring import Keyring
from consent_ledger.store.mapper import FACTS
from consent_ledger.words import EXPLANATIONS, LIFTED_BY, LiftedBy, Reason

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))
DECISIONS: Final = sorted((DOCS / "decisions").glob("[0-9]*.md"))

LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK: Final = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
RAISED_AT: Final = {"Problem": 1, "invalid": 1, "RefusedError": 0, "_refused": 0, "SetUpError": 2}
"""Where a problem's code stands among the arguments of what makes one."""


def page(name: str) -> str:
    """A document below docs/."""
    return (DOCS / name).read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without their backticks."""
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]


def blocks(*kinds: str) -> Iterator[tuple[str, str]]:
    """Every fenced block of these languages, with a name for it."""
    for path in PAGES:
        for at, (kind, text) in enumerate(BLOCK.findall(path.read_text())):
            if kind in kinds:
                yield f"{path.relative_to(ROOT)}#{at}", text


def relative(path: Path) -> str:
    """A path's name for a test's id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_as_the_service_explains_it(reason: Reason) -> None:
    """The page of reasons has each one's sentence and who can lift it."""
    found = {row[0]: row for row in rows(page("reference/reasons.md")) if len(row) == 4}
    _, _, lifted_by, explanation = found[reason]
    assert lifted_by == (LIFTED_BY[reason] or "-")
    assert explanation.removesuffix(" |") == EXPLANATIONS[reason]
    assert f"`{reason}`" in page("glossary.md")


@pytest.mark.parametrize("lifted_by", LiftedBy)
def test_every_lifter_is_explained(lifted_by: LiftedBy) -> None:
    """Who or what can change an answer is on the page of reasons."""
    assert lifted_by in {row[0] for row in rows(page("reference/reasons.md")) if len(row) == 2}


@pytest.mark.parametrize("topic", FACTS)
def test_every_event_is_listed_with_its_wire_names(topic: str) -> None:
    """The page of events has each topic, its tag and its fields as they are stored."""
    kind = FACTS[topic]
    row = next(row for row in rows(page("reference/events.md")) if row[0].split("`")[0] == topic)
    assert row[1] == kind.__struct_config__.tag
    for field in msgspec.structs.fields(kind):
        assert f"{field.name}` `{field.encode_name}" in row[3]
    assert f"`{topic}`" in page("glossary.md")


@pytest.mark.parametrize("kind", [Context, Evidence])
def test_the_envelope_is_listed_with_its_wire_names(kind: type[msgspec.Struct]) -> None:
    """The page of events has every field of the envelope as it is stored."""
    found = {tuple(row[:2]) for row in rows(page("reference/events.md"))}
    assert {(f.name, f.encode_name) for f in msgspec.structs.fields(kind)} <= found


OF_NO_ROUTE: Final = {"method-not-allowed"}
"""Told where no route is: there is nothing to list it under."""
NEVER_ANSWERED: Final = {"consent-by-text-not-told", "not-an-import"}
"""Guards of the domain that no request reaches: the one's body is refused for its shape before,
and only imports retract."""


def problem_codes() -> set[str]:
    """Every code that a caller can be given, by the sources."""
    codes = set(CODE_OF_STATUS.values())
    for path in (*ROOT.glob("api/**/*.py"), *ROOT.glob("consent_ledger/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = RAISED_AT.get(node.func.id)
                if place is not None and len(node.args) > place:
                    codes.add(getattr(node.args[place], "value", None))
    return {code for code in codes if isinstance(code, str)} - NEVER_ANSWERED


def test_every_problem_is_listed() -> None:
    """The page of problems has every code that a caller can get, and the document too."""
    codes, told = problem_codes(), page("reference/problems.md")
    assert len(codes) > len(WHEN) // 2
    assert [code for code in sorted(codes) if f"`{code}`" not in told] == []
    # What has an underscore is a `reason` of `consent-request-refused`.
    assert {code for code in codes if "_" not in code} <= {*WHEN, *OF_NO_ROUTE}


def test_every_problem_is_listed_with_its_status() -> None:
    """The page of problems and the OpenAPI document are of one mind."""
    told: dict[str, str] = {}
    text = page("reference/problems.md")
    for heading, status in (("A field does not fit", "422"), ("The rules say no", "409")):
        section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        told |= {row[0]: status for row in rows(section)}
        text = text.replace(section, "")
    told |= {code: row[1] for row in rows(text) for code in re.findall(r"[a-z-]+", row[0])}
    for code in WHEN:
        assert told.get(code) == str(status_of(code)), code


def routes() -> list[tuple[str, str]]:
    """Every route of the service that its own documentation lists."""
    settings = Settings(database_url="postgresql://", key=Keyring.generate().dump())
    paths: dict[str, dict[str, Any]] = create_app(settings).openapi()["paths"]
    return [(verb.upper(), path) for path, verbs in paths.items() for verb in verbs]


def test_every_route_is_listed() -> None:
    """The page of routes has each one."""
    found, told = routes(), page("reference/http.md")
    assert found
    assert [each for each in found if f"`{' '.join(each)}`" not in told] == []


def commands() -> list[str]:
    """Every command of the program, with the group that it is in."""
    program = typer.main.get_command(command_line)
    assert isinstance(program, TyperGroup)
    found = []
    for name, command in program.commands.items():
        inner = command.commands if isinstance(command, TyperGroup) else {}
        found += [f"{name} {each}" for each in inner] or [name]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_listed(command: str) -> None:
    """The page of the command line has each one."""
    assert f"`{command}`" in page("reference/command-line.md")


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_listed(setting: str) -> None:
    """The page of settings has each variable."""
    assert f"`CONSENT_LEDGER_{setting.upper()}`" in page("reference/settings.md")


@pytest.mark.parametrize("path", DECISIONS, ids=relative)
def test_every_decision_is_linked_and_says_what_enforces_it(path: Path) -> None:
    """The index has every decision, and each ends with a check that is there."""
    assert f"(decisions/{path.name})" in page("README.md")
    enforced = path.read_text().partition("\n## Enforced by\n")[2]
    assert enforced
    assert "\n## " not in enforced
    named = re.findall(r"`(tests/[^`]+)`", enforced)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_every_relative_link_resolves(path: Path) -> None:
    """A link to another page, and to a heading of it, leads somewhere."""
    for target in LINK.findall(path.read_text()):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not heading or heading in anchors(file.read_text()), target


def anchors(text: str) -> set[str]:
    """The names that headings are linked by."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=relative)
def test_every_page_is_reached_from_the_index(path: Path) -> None:
    """Nobody has to guess that a page exists."""
    assert path.name == "README.md" or f"({path.relative_to(DOCS)})" in page("README.md")


SHELL: Final = dict(blocks("sh"))
JSON: Final = dict(blocks("json"))


@pytest.mark.parametrize("name", JSON)
def test_every_json_block_is_json(name: str) -> None:
    """What is shown as JSON can be parsed."""
    json.loads(JSON[name])


@pytest.mark.parametrize("name", SHELL)
def test_every_shell_block_is_one(name: str) -> None:
    """What is shown as commands can be parsed by a shell, and the bodies in it by us."""
    subprocess.run(["bash", "-n"], input=SHELL[name], text=True, check=True)
    for body in re.findall(r"'(\{\".*?\})'", SHELL[name], re.DOTALL):
        json.loads(body)


USED: Final = re.compile(r"\$\{?([A-Z][A-Z_]+)")
SET: Final = re.compile(r"\b([A-Z][A-Z_]+)=")


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_every_variable_of_a_command_is_set_or_explained(path: Path) -> None:
    """Whoever pastes a command knows what its variables stand for: an empty one is no secret."""
    text = path.read_text()
    commands = "".join(block for kind, block in BLOCK.findall(text) if kind == "sh")
    told = set(SET.findall(commands)) | set(re.findall(r"`\$?([A-Z_]+)`", BLOCK.sub("", text)))
    unknown = set(USED.findall(commands)) - told
    assert not [name for name in unknown if not name.startswith("CONSENT_LEDGER_")]


def test_the_answer_in_the_readme_has_the_fields_of_the_service() -> None:
    """The example of an answer is no older than the service."""
    shown = next(json.loads(text) for name, text in JSON.items() if name.startswith("README.md"))
    assert list(shown) == list(EXAMPLE)
    assert shown["explanation"] == EXPLANATIONS[Reason(shown["reason"])]


def test_what_is_checked_is_what_the_readme_says() -> None:
    """The check that every change has to pass runs the README's own test command."""
    command = "python3 -m pip install '.[test]' && python3 -m pytest"
    assert f"```sh\n{command}\n```" in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci/run").read_text()


def test_compose_asks_for_its_secrets_and_stays_on_loopback() -> None:
    """No secret has a default, no port is open to others, and the data outlives the containers."""
    text = (ROOT / "docker-compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    assert set(re.findall(r"\$\{(\w+):\?", text)) == {"POSTGRES_PASSWORD", "CONSENT_LEDGER_KEY"}
    ports = [port for each in services.values() for port in each.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["db"]["volumes"] == ["database:/var/lib/postgresql"]
    assert services["ledger"]["depends_on"]["migrate"]["condition"].endswith("successfully")


def test_every_pin_is_one_version() -> None:
    """The constraints name versions, and neither a host nor a digest."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
