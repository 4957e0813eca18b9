"""The shelf: answers with ready documents, put together as the bytes that go over the wire.

Who asks pays from the same rate limit and is counted in the same figures as at the door.
"""

import time
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from api.addresses import Addresses
from api.board import PATH, Board
from api.documents import RawHeaders, matches
from api.headers import OPEN, borne, head
from api.metrics import Metrics
from api.ratelimit import Buckets

OF_A_BODY = frozenset((b"content-length", b"transfer-encoding", b"expect"))
"""A request with one of these has a body, which no document is asked for with."""


@dataclass(frozen=True, slots=True)
class _Answer:
    wire: bytes
    requests: Counter
    seconds: Histogram


class Shelf:
    """Gives the whole answer to whoever asks for a ready document."""

    def __init__(self, board: Board, buckets: Buckets, addresses: Addresses, metrics: Metrics) -> None:
        self._board = board
        self._buckets = buckets
        self._addresses = addresses
        self._metrics = metrics
        self._answers: dict[tuple[str, str, str, bool, bool], _Answer] = {}
        self._dated: RawHeaders = []

    def answer(
        self, method: str, path: str, headers: RawHeaders, peer: str, *, keep_alive: bool, dated: RawHeaders
    ) -> bytes | None:
        """The answer to a request, `None` where the door must answer: there is no such document, or too much was asked.

        Args:
            method: GET or HEAD.
            path: as it was asked for, without a query.
            headers: of the request, with names in lower case.
            peer: the address at the other end of the connection.
            keep_alive: whether the connection stays open.
            dated: what the server puts before each answer's headers; another list each second.
        """
        begun_s = time.monotonic()
        ready = self._board.document(path)
        asked = dict(reversed(headers))  # of several the first counts
        if ready is None or not OF_A_BODY.isdisjoint(asked):
            return None
        if self._buckets.take(self._addresses.of(peer, headers), begun_s):
            return None
        ready = ready.fitting(asked.get(b"accept-encoding", b"").decode("latin-1"))
        unchanged = matches(asked.get(b"if-none-match", b"").decode("latin-1"), ready.etag)
        if dated is not self._dated:
            self._answers, self._dated = {}, dated
        key = (path, ready.etag, method, unchanged, keep_alive)
        found = self._answers.get(key)
        if found is None:
            status, given, body = (304, ready.unchanged, b"") if unchanged else (200, ready.headers, ready.body)
            ending = [] if keep_alive else [(b"connection", b"close")]
            found = self._answers[key] = _Answer(
                head(status, [*dated, *borne(given, OPEN), *ending]) + (b"" if method == "HEAD" else body),
                self._metrics.requests.labels(route_of(path), method, status),
                self._metrics.seconds.labels(route_of(path)),
            )
        found.requests.inc()
        found.seconds.observe(time.monotonic() - begun_s)
        return found.wire


def route_of(path: str) -> str:
    """The route of a document's path, as the framework names it."""
    if not path.startswith(f"{PATH}/"):
        return path
    return f"{PATH}/{{zone}}/forecast" if path.endswith("/forecast") else f"{PATH}/{{zone}}"
