"""The hatch beside the door: ready documents are handed out on the connection itself, before a request is made of it.

uvicorn reads the request. Where it asks for a document that lies on the shelf, and nothing else is under way on its
connection, its answer is written at once. Everything else goes on to uvicorn and through the `Door`, where documents
are answered too, slower and with the same bytes; a test holds both to that.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.door import Door
from api.standards.parkapi import SITES_PATH

METHODS = {b"GET": "GET", b"HEAD": "HEAD"}
PAGED = frozenset({SITES_PATH.encode()})
"""Of these a query asks for a part, or for what there is not; the other documents are whole whatever it says."""


class Hatch(HttpToolsProtocol):
    """One connection. With an application that is no `Door` it is uvicorn's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shelf = self.app.shelf if isinstance(self.app, Door) else None
        self._handed_out = False

    def on_headers_complete(self) -> None:
        """Hand a document out, or let uvicorn begin where it would have begun."""
        try:
            answer = self._at_once()
        except Exception:  # the door comes to the same, answers for it and records it; here it would seem the client's
            answer = None
        self._handed_out = answer is not None
        if answer is not None:
            self.transport.write(answer)
            if not self._stays_open():
                self.transport.close()
            self.on_response_complete()
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request was read to its end."""
        if not self._handed_out:
            super().on_message_complete()

    def _at_once(self) -> bytes | None:
        method = METHODS.get(self.parser.get_method())
        under_way = self.cycle is not None and not self.cycle.response_complete
        if self._shelf is None or method is None or under_way or self.client is None:
            return None
        if self.flow.write_paused or self.transport.is_closing() or self.parser.should_upgrade():
            return None
        path, _, query = self.url.partition(b"?")
        if query and path in PAGED:
            return None
        return self._shelf.answer(
            method,
            path.decode("latin-1"),
            self.headers,
            self.client[0],
            keep_alive=self._stays_open(),
            dated=self.server_state.default_headers,
        )

    def _stays_open(self) -> bool:
        return self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
