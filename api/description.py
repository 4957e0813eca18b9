"""The OpenAPI document with what the framework does not know: every refusal, the headers, an example of everything.

Examples are data (`examples.json`): by operation what may be sent and what comes back, by name what a parameter may be.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

from api import problems, shapes
from api.door import too_large
from api.moments import invalid
from api.problems import Problem

METHODS = ("get", "post", "put", "patch", "delete")
EXAMPLES: dict[str, dict[str, Any]] = json.loads((files("api") / "examples.json").read_text(encoding="utf-8"))
_REF = {"$ref": "#/components/schemas/ProblemDocument"}
_REFUSALS: Mapping[int, tuple[str, Problem]] = {
    400: (
        "What was sent cannot be read.",
        Problem(400, "The request's body is not valid JSON.", slug="malformed-body"),
    ),
    401: ("No token, or none that we accept.", problems.unauthorised("The token is unknown, expired or revoked.")),
    403: (
        "The token's role may not do this.",
        Problem(403, "This needs the role operator; the token's role is viewer."),
    ),
    404: ("There is no such thing.", problems.not_found("asset of this name")),
    413: ("The request is too large.", too_large()),
    415: ("The body is no JSON as it is.", Problem(415, "A body is to be sent as Content-Type: application/json.")),
    422: (
        "A parameter or a member of the body is not as it should be, or cannot be now.",
        invalid("limit", "it should be less than or equal to 1000"),
    ),
    429: ("Too many requests of this address.", problems.too_many("Too many requests from your address.", 1)),
    503: ("The database is away.", problems.unavailable()),
}
_HEADERS = {
    "www-authenticate": "How to show a token.",
    "retry-after": "After so many seconds it may be tried again.",
    "etag": "Send it as `If-None-Match`; 304 says that nothing has changed.",
    "cache-control": "For how long the answer may be kept.",
}


class Described(FastAPI):
    """The framework's application whose OpenAPI document is whole."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            describe(document)
        assert self.openapi_schema is not None
        return self.openapi_schema


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def describe(document: dict[str, Any]) -> None:
    """Complete a document in place."""
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["ProblemDocument"] = shapes.ProblemDocument.model_json_schema()
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            _plain(parameter)
        for status in _statuses(method, path, operation):
            operation["responses"][str(status)] = _refusal(status)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        _bear(path, operation)
        _show(operation, EXAMPLES["operations"].get(f"{method} {path}", {}))


def _plain(parameter: dict[str, Any]) -> None:
    """Nobody can write null into an address; and an example, where there is one for the name."""
    schema = parameter["schema"]
    choices = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    schema |= choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
    if parameter["name"] in EXAMPLES["parameters"]:
        parameter["example"] = EXAMPLES["parameters"][parameter["name"]]


def _statuses(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[int]:
    """How an operation may refuse."""
    names = {each["name"] for each in operation.get("parameters", ())}
    secured, written = bool(operation.get("security")), method != "GET"
    if written or "cursor" in names or path.startswith("/v1.1/"):
        yield 400
    if secured:
        yield from (401, 429, 503)
    elif path.startswith(("/public/", "/api/", "/v1.1")):
        yield 429
    if written:
        yield 403
    if operation.get("requestBody"):
        yield from (413, 415)
    if "{" in path or names & {"asset", "zone"}:
        yield 404
    if names or written:
        yield 422
    if path in EXAMPLES["of_the_database"]:
        yield 503


def _refusal(status: int) -> dict[str, Any]:
    words, problem = _REFUSALS[status]
    media = {"schema": _REF, "example": json.loads(problem.body())}
    headers = {"headers": _headers(*problem.headers)} if problem.headers else {}
    return {"description": words, "content": {problems.MEDIA_TYPE: media}, **headers}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}, "description": _HEADERS[name], "required": True} for name in names}


def _bear(path: str, operation: dict[str, Any]) -> None:
    """What is public says for how long it may be kept, and by which tag it is known."""
    kept = (
        path.startswith(("/public/", "/api/")) and "text/event-stream" not in operation["responses"]["200"]["content"]
    )
    if kept:
        operation["responses"]["200"]["headers"] = _headers("etag", "cache-control")
        operation["responses"]["304"] = {"description": "Nothing has changed.", "headers": _headers("etag")}


def _show(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    """Put the examples of one operation where its bodies are described."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "request" in example:
            content["example"] = example["request"]
    good = next(operation["responses"][status] for status in operation["responses"] if status < "300")
    for media_type, content in good.get("content", {}).items():
        if media_type in example.get("answers", {}):
            content["example"] = example["answers"][media_type]
