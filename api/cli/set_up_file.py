"""A file of settings, YAML or JSON: its values, and the line that each of them stands on."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from api.cli.errors import CommandError
from api.settings import BODY_LIMIT
from consent_ledger.masking import mask

STANDARD_INPUT: Final = "-"
MOST_VALUES: Final = 100_000
"""Counted wherever they are used: an alias of an alias of an alias multiplies what it names."""
TOO_MANY: Final = f"holds more than {MOST_VALUES} values"
DEEPEST: Final = 20
"""Levels; a set-up has seven, and an alias of itself has no end."""

TAG: Final = "tag:yaml.org,2002:"
COLLECTIONS: Final = (f"{TAG}map", f"{TAG}seq")
FOREIGN_TAG: Final = "a tag that means nothing here"
WIDTH: Final = 100
"""Columns of a file that is written, for those who read it beside another."""
SCALARS: Final[tuple[tuple[str, str, str], ...]] = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", "-0123456789"),
)
"""What is no text, and the first signs of it: as in JSON, so `no` is Norwegian and +1 a text."""


class FileFault(NamedTuple):
    """What is wrong in a file, and on which line."""

    line: int
    message: str


class SetUpFileError(Exception):
    """A file that cannot be read as settings: everything that is wrong with it."""

    def __init__(self, *faults: FileFault) -> None:
        super().__init__()
        self.faults = faults


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file holds; `lines` are those of its fields by their JSON pointers."""

    value: dict[str, Any]
    lines: dict[str, int]

    def line_of(self, pointer: str) -> int:
        """The line of a field, or of what should hold it."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


def name_of(path: str) -> str:
    """How a file is called where its faults are told."""
    return "stdin" if path == STANDARD_INPUT else path


def read_settings(path: str) -> SettingsFile:
    """The settings in a file or, for `-`, in standard input; SetUpFileError, CommandError."""
    try:
        data = _bytes_of(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > BODY_LIMIT:
        raise SetUpFileError(FileFault(1, f"is larger than {BODY_LIMIT} bytes"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SetUpFileError(FileFault(line, "is not UTF-8")) from None
    return read_text(text)


def _bytes_of(path: str) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read(BODY_LIMIT + 1)
    with Path(path).open("rb") as source:
        return source.read(BODY_LIMIT + 1)


def read_text(text: str) -> SettingsFile:
    """The settings that a text holds; SetUpFileError."""
    if _is_json(text):
        # JSON may indent by tabs, and its strings can hold none; YAML is the other way round.
        text = text.replace("\t", " ")
    try:
        node = yaml.compose(text, _Loader)
        found = _Walk()
        value = found.value(node, "", 1) if node is not None else None
    except RecursionError:
        raise SetUpFileError(FileFault(1, "is too deeply nested")) from None
    except yaml.MarkedYAMLError as error:
        raise SetUpFileError(_of_syntax(error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SetUpFileError(FileFault(line, "a character that no text may hold")) from None
    if found.faults:
        raise SetUpFileError(*found.faults)
    if not isinstance(value, dict):
        raise SetUpFileError(FileFault(1, "must hold the names of settings, each with its value"))
    return SettingsFile(value, found.lines)


def _is_json(text: str) -> bool:
    try:
        return text.lstrip().startswith("{") and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _of_syntax(error: yaml.MarkedYAMLError) -> FileFault:
    mark = error.problem_mark or error.context_mark
    said = mask(" ".join((error.problem or "cannot be read").split()))
    return FileFault(mark.line + 1 if mark else 1, said)


class _Loader(yaml.SafeLoader):
    """Safe, and with the scalars of JSON."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Stops at the limit: to read all of a file that is refused anyway takes its time."""
        self.nodes += 1
        if self.nodes > MOST_VALUES:
            raise SetUpFileError(FileFault(_line(parent) if parent is not None else 1, TOO_MANY))
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Quotes what this or any other reader of YAML would take for something else than a text."""


for _name, _pattern, _first in SCALARS:
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(
            f"{TAG}{_name}",
            re.compile(rf"(?:{_pattern})\Z"),
            ["" if sign == "\0" else sign for sign in _first],
        )


def written(value: dict[str, Any]) -> str:
    """Settings as YAML, which `read_text` reads back."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


@dataclass(slots=True)
class _Walk:
    """From the nodes of a file to its values, each with its line; all faults are gathered."""

    lines: dict[str, int] = field(default_factory=dict)
    faults: list[FileFault] = field(default_factory=list)
    count: int = 0

    def value(self, node: yaml.Node, pointer: str, line: int, depth: int = 0) -> Any:
        """The value of a node that stands at a place."""
        self.count += 1
        if self.count > MOST_VALUES:
            raise SetUpFileError(FileFault(line, TOO_MANY))
        if depth > DEEPEST:
            raise SetUpFileError(FileFault(line, "is too deeply nested"))
        self.lines[pointer] = line
        if isinstance(node, yaml.CollectionNode) and node.tag not in COLLECTIONS:
            self.faults.append(FileFault(line, FOREIGN_TAG))
        if isinstance(node, yaml.MappingNode):
            return dict(self._fields(node, pointer, depth))
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(each, f"{pointer}/{at}", _line(each), depth + 1)
                for at, each in enumerate(node.value)
            ]
        return self._scalar(node, line)

    def _fields(
        self, node: yaml.MappingNode, pointer: str, depth: int
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        for key, value in node.value:
            name = self._scalar(key, _line(key)) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                self.faults.append(FileFault(_line(key), "the name of a setting must be a text"))
                continue
            if name in seen:
                self.faults.append(FileFault(_line(key), "the same name stands here twice"))
            seen.add(name)
            yield name, self.value(value, f"{pointer}/{name}", _line(key), depth + 1)

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        """The value of a text; a date is a text too, which the service reads."""
        kind, text = node.tag.removeprefix(TAG), str(node.value)
        try:
            match kind:
                case "str":
                    # JSON writes what is beyond 16 bits as two halves; one alone is nothing.
                    return text.encode("utf-16", "surrogatepass").decode("utf-16")
                case "int":
                    return int(text)
                case "float":
                    return _finite(float(text))
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "null":
                    return None
        except (ValueError, KeyError):
            self.faults.append(FileFault(line, "a value that cannot be read"))
            return None
        self.faults.append(FileFault(line, FOREIGN_TAG))
        return None


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError
    return number


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
