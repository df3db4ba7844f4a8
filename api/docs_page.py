"""The page that shows the OpenAPI document to people; nothing on it is loaded from elsewhere."""

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Final

import msgspec

from api.doc_fields import Row, kind_of, resolved, rows

Json = dict[str, Any]

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;
color:#1b1f24;background:#fff}
h1{margin-bottom:0}h2{margin-top:2.5rem;text-transform:capitalize}
details{border:1px solid #d0d7de;border-radius:6px;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f6f8fa;padding:.7rem;overflow:auto;border-radius:6px}
.verb{display:inline-block;min-width:4.2rem;font-weight:700}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}
pre{background:#161b22}details{border-color:#30363d}a{color:#58a6ff}}
"""
"""Of the admin's pages too."""
TABLES: Final = """
h3{margin:1.2rem 0 .3rem}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;
border-top:1px solid #8883}td:first-child{white-space:nowrap}
"""


def page(document: Json, base_url: str) -> str:
    """The whole page. `base_url` is where the examples are sent."""
    groups: dict[str, list[str]] = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            shown = "".join(_operation(document, base_url, path, verb, operation))
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(shown)
    parts = [f'<h2 id="{_id(g)}">{escape(g)}</h2>{"".join(each)}' for g, each in groups.items()]
    index = " · ".join(f'<a href="#{_id(group)}">{escape(group)}</a>' for group in groups)
    told = document["info"]["description"].split("\n\n")
    intro = "".join(f"<p>{_text(paragraph)}</p>" for paragraph in told)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Consent ledger</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{TABLES}</style>'
        f"<h1>{escape(document['info']['title'])}</h1>{intro}"
        f"<p>Each example works when pasted, once <code>KEY=clk_...</code> has set a key and a "
        f"value stands for each name in braces. The whole as data: "
        f'<a href="/openapi.json">openapi.json</a>.</p><p>{index}</p>{"".join(parts)}'
        f'<h2 id="values">Values</h2>{"".join(_values(document))}'
    )


def _operation(
    document: Json, base_url: str, path: str, verb: str, operation: Json
) -> Iterator[str]:
    head = f'<span class="verb">{verb.upper()}</span><code>{escape(path)}</code>'
    yield f"<details><summary>{head}</summary><p>{_text(operation.get('description', ''))}</p>"
    if "x-roles" in operation:
        yield f"<p>For keys of: {escape(', '.join(operation['x-roles']))}.</p>"
    parameters = [_parameter(document, each) for each in operation.get("parameters", [])]
    if parameters:
        yield f"<h3>Parameters</h3>{_table(parameters)}"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<h3>Body, <code>{escape(kind)}</code></h3>"
        yield _table(rows(document, content["schema"]))
        yield _code(_curl(base_url, path, verb, operation, kind, content["example"]))
    if "requestBody" not in operation:
        yield f"<h3>Example</h3>{_code(_curl(base_url, path, verb, operation))}"
    yield from _answers(document, operation)
    yield "</details>"


def _answers(document: Json, operation: Json) -> Iterator[str]:
    problems = []
    for status, response in operation["responses"].items():
        told = _text(response.get("description", ""))
        if status >= "4":
            problems.append(f"<li>{status} {told}</li>")
            continue
        yield f"<h3>{status}: {told}</h3>"
        for kind, content in response.get("content", {}).items():
            fields = list(rows(document, content["schema"]))
            yield _table(fields, answered=True) if fields else f"<p><code>{escape(kind)}</code></p>"
            if "example" in content:
                yield _code(_example(content["example"]))
    if problems:
        yield f"<h3>Problems</h3><ul>{''.join(problems)}</ul>"


def _parameter(document: Json, parameter: Json) -> Row:
    schema = parameter["schema"]
    kind, values = kind_of(document, schema)
    place = f"{parameter['name']} ({parameter['in']})"
    required = parameter.get("required", False)
    return Row(place, kind, values, required, parameter.get("description", ""))


def _table(found: Iterable[Row], *, answered: bool = False) -> str:
    """The fields; in an answer those that may be absent are marked, else those that may not."""
    lines = "".join(_line(row, "" if answered else " <b>required</b>") for row in found)
    if not lines:
        return ""
    return f'<div class="wide"><table><tr><th>Field<th>Type<th>Meaning</tr>{lines}</table></div>'


def _line(row: Row, required: str) -> str:
    needed = required if row.required else "" if required else ", may be absent"
    kind = escape(row.kind)
    if row.values:
        kind = kind.replace(row.values, f'<a href="#{row.values}">{row.values}</a>')
    return (
        f"<tr><td><code>{escape(row.place)}</code><td>{kind}{needed}<td>{_text(row.meaning)}</tr>"
    )


def _values(document: Json) -> Iterator[str]:
    """Every closed list of values, once."""
    for name, schema in sorted(document["components"]["schemas"].items()):
        if "enum" in schema:
            listed = ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
            told = _text(resolved(document, schema).get("description", ""))
            yield f'<h3 id="{name}">{name}</h3><p>{told}</p><p>{listed}</p>'


def _curl(
    base_url: str, path: str, verb: str, operation: Json, kind: str = "", example: Any = None
) -> str:
    parts = [f"curl -s -X {verb.upper()} '{base_url}{path}{_query(operation)}'"]
    if "x-roles" in operation:
        parts.append('-H "Authorization: Bearer $KEY"')
    if kind == "application/x-www-form-urlencoded":
        parts += [
            f"--data-urlencode {_quoted(f'{name}={value}')}" for name, value in example.items()
        ]
    elif kind:
        text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        parts += [f"-H 'Content-Type: {kind}'", f"--data-binary {_quoted(text)}"]
    return " \\\n  ".join(parts)


def _query(operation: Json) -> str:
    """What has to be asked in the URL: each with its name in braces, as in a path."""
    names = [
        each["name"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required")
    ]
    return "".join(f"{'&' if at else '?'}{name}={{{name}}}" for at, name in enumerate(names))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _example(found: Any) -> str:
    if isinstance(found, str):
        return found
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _text(text: str) -> str:
    """A sentence, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{each}</code>" if at % 2 else each for at, each in enumerate(parts))


def _id(group: str) -> str:
    return group.replace(" ", "-")
