"""Waiting in tests for what happens soon."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    attempt: Callable[[], Awaitable[T]],
    error: type[Exception] = AssertionError,
    seconds: float = 10,
    every: float = 0.05,
) -> T:
    """The result of the first attempt that does not raise `error`."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await attempt()
            except error:
                await asyncio.sleep(every)
