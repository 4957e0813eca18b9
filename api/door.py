"""The front door, before the framework: rate limit, headers that every answer bears, figures."""

import time
from collections.abc import Mapping

from fastapi import HTTPException
from fastapi.security.utils import get_authorization_scheme_param
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.addresses import Addresses
from api.auth import Gate
from api.board import PATH, Board
from api.headers import OPEN, OWN, PREFLIGHT, borne
from api.metrics import Metrics
from api.ops.alarm_stream import PATH as ALARM_STREAM
from api.problems import Problem, is_taken, too_many
from api.ratelimit import Buckets
from api.shelf import Shelf
from api.standards import OPEN_PATHS

BODY_BYTES_MAX = 64 * 1024
"""A larger request is refused."""
STREAMS = (f"{PATH}/stream", ALARM_STREAM)
"""These never end by themselves."""
OPERATORS = "/ops/"
UNLIMITED = (OPERATORS, "/healthz", "/readyz", "/probez", "/metrics")
"""Not for residents: operators are limited by `auth` while they have no valid token."""


class Door:
    """The ASGI application that stands before the framework's."""

    def __init__(
        self, app: Starlette, board: Board, buckets: Buckets, addresses: Addresses, metrics: Metrics, gate: Gate
    ) -> None:
        self._app = app
        self.shelf = Shelf(board, buckets, addresses, metrics)
        self._buckets = buckets
        self._addresses = addresses
        self._metrics = metrics
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the framework."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        is_open = path == "/" or path.startswith(OPEN_PATHS)
        visit = _Visit(send, path, is_open)
        begun_s = time.monotonic()
        route = await self._answer(path, is_open, scope, receive, visit)
        self._metrics.requests.labels(route, scope["method"], visit.status).inc()
        if path not in STREAMS:
            self._metrics.seconds.labels(route).observe(time.monotonic() - begun_s)

    async def _answer(self, path: str, is_open: bool, scope: Scope, receive: Receive, visit: "_Visit") -> str:
        """Answer and return the route by which it was answered."""
        if not path.startswith(UNLIMITED):
            wait_s = self._buckets.take(self._addresses.client(scope), time.monotonic())
            if wait_s:
                self._metrics.limited.inc()
                refusal = too_many("Too many requests from your address.", wait_s).response()
                await refusal(scope, receive, visit.send)
                return "limited"
        if is_open and scope["method"] == "OPTIONS":
            visit.headers = [*visit.headers, *PREFLIGHT]
            await Response(status_code=204)(scope, receive, visit.send)
            return "preflight"
        return await self._pass_on(scope, receive, visit)

    async def _pass_on(self, scope: Scope, receive: Receive, visit: "_Visit") -> str:
        """Let the framework answer. HEAD is GET without a body, but not of a stream, which would never end."""
        if scope["method"] == "HEAD" and scope["path"] not in STREAMS:
            scope = {**scope, "method": "GET"}
            visit.without_body = True
        said = dict(reversed(scope["headers"]))  # of several the first counts
        if scope["path"].startswith(OPERATORS) and await self._is_strange(scope, said):
            receive = _nothing  # it is refused, or a page: what a stranger sends is not even looked at
            said = {}
        refusal = _refusal(said)
        if refusal is not None and is_taken(self._app, scope):
            await refusal.response()(scope, receive, visit.send)
            return "refused"
        try:
            await self._app(scope, _bounded(receive), visit.send)
        except Exception:
            if not visit.ended:  # else the framework has answered 500, recorded the error, and raises it once more
                raise
        return getattr(scope.get("route"), "path", "none")

    async def _is_strange(self, scope: Scope, said: Mapping[bytes, bytes]) -> bool:
        """Whether a request shows no token, or comes with a body and a token that opens nothing."""
        scheme, secret = get_authorization_scheme_param(said.get(b"authorization", b"").decode("latin-1"))
        if scheme.lower() != "bearer" or not secret:
            return True
        return _has_body(said) and await self._gate.disowns(scope, secret)


class _Visit:
    """One answer on its way out: adds the headers, remembers the status."""

    def __init__(self, send: Send, path: str, is_open: bool) -> None:
        self._send = send
        self._own = [b"OPTIONS"] if is_open else []
        self._has_head = path not in STREAMS
        self.headers = OPEN if is_open else OWN
        self.without_body = False
        self.status = 0
        self.ended = False

    async def send(self, message: Message) -> None:
        """Pass a message of the answer on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = list(message.get("headers", ()))
            if self.status == 405:
                given = [(name, self._allowed(value) if name == b"allow" else value) for name, value in given]
            message = {**message, "headers": borne(given, self.headers)}
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
            if self.without_body:
                message = {**message, "body": b""}
        await self._send(message)

    def _allowed(self, by_framework: bytes) -> bytes:
        """All methods of an address: those of the framework, and those that are answered here."""
        methods = by_framework.split(b", ")
        head = [b"HEAD"] if b"GET" in methods and self._has_head else []
        return b", ".join(sorted([*methods, *head, *self._own]))


def _refusal(said: Mapping[bytes, bytes]) -> Problem | None:
    """Why a request is not even read, by what its headers say of its body; `None` where it is."""
    length = said.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BODY_BYTES_MAX:
        return too_large()
    if not _has_body(said):
        return None
    if said.get(b"content-encoding", b"identity") != b"identity":
        return Problem(415, "A body is to be sent as it is, without Content-Encoding.")
    if said.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        return Problem(415, "A body is to be sent as Content-Type: application/json.")
    return None


def _has_body(said: Mapping[bytes, bytes]) -> bool:
    return said.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in said


def too_large() -> Problem:
    """413: the body of a request is longer than we take."""
    return Problem(413, f"A request may be at most {BODY_BYTES_MAX} bytes long.", slug="too-large")


async def _nothing() -> Message:
    """An empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def _bounded(receive: Receive) -> Receive:
    """A body that comes without its length is refused at the bound.

    Raises:
        HTTPException: 413, out of `receive`; the framework lets no other pass while it reads a body.
    """
    left = BODY_BYTES_MAX

    async def receive_bounded() -> Message:
        nonlocal left
        message = await receive()
        if message["type"] == "http.request":
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, too_large().detail)
        return message

    return receive_bounded
