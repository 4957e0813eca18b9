"""`/docs`: the interface in words, written from its own OpenAPI document into one page without a foreign request."""

import json
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

METHODS = ("get", "post", "put", "delete")
TITLES = {"sensorthings": "SensorThings"}
"""Of tags that are proper names."""


def page(openapi: dict[str, Any], file_path: Callable[[str], str]) -> str:
    """The reference as an HTML page; `file_path` says where a file is served."""
    info = openapi["info"]
    operations = list(_operations(openapi))
    tags = list(dict.fromkeys(tag for tag, _, _, _ in operations))
    sections = "".join(_section(tag, operations, openapi) for tag in tags)
    contents = "".join(f'<li><a href="#{escape(tag)}">{escape(_title(tag))}</a></li>' for tag in tags)
    icon, style = file_path("icon.svg"), file_path("reference.css")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} · interface</title>"
        f'<link rel="icon" href="{icon}" type="image/svg+xml"><link rel="stylesheet" href="{style}"></head>'
        f"<body><header><h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>"
        f'<nav aria-label="Contents"><ul>{contents}<li><a href="/openapi.json">OpenAPI</a></li></ul></nav></header>'
        f"<main>{sections}{_shapes(openapi)}</main></body></html>"
    )


def _operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, item in openapi["paths"].items():
        for method in METHODS:
            if method in item:
                yield item[method].get("tags", ["other"])[0], method, path, item[method]


def _title(tag: str) -> str:
    return TITLES.get(tag, tag.capitalize())


def _section(tag: str, operations: list[tuple[str, str, str, dict[str, Any]]], openapi: dict[str, Any]) -> str:
    inner = "".join(_operation(method, path, body) for each, method, path, body in operations if each == tag)
    return f'<section id="{escape(tag)}"><h2>{escape(_title(tag))}</h2>{inner}</section>'


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    lock = ' <span class="token">token</span>' if {} not in operation.get("security", [{}]) else ""
    head = f'<h3><span class="method {method}">{method.upper()}</span> <code>{escape(path)}</code>{lock}</h3>'
    words = f"<p>{escape(operation.get('summary', ''))}</p>"
    told = _parameters(operation) + _body(operation) + _answers(operation) + _examples(operation)
    return f"<article>{head}{words}{told}</article>"


def _parameters(operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
        f"<td>{_type(each.get('schema', {}))}{' · required' if each.get('required') else ''}</td>"
        f"<td>{escape(each.get('description', ''))}</td></tr>"
        for each in operation.get("parameters", ())
    )
    heads = "<tr><th>parameter</th><th>in</th><th>type</th><th>meaning</th></tr>"
    return f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>" if rows else ""


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(f"<p>Body: {_type(each.get('schema', {}))}</p>" for each in content.values())


def _answers(operation: dict[str, Any]) -> str:
    parts, refusals = [], []
    for status, answer in operation.get("responses", {}).items():
        if status >= "400":
            refusals.append(escape(status))
            continue
        kinds = [f"{escape(name)} {_type(each.get('schema', {}))}" for name, each in answer.get("content", {}).items()]
        parts.append(f"<li><b>{escape(status)}</b> {', '.join(kinds) or escape(answer.get('description', ''))}</li>")
    if refusals:
        parts.append(f"<li>refused: {', '.join(refusals)} {_type({'$ref': 'ProblemDocument'})}</li>")
    return f"<ul class='answers'>{''.join(parts)}</ul>"


def _examples(operation: dict[str, Any]) -> str:
    """What may be sent and what comes back, folded away."""
    bodies = [operation.get("requestBody", {})]
    bodies += [answer for status, answer in operation.get("responses", {}).items() if status < "300"]
    shown = [
        content["example"] for body in bodies for content in body.get("content", {}).values() if "example" in content
    ]
    texts = [each if isinstance(each, str) else json.dumps(each, indent=1, ensure_ascii=False) for each in shown]
    blocks = "".join(f'<pre tabindex="0">{escape(text)}</pre>' for text in texts)
    return f"<details><summary>Example</summary>{blocks}</details>" if blocks else ""


def _shapes(openapi: dict[str, Any]) -> str:
    schemas = openapi.get("components", {}).get("schemas", {})
    parts = []
    for name, schema in sorted(schemas.items()):
        rows = "".join(
            f"<tr><td><code>{escape(field)}</code></td><td>{_type(each)}</td>"
            f"<td>{escape(each.get('description', ''))}</td></tr>"
            for field, each in schema.get("properties", {}).items()
        )
        words = escape(schema.get("description", ""))
        head = f'<article id="shape-{escape(name)}"><h3>{escape(name)}</h3><p>{words}</p>'
        parts.append(f"{head}<table>{rows}</table></article>")
    return f'<section id="shapes"><h2>Shapes</h2>{"".join(parts)}</section>' if parts else ""


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words of HTML, with links to the shapes it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#shape-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    default = [f"default {schema['default']}"] if schema.get("default") is not None else []
    return escape(", ".join([str(schema.get("type", "any")), *bounds, *default]))
