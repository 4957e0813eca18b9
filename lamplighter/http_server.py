"""The HTTP server as a service among others: it leaves signals alone and ends when it is cancelled."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from lamplighter.errors import Failure

GRACE_S = 2
"""How long open requests may finish; event streams never do by themselves."""
BACKLOG = 1024


def listen(host: str, port: int, named: str = "LAMPLIGHTER_HTTP_PORT") -> socket.socket:
    """Take the port now, so that a busy one is noticed before anything else starts; `named` is what names it.

    Raises:
        Failure: the address or port cannot be had; the sentence names it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise Failure(f"Port {port} of {host} cannot be had ({error.strerror}): set another with {named}.") from error
    return taken


def url_of(taken: socket.socket) -> str:
    """Where a server on this socket answers."""
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class HttpServer:
    """Serves an ASGI application on a socket that is already bound."""

    def __init__(self, app: Any, taken: socket.socket) -> None:
        from api.wire import Wire  # heavy, and many only take a port

        self._socket = taken
        self._server = _WithoutSignals(
            uvicorn.Config(
                app,
                http=Wire,
                log_config=None,
                access_log=False,
                lifespan="auto",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
                ws="none",
            )
        )

    @property
    def url(self) -> str:
        """Where it answers."""
        return url_of(self._socket)

    async def serve(self) -> None:
        """Answer until cancelled; then let open requests finish for `GRACE_S` seconds."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            await serving
            raise

    async def until_started(self) -> None:
        """Wait until it answers."""
        await self._server.answers.wait()


class _WithoutSignals(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the supervisor owns the signals
