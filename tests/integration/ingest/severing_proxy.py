"""A TCP proxy before PostgreSQL that cuts one connection at its commit."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class SeveringProxy:
    """Passes everything on, until it is told to sever the next writing transaction just before or after its COMMIT."""

    def __init__(self, database_url: str) -> None:
        self._parts = urlsplit(database_url)
        self._tasks: set[asyncio.Task[None]] = set()
        self.sever_before_commit = self.sever_after_commit = False
        self.severed = 0

    @property
    def url(self) -> str:
        port = self._server.sockets[0].getsockname()[1]
        login = self._parts.netloc.rsplit("@", 1)[0]
        return urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{port}"))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server_in, server_out = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        back = asyncio.create_task(self._pump(server_in, client_out))
        try:
            wrote = False
            with suppress(ConnectionError, asyncio.CancelledError):
                while data := await client_in.read(65_536):
                    wrote = wrote or b"INTO ledger" in data
                    if wrote and b"COMMIT" in data and (self.sever_before_commit or self.sever_after_commit):
                        if self.sever_after_commit:
                            back.cancel()
                            await asyncio.wait({back})
                            server_out.write(data)
                            await server_in.read(65_536)
                        self.sever_before_commit = self.sever_after_commit = False
                        self.severed += 1
                        return
                    server_out.write(data)
        finally:
            back.cancel()
            server_out.close()
            client_out.close()
            self._tasks.discard(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                sink.write(data)
        sink.close()
