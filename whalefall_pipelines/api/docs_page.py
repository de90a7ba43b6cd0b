"""The documentation page of the API, made from its OpenAPI document. It has no script and loads nothing."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; } summary { cursor: pointer; padding: .3rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #8886; padding: .2rem .5rem; text-align: left; vertical-align: top; }
.method { display: inline-block; min-width: 4.5rem; font-weight: bold; } .scope { float: right; opacity: .75; }
"""


def render(document: Mapping[str, Any]) -> str:
    """The page."""
    return "".join(("<!doctype html>", *_page(document)))


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    yield '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield f"<title>whalefall API</title><style>{_STYLE}</style></head><body><h1>whalefall API</h1>"
    yield "<p>Send a token with each request: <code>Authorization: Bearer wf_…</code>. Sizes are bytes, unknown is null. "
    yield 'The same as <a href="openapi.json">OpenAPI document</a>.</p>'
    headings: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            headings.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for heading, routes in headings.items():
        yield f"<h2>{escape(heading)}</h2>"
        for route in routes:
            yield from _route(*route)
    yield "</body></html>"


def _route(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    access = " and access" if operation["x-needs-access"] else ""
    yield f'<details><summary><span class="method">{method}</span> <code>{escape(path)}</code>'
    yield f'<span class="scope">{escape(operation["x-scope"])}{access}</span></summary>'
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<table><tr><th>parameter</th><th>in</th><th>meaning</th></tr>"
        for parameter in parameters:
            meaning = escape(parameter.get("description", ""))
            yield f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td><td>{meaning}</td></tr>"
        yield "</table>"
    yield f"<p>Answers: {', '.join(escape(status) for status in operation['responses'])}.</p></details>"
