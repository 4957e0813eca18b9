"""Errors as problem documents (RFC 9457): one shape for all, saying what the asker can do, nothing of our insides."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from api.wording import plain
from storage.errors import Busy, Refused, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""What we ask a client to wait while the database is away."""

_log = structlog.get_logger(__name__)


class Problem(Exception):
    """An answer that is an error. `slug` names its type; without one the status says it all (`about:blank`)."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        slug: str | None = None,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.slug = slug
        self.headers = headers or {}
        self.members = members

    def body(self) -> bytes:
        """The document as JSON."""
        document = {
            "type": f"urn:lamplighter:problem:{self.slug}" if self.slug else "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return msgspec.json.encode(document | self.members)

    def response(self) -> Response:
        """The document as an answer."""
        headers = {"cache-control": "no-store"} | self.headers
        return Response(self.body(), self.status, headers, MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """404: there is no such thing."""
    return Problem(404, f"There is no {what}.")


def unauthorised(detail: str) -> Problem:
    """401: no token, or none that we accept."""
    return Problem(401, detail, headers={"www-authenticate": 'Bearer realm="lamplighter"'})


def too_many(detail: str, retry_after_s: float) -> Problem:
    """429: wait a whole number of seconds, at least one."""
    return Problem(429, detail, slug="rate-limited", headers={"retry-after": str(max(1, -int(-retry_after_s // 1)))})


def unavailable() -> Problem:
    """503: the database is away."""
    detail = "The database is not reachable at the moment; nothing was changed. Please try again shortly."
    return Problem(503, detail, slug="database-away", headers={"retry-after": str(RETRY_AFTER_S)})


def is_taken(app: Starlette, scope: Scope) -> bool:
    """Whether there is an address that takes the method of this request; else the answer is 404 or 405."""
    return any(each.matches(scope)[0] is Match.FULL for each in app.routes)


def explain_all(app: FastAPI) -> None:
    """Make every error that can leave the app a problem document."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(Unavailable, _of_database_away)
    app.add_exception_handler(Busy, _of_database_busy)
    app.add_exception_handler(Refused, _of_unstorable)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_anything)


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _of_database_away(request: Request, error: Exception) -> Response:
    _log.warning("database away", path=request.scope["path"], error=str(error))
    return unavailable().response()


async def _of_database_busy(request: Request, error: Exception) -> Response:
    _log.warning("database busy", path=request.scope["path"], error=str(error))
    detail = "The database had no time for this; ask for less at once, or try again."
    return Problem(503, detail, slug="database-busy", headers={"retry-after": str(RETRY_AFTER_S)}).response()


async def _of_unstorable(request: Request, error: Exception) -> Response:
    """What was sent passed every check of ours, but no database could hold it, such as a text with a NUL."""
    _log.debug("request refused by the database", path=request.scope["path"], error=str(error))
    detail = "The request holds a text or number that cannot be stored or looked up; nothing was changed."
    return Problem(422, detail, slug="invalid-request").response()


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = _objections(error.errors())
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return Problem(400, "The request's body is not valid JSON.", slug="malformed-body").response()
    detail = "; ".join(f"{each['where']}: {each['detail']}" for each in errors)
    return Problem(
        422, f"The request is not as it should be: {detail}.", slug="invalid-request", errors=errors
    ).response()


def _objections(errors: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """What is wrong at each place, without repeating what was sent; where one of several would do, all are named."""
    found: dict[str, list[str]] = {}
    for error in errors:
        place, *within = map(str, error["loc"])
        where = ".".join(part for part in within if "[" not in part) or place  # brackets are the library's own words
        found.setdefault(where, []).append(plain(error))
    return [{"where": where, "detail": ", or ".join(details)} for where, details in found.items()]


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 404:
        return Problem(404, "There is nothing at this address; /docs lists what there is.", headers=headers).response()
    if error.status_code == 405:
        headers["allow"] = ", ".join(_methods(request))
        return Problem(405, f"This address does not take {request.method}.", headers=headers).response()
    return Problem(error.status_code, str(error.detail), headers=headers).response()


def _methods(request: Request) -> list[str]:
    """What an address takes; the framework would name the methods of one of its routes alone."""
    known = ("DELETE", "GET", "PATCH", "POST", "PUT")
    return [method for method in known if is_taken(request.app, {**request.scope, "method": method})]


async def _of_anything(request: Request, error: Exception) -> Response:
    _log.error("request failed", method=request.method, path=request.scope["path"], exc_info=error)
    return Problem(500, "Something went wrong on our side; it has been recorded.").response()
