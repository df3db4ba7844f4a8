"""The reference of the HTTP interface, made from the OpenAPI document; works offline."""

from html import escape
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

router = APIRouter(include_in_schema=False)

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1b1f24;background:#fff}
h1{margin-bottom:0}h2{margin-top:2.5rem;text-transform:capitalize}
details{border:1px solid #d0d7de;border-radius:6px;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f6f8fa;padding:.7rem;overflow:auto;border-radius:6px}
.verb{display:inline-block;min-width:4.2rem;font-weight:700}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}
pre{background:#161b22}details{border-color:#30363d}a{color:#58a6ff}}
"""


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every route with an example; nothing is loaded from elsewhere."""
    schema = request.app.openapi()
    return Response(_page(schema), media_type="text/html")


def _page(schema: dict[str, Any]) -> str:
    groups: dict[str, list[str]] = {}
    for path, verbs in schema["paths"].items():
        for verb, operation in verbs.items():
            group = operation.get("tags", ["other"])[0]
            groups.setdefault(group, []).append(_operation(schema, path, verb, operation))
    parts = [f"<h2>{escape(group)}</h2>{''.join(items)}" for group, items in groups.items()]
    intro = "".join(f"<p>{escape(p)}</p>" for p in schema["info"]["description"].split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Consent ledger</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{escape(schema['info']['title'])}</h1>{intro}"
        f"<p>Send a key: <code>Authorization: Bearer KEY</code>. The whole as data: "
        f'<a href="/openapi.json">openapi.json</a>.</p>{"".join(parts)}'
    )


def _operation(schema: dict[str, Any], path: str, verb: str, operation: dict[str, Any]) -> str:
    told = escape(operation.get("description", ""))
    rows = [f"<p>{told}</p>"]
    parameters = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    if parameters:
        rows.append(f"<p>Query: <code>{escape(', '.join(parameters))}</code></p>")
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(f"<p>Body, <code>{escape(kind)}</code>:</p>{_example(schema, content)}")
    for status, response in operation.get("responses", {}).items():
        for content in response.get("content", {}).values():
            if "example" in content:
                shown = escape(response.get("description", ""))
                rows.append(f"<p>{status}: {shown}</p>{_example(schema, content)}")
    head = f'<span class="verb">{verb.upper()}</span><code>{escape(path)}</code>'
    return f"<details><summary>{head}</summary>{''.join(rows)}</details>"


def _example(schema: dict[str, Any], content: dict[str, Any]) -> str:
    found = content.get("example")
    if found is None:
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        examples = schema["components"]["schemas"].get(name, {}).get("examples", [])
        found = examples[0] if examples else {}
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    return f"<pre>{escape(text)}</pre>"
