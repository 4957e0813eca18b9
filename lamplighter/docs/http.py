"""`docs/http.md`, written from the API's own OpenAPI document."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

from api.reference import METHODS
from lamplighter.docs.unconnected import application

_HEAD = """\
# HTTP

All that the API answers. A running one says the same with all shapes and examples at `/docs`, and for programs at
`/openapi.json`. What *all* may needs no login. A token comes from `lamplighter token issue` and goes into the header
`Authorization: Bearer TOKEN`; a viewer's reads, an operator's also changes. SensorThings answers without one, too, and
says less then ([open data](open_data.md#sensorthings)). Errors are problem documents (RFC 9457).

This page is written from the code by `make docs`, and a test compares them.
"""
_TABLE = "| request | who may | what it is | parameters |\n|---|---|---|---|\n"
_TITLES = {"public": "For everybody", "sensorthings": "SensorThings"}


def page() -> str:
    """The whole page as Markdown: a table for each tag."""
    paths: Mapping[str, Mapping[str, Any]] = asyncio.run(_openapi())["paths"]
    operations = [(method, path, item[method]) for path, item in paths.items() for method in METHODS if method in item]
    tags = list(dict.fromkeys(_tag(operation) for _, _, operation in operations))
    return _HEAD + "".join(
        f"\n## {_TITLES.get(tag, tag.capitalize())}\n\n{_TABLE}"
        + "".join(_row(method, path, each) for method, path, each in operations if _tag(each) == tag)
        for tag in tags
    )


def _tag(operation: Mapping[str, Any]) -> str:
    tags: list[str] = operation.get("tags", ["other"])
    return tags[0]


def _row(method: str, path: str, operation: Mapping[str, Any]) -> str:
    ways = operation.get("security", [{}])
    who = "a token" if {} not in ways else "all, a token for more" if len(ways) > 1 else "all"
    words = operation.get("summary") or operation.get("description", "")
    return f"| `{method.upper()} {path}` | {who} | {_cell(words)} | {', '.join(_parameters(operation))} |\n"


def _parameters(operation: Mapping[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", ()):
        if each["in"] == "query":
            yield f"`{each['name']}`" + (" (required)" if each.get("required") else "")
    if "requestBody" in operation:
        yield "a JSON body"


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


async def _openapi() -> dict[str, Any]:
    """The OpenAPI document as the application tells it."""
    told: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message.get("body", b""))

    scope = {"type": "http", "method": "GET", "path": "/openapi.json", "query_string": b"", "headers": []}
    scope |= {"client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0), "scheme": "http", "root_path": ""}
    await application()(scope, receive, send)
    document: dict[str, Any] = json.loads(b"".join(told))
    return document
