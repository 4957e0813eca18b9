"""The connection as strangers may use it: nobody sends an endless head, dawdles over a request, or is told off in
another form than that of all our errors.

uvicorn reads requests without a bound on time and on the length of a head; a front proxy has such bounds, and there
may be none.
"""

import asyncio
from typing import Any

from api.hatch import Hatch
from api.headers import OWN, borne, head
from api.problems import MEDIA_TYPE, Problem

URL_BYTES_MAX = 32 * 1024
"""SensorThings' options take a few thousand characters each."""
HEAD_BYTES_MAX = 64 * 1024
REQUEST_S_MAX = 20.0
"""From a connection or the first byte of a request to its last: head and body are 64 KiB each at most."""


class Wire(Hatch):
    """One connection with bounds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._begun = self._in_head = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody comes; they are to say soon what they want."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """They go."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of a request goes on for too long."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(Problem(431, f"The head of a request may be at most {HEAD_BYTES_MAX} bytes long."))
                return
        super().data_received(data)
        if self._begun:  # most requests come whole and need no clock
            self._watch()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._begun, self._in_head, self._head_bytes = True, True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head of a request is whole."""
        self._in_head = False
        if len(self.url) > URL_BYTES_MAX:
            self._refuse(Problem(414, f"An address may be at most {URL_BYTES_MAX} bytes long."))
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._begun = False
        self._unwatch()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What was sent is no HTTP."""
        self._refuse(Problem(400, "What was sent is no HTTP request."))

    def _watch(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_S_MAX, self._late)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self._begun:
            self._refuse(Problem(408, f"A request is to be sent within {REQUEST_S_MAX:g} seconds."))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer, where no other answer has begun, and hang up."""
        if not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
                self.transport.write(_answer(problem))
            self.transport.close()
        self._unwatch()


def _answer(problem: Problem) -> bytes:
    body = problem.body()
    given = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    return head(problem.status, borne(given, OWN)) + body
