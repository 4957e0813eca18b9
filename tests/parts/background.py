"""An event loop in a thread of its own, so that a real part keeps running while each test has its own loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Runs coroutines, and keeps asynchronous contexts open, from synchronous fixtures."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="parts", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = 120) -> T:
        """Run to the end and return the result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def open(self, context: AbstractAsyncContextManager[T]) -> tuple[T, Callable[[], None]]:
        """Enter a context; returns what it yields, and how to leave it."""
        entered = self.run(context.__aenter__())

        def leave() -> None:
            self.run(_leave(context))

        return entered, leave

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _leave(context: AbstractAsyncContextManager[object]) -> None:
    await context.__aexit__(None, None, None)
