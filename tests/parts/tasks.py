"""Services as tasks of a test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

READY_S_MAX = 20


@asynccontextmanager
async def running(
    work: Coroutine[Any, Any, object], ready: asyncio.Event | None = None
) -> AsyncIterator[asyncio.Task[object]]:
    """Run the work while the block runs, from when it is `ready`, where it says so.

    If it fails before the block ends, its error comes out at the end.
    """
    task = asyncio.create_task(work)
    try:
        if ready is not None:
            await begun(task, ready)
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def begun(task: asyncio.Task[Any], ready: asyncio.Event) -> None:
    """Wait until the task has said that it is ready."""
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], timeout=READY_S_MAX, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert ready.is_set(), task
